from __future__ import annotations

from pathlib import Path

import pytest
from clips import make_clip, number_in, numbered, read
from PIL import Image

from retarget.errors import WrongSetting
from retarget.source.open import open_source
from retarget.source.settings import SourceSettings

SETTINGS = SourceSettings(longest_side=128)


def test_a_large_video_is_shrunk_and_keeps_frames_times_and_sound(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", picture=lambda i: numbered(i, (256, 96)), sound="aac")
    with open_source(clip, SETTINGS) as source:
        assert source.info.size == (128, 48)
        frames = list(source.frames())
        assert [f.index for f in source.sample(3)] == [5, 15, 25]
        assert all(f.size == (128, 48) for f in source.sample(3))
        assert source.sound() is not None
    assert [number_in(f.rgb) for f in frames] == list(range(30))
    assert [f.at for f in frames] == [f.at for f in read(clip)]


def test_a_side_that_would_be_odd_is_even(tmp_path: Path) -> None:
    Image.fromarray(numbered(3, (200, 117))).save(tmp_path / "p.png")
    with open_source(tmp_path / "p.png", SETTINGS) as source:
        (frame,) = source.frames()
        assert source.info.size == frame.size == (128, 74)


@pytest.mark.parametrize(("size", "then"), [((262, 100), (130, 50)), ((200, 200), (130, 130))])
def test_no_side_is_longer_than_an_odd_longest_one(
    tmp_path: Path, size: tuple[int, int], then: tuple[int, int]
) -> None:
    Image.fromarray(numbered(3, size)).save(tmp_path / "p.png")
    with open_source(tmp_path / "p.png", SourceSettings(longest_side=131)) as source:
        assert next(source.frames()).size == then


def test_what_is_small_enough_is_let_be(tmp_path: Path) -> None:
    Image.fromarray(numbered(3, (127, 65))).save(tmp_path / "p.png")
    with open_source(tmp_path / "p.png", SETTINGS) as source:
        assert next(source.frames()).size == (127, 65)


@pytest.mark.parametrize("longest", [0, 63, 20_000])
def test_a_size_without_sense_is_refused(longest: int) -> None:
    with pytest.raises(WrongSetting, match=f"longest_side .* got {longest}"):
        SourceSettings(longest_side=longest)
