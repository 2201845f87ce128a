from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from clips import finished, info_for, number_in, numbered, read, times
from PIL import Image

from retarget import __version__
from retarget.errors import CannotWrite
from retarget.sink.open import open_sink
from tests.sink.conftest import Save


def test_a_folder_of_pictures_holds_every_frame_without_loss(save: Save) -> None:
    folder = save("frames", count=12)
    names = sorted(file.name for file in folder.iterdir())
    assert names == [f"frame_{i:05d}.png" for i in range(12)]
    for i, frame in enumerate(read(folder)):
        np.testing.assert_array_equal(frame.rgb, numbered(i))


def test_an_empty_folder_is_filled(save: Save, tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    assert len(list(save("frames", count=3).iterdir())) == 3


@pytest.mark.parametrize("pattern", ["take 2 %03d.png", "%d.jpg", "[a]%02d.webp"])
def test_numbered_pictures_are_called_as_asked(save: Save, tmp_path: Path, pattern: str) -> None:
    (tmp_path / "other.png").write_text("stays")
    save(pattern, count=11)
    assert {file.name for file in tmp_path.iterdir()} == {
        "other.png",
        *(pattern % i for i in range(11)),
    }
    assert number_in(read(tmp_path / (pattern % 10))[0].rgb) == 10


def test_one_picture_takes_one_frame(save: Save, tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(save("a.png", count=1))[0].rgb, numbered(0))
    with pytest.raises(CannotWrite, match=r"one picture.*b_%05d\.png"):
        save("b.png", count=2)
    assert not (tmp_path / "b.png").exists()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_a_picture_says_that_it_is_synthetic(save: Save, name: str) -> None:
    data = save(name, count=1).read_bytes()
    assert b"digitalsourcetype/compositeSynthetic" in data
    assert f"retarget {__version__}".encode() in data


def test_png_text_can_be_read_by_name(save: Save) -> None:
    with Image.open(save("a.png", count=1)) as image:
        assert image.info["Software"] == f"retarget {__version__}"
        assert image.info["Comment"].startswith("Synthetic picture")
        assert "Iptc4xmpExt" in image.info["XML:com.adobe.xmp"]


@pytest.mark.parametrize("rate", [25, Fraction(30_000, 1001), 24])
def test_an_animation_lasts_as_long_as_the_video(save: Save, rate: Fraction) -> None:
    path = save("a.gif", count=60, rate=rate)
    frames = read(path)
    assert len(frames) == 60
    whole = frames[-1].at.exact + frames[-1].duration
    assert abs(whole - 60 / Fraction(rate)) <= Fraction(1, 50)
    for index, at in enumerate(times(path)):
        assert abs(at - index / Fraction(rate)) <= Fraction(1, 100)
    assert [number_in(frame.rgb) for frame in frames] == list(range(60))


def test_the_last_frame_of_an_animation_lasts_as_long_as_it_should(tmp_path: Path) -> None:
    frames = [finished(i, rate=10) for i in range(3)]
    frames[2] = replace(frames[2], frame=replace(frames[2].frame, duration=Fraction(7, 10)))
    with open_sink(tmp_path / "a.gif", info=info_for(10)) as sink:
        for frame in frames:
            sink.write(frame)
    with Image.open(tmp_path / "a.gif") as image:
        lengths = []
        for index in range(image.n_frames):
            image.seek(index)
            lengths.append(image.info["duration"])
    assert lengths == [100, 100, 700]


def test_an_animation_leaves_out_what_viewers_cannot_show(save: Save) -> None:
    said: list[str] = []
    path = save("a.gif", count=120, rate=120, warn=said.append)
    at = times(path)
    assert min(b - a for a, b in pairwise(at)) >= Fraction(1, 50)
    assert abs(at[-1] - 1) <= Fraction(1, 20)
    assert len(set(said)) == 1
    assert "50 frames" in said[0]


def test_an_animation_keeps_an_odd_size_and_says_that_it_is_synthetic(save: Save) -> None:
    path = save("a.gif", picture=lambda i: numbered(i, (53, 35)))
    data = path.read_bytes()
    assert b"Synthetic picture, made by retarget" in data
    with Image.open(path) as image:
        assert image.size == (53, 35)
        assert image.n_frames == 20
        assert image.info["loop"] == 0


def test_sound_that_has_no_place_is_told(save: Save, tmp_path: Path) -> None:
    from clips import make_clip

    from retarget.source.open import open_source

    with open_source(make_clip(tmp_path / "c.mp4", sound="aac")) as source:
        for name, told in (
            ("a.gif", "a.gif holds no sound."),
            ("frames", "frames, a folder of pictures, holds no sound."),
        ):
            said: list[str] = []
            save(name, count=2, sound=source.sound(), warn=said.append)
            assert said == [told]
