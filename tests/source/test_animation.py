from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import number_in, numbered, read
from PIL import Image, features

from retarget.errors import UnreadableInput
from retarget.source.open import open_source
from retarget.source.settings import SourceSettings

LENGTHS = [40, 80, 40, 120, 40, 40, 200, 40, 40, 60]
KINDS = [
    "webp",
    "png",
    pytest.param(
        "avif", marks=pytest.mark.skipif(not features.check("avif"), reason="no AVIF in Pillow")
    ),
]


def moving(path: Path, lengths: Sequence[float] = LENGTHS) -> Path:
    first, *others = (Image.fromarray(numbered(i)) for i in range(len(lengths)))
    kind = {} if path.suffix == ".png" else {"quality": 90}
    first.save(path, save_all=True, append_images=others, duration=list(lengths), **kind)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_moving_picture_shows_each_frame_for_its_own_time(tmp_path: Path, kind: str) -> None:
    path = moving(tmp_path / f"a.{kind}")
    frames = read(path)
    assert [number_in(f.rgb) for f in frames] == list(range(len(LENGTHS)))
    starts = [Fraction(sum(LENGTHS[:i]), 1000) for i in range(len(LENGTHS))]
    assert [f.at.exact for f in frames] == starts
    assert [f.duration for f in frames] == [Fraction(length, 1000) for length in LENGTHS]
    with open_source(path) as source:
        info = source.info
    assert (info.still, info.size, info.count) == (False, frames[0].size, len(LENGTHS))
    assert info.duration == Fraction(sum(LENGTHS), 1000)


def test_a_piece_of_a_moving_picture_is_that_part_of_the_whole(tmp_path: Path) -> None:
    path = moving(tmp_path / "a.webp")
    whole = {f.at: f for f in read(path)}
    piece = read(path, start=0.1, end=0.36)
    assert [number_in(f.rgb) for f in piece] == [2, 3, 4, 5]
    assert [f.index for f in piece] == [0, 1, 2, 3]
    for frame in piece:
        np.testing.assert_array_equal(frame.rgb, whole[frame.at].rgb)
    with open_source(path, SourceSettings(start=0.1, end=0.36)) as source:
        assert [(f.index, number_in(f.rgb)) for f in source.sample(2)] == [(1, 3), (3, 5)]
    with pytest.raises(UnreadableInput, match="between start and end"):
        read(path, start=5.0)


def test_frames_without_a_length_are_shown_as_browsers_do(tmp_path: Path) -> None:
    assert [f.duration for f in read(moving(tmp_path / "a.webp", [0, 40, 5]))] == [
        Fraction(1, 10), Fraction(1, 25), Fraction(1, 10),
    ]  # fmt: skip


def test_a_moving_picture_that_is_cut_short_plays_to_there_and_says_so(tmp_path: Path) -> None:
    path = moving(tmp_path / "a.png")
    path.write_bytes(path.read_bytes()[: round(0.7 * path.stat().st_size)])
    said: list[str] = []
    with open_source(path, warn=said.append) as source:
        shown = [number_in(f.rgb) for f in source.frames()]
    assert 1 < len(shown) < len(LENGTHS)
    assert shown == list(range(len(shown)))
    assert len(said) == 1
    assert f"frame {len(shown)}" in said[0]


def test_a_moving_picture_whose_first_frame_is_damaged_is_not_told_of_a_start(
    tmp_path: Path,
) -> None:
    path = moving(tmp_path / "a.png")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"IDAT") + 8])
    with pytest.raises(UnreadableInput, match="Not one picture of") as refused:
        read(path)
    assert "moment" not in refused.value.do


def test_pages_are_not_frames(tmp_path: Path) -> None:
    first, *others = (Image.fromarray(numbered(i)) for i in range(3))
    first.save(tmp_path / "pages.tif", save_all=True, append_images=others)
    with open_source(tmp_path / "pages.tif") as source:
        assert source.info.still
