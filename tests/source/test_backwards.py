"""A video from its end to its beginning."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import make_clip, number_in, numbered
from PIL import Image

from retarget.source import backwards as room
from retarget.source.backwards import Passed, backwards
from retarget.source.open import open_source
from retarget.source.settings import SourceSettings


def there_and_back(spec: Path, settings: SourceSettings) -> tuple[list[int], list[int]]:
    passed = Passed()
    with open_source(spec, settings) as source:
        there = [number_in(frame.rgb) for frame in passed.watch(source.frames())]
    return there, [number_in(f.rgb) for f in backwards(str(spec), settings, passed)]


@pytest.mark.parametrize("frames", [1, 4, 7, 100])
def test_every_frame_between_the_ends_comes_back_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: int
) -> None:
    monkeypatch.setattr(room, "_PIECE_BYTES", frames * 3 * 96 * 64)
    clip = make_clip(tmp_path / "a.mp4", count=30, options={"g": "12", "bf": "2"})
    there, back = there_and_back(clip, SourceSettings())
    assert there == list(range(30))
    assert back == list(range(28, 0, -1))


def test_uneven_time_and_a_piece_of_a_video_come_back_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_PIECE_BYTES", 5 * 3 * 96 * 64)
    stamps = [0, 1, 2, 3, 10, 11, 30, 31, 33, 40, 41, 42, 60, 61, 62, 70]
    clip = make_clip(tmp_path / "a.mp4", stamps=stamps)
    there, back = there_and_back(clip, SourceSettings(start=0.1, end=2.5))
    assert there == list(range(3, 15))
    assert back == list(range(13, 3, -1))


def test_a_folder_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_PIECE_BYTES", 2 * 3 * 96 * 64)
    for number in range(6):
        Image.fromarray(numbered(number)).save(tmp_path / f"{number}.png")
    assert there_and_back(tmp_path, SourceSettings()) == ([0, 1, 2, 3, 4, 5], [4, 3, 2, 1])


@pytest.mark.parametrize("count", [1, 2])
def test_two_frames_have_nothing_between_them(tmp_path: Path, count: int) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=count)
    assert there_and_back(clip, SourceSettings())[1] == []
