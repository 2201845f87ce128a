from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip, number_in, numbered, read
from heic import make_heic
from PIL import Image, ImageCms

from retarget.errors import UnreadableInput
from retarget.source.open import open_source
from retarget.source.settings import SourceSettings


def corner(height: int = 40, width: int = 60) -> np.ndarray:
    """A picture that is different in every corner."""
    rgb = np.zeros((height, width, 3), np.uint8)
    y, x = height // 2, width // 2
    rgb[:y, :x], rgb[:y, x:], rgb[y:, :x] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    return rgb


STORED = {  # EXIF 2.32, 4.6.4 A: how the shown picture is stored for each orientation
    1: lambda rgb: rgb,
    2: lambda rgb: rgb[:, ::-1],
    3: lambda rgb: rgb[::-1, ::-1],
    4: lambda rgb: rgb[::-1],
    5: lambda rgb: rgb.swapaxes(0, 1),
    6: lambda rgb: np.rot90(rgb, 1),
    7: lambda rgb: rgb[::-1, ::-1].swapaxes(0, 1),
    8: lambda rgb: np.rot90(rgb, -1),
}


@pytest.mark.parametrize("orientation", STORED)
def test_a_photo_is_shown_as_its_camera_was_held(tmp_path: Path, orientation: int) -> None:
    image = Image.fromarray(np.ascontiguousarray(STORED[orientation](corner())))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.png"
    image.save(path, exif=exif)
    np.testing.assert_array_equal(read(path)[0].rgb, corner())


def test_one_damaged_tag_does_not_keep_a_photo_from_being_turned(tmp_path: Path) -> None:
    path, exif = tmp_path / "photo.png", Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "abc"
    image = Image.fromarray(np.ascontiguousarray(STORED[6](corner())))
    image.save(path, exif=exif.tobytes().replace(b"\x01\x0e\x00\x02", b"\x01\x00\x00\x02"))
    with Image.open(path) as saved:
        assert saved.getexif()[0x0100] == "abc"  # the width, in letters
    np.testing.assert_array_equal(read(path)[0].rgb, corner())


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_a_photo_whose_exif_cannot_be_read_is_shown_as_it_is_stored(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / f"photo.{kind}"
    Image.fromarray(corner()).save(path, exif=b"Exif\0\0no TIFF at all", lossless=True)
    np.testing.assert_array_equal(read(path)[0].rgb, corner())


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("name", ["IMG_0001.HEIC", "renamed.jpg"])
def test_a_phone_s_photo_is_put_together_and_turned_once(
    tmp_path: Path, name: str, turns: int
) -> None:
    shown = corner(128, 192)
    photo = make_heic(tmp_path / name, np.rot90(shown, -turns), tile=64, quarter_turns=turns)
    np.testing.assert_allclose(read(photo)[0].rgb, shown, atol=3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_without_an_ending_is_known_by_its_beginning(tmp_path: Path, kind: str) -> None:
    Image.fromarray(numbered(5)).save(tmp_path / "download", format=kind)
    assert number_in(read(tmp_path / "download")[0].rgb) == 5


@pytest.mark.parametrize("ending", [".jpg_large", ".jpeg~", ".download", ".mp4"])
def test_a_picture_with_a_strange_ending_is_known_by_its_beginning(
    tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"face{ending}"
    Image.fromarray(numbered(5)).save(path, format="png")
    (frame,) = read(path)
    np.testing.assert_array_equal(frame.rgb, numbered(5))


@pytest.mark.parametrize("kind", ["gif", "mp4", "webm"])
def test_a_video_that_is_called_a_picture_is_known_by_its_beginning(
    tmp_path: Path, kind: str
) -> None:
    clip = tmp_path / f"clip.{kind}"
    if kind == "gif":
        first, *others = (Image.fromarray(numbered(i)) for i in range(3))
        first.save(clip, save_all=True, append_images=others)
    else:
        make_clip(clip, count=3, codec="libx264" if kind == "mp4" else "libvpx-vp9")
    renamed = clip.rename(tmp_path / "clip.jpg")
    assert [number_in(frame.rgb) for frame in read(renamed)] == [0, 1, 2]


def test_a_phone_s_photo_without_an_ending_is_put_together(tmp_path: Path) -> None:
    photo = make_heic(tmp_path / "download", corner(128, 192), tile=64)
    np.testing.assert_allclose(read(photo)[0].rgb, corner(128, 192), atol=3)


def test_what_a_camera_appends_to_a_photo_is_let_be(tmp_path: Path) -> None:
    photo = make_heic(tmp_path / "p.heic", corner(128, 192), tile=64)
    photo.write_bytes(photo.read_bytes() + b"\xff\xffSEFHk\0\0\0 a note of the maker's SEFT")
    np.testing.assert_allclose(read(photo)[0].rgb, corner(128, 192), atol=3)


def test_a_phone_s_photo_of_too_many_pixels_is_refused_by_its_size(tmp_path: Path) -> None:
    photo = make_heic(tmp_path / "huge.heic", corner(128, 192), tile=64)
    size = struct.pack(">II", 192, 128)
    photo.write_bytes(photo.read_bytes().replace(size, struct.pack(">II", 17_000, 128)))
    with pytest.raises(UnreadableInput, match="17000 x 128"):
        read(photo)


def test_a_picture_is_one_frame_without_time_or_sound(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    Image.fromarray(corner()).save(path)
    with open_source(path) as source:
        assert source.info.still
        assert source.info.size == (60, 40)
        assert source.info.rate is None
        assert source.sound() is None
        (frame,) = source.frames()
        assert [f.index for f in source.sample(5)] == [0]
    assert (frame.at.seconds, frame.duration) == (0, 0)


def test_transparent_pixels_show_the_background(tmp_path: Path) -> None:
    rgba = np.dstack([corner(), np.full((40, 60), 255, np.uint8)])
    rgba[:, :30, 3] = (np.arange(40) * 6)[:, None]
    path = tmp_path / "p.png"
    Image.fromarray(rgba).save(path)
    rgb = read(path, background="#0000ff")[0].rgb
    share = rgba[:, :30, 3:] / 255
    expected = corner()[:, :30] * share + np.array([0, 0, 255]) * (1 - share)
    assert np.abs(rgb[:, :30] - expected).max() <= 1
    np.testing.assert_array_equal(rgb[:, 30:], corner()[:, 30:])


def test_a_transparent_palette_color_shows_the_background(tmp_path: Path) -> None:
    image = Image.fromarray((corner()[..., 0] > 0).astype(np.uint8), mode="P")
    image.putpalette([10, 20, 30, 200, 100, 50])
    path = tmp_path / "p.png"
    image.save(path, transparency=0)
    rgb = read(path, background="#ffffff")[0].rgb
    assert tuple(rgb[0, 0]) == (200, 100, 50)
    assert tuple(rgb[-1, -1]) == (255, 255, 255)


@pytest.mark.parametrize("depth", [np.uint16, np.uint8])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_gray_of_any_depth_becomes_gray_of_eight_bits(
    tmp_path: Path, depth: type, suffix: str
) -> None:
    top = np.iinfo(depth).max
    gray = np.linspace(0, top, 60).astype(depth)[None].repeat(20, axis=0)
    path = tmp_path / f"g{suffix}"
    Image.fromarray(gray).save(path)
    rgb = read(path)[0].rgb
    assert np.abs(rgb[..., 1] - gray / top * 255).max() <= 1
    assert np.array_equal(rgb[..., 0], rgb[..., 2])


def test_gray_between_nought_and_one_is_taken_as_black_and_white(tmp_path: Path) -> None:
    path = tmp_path / "g.tif"
    Image.fromarray(np.linspace(0, 1, 60, dtype=np.float32)[None].repeat(20, axis=0)).save(path)
    rgb = read(path)[0].rgb
    assert (rgb[0, 0, 0], rgb[0, -1, 0]) == (0, 255)


def test_print_colors_become_screen_colors(tmp_path: Path) -> None:
    path = tmp_path / "p.jpg"
    Image.fromarray(corner()).convert("CMYK").save(path, quality=98, subsampling=0)
    rgb = read(path)[0].rgb.astype(int)
    assert np.abs(rgb[10, 15] - [250, 0, 0]).max() <= 12
    assert np.abs(rgb[30, 15] - [0, 0, 250]).max() <= 12


def red_and_blue_exchanged() -> bytes:
    """A colour profile whose red is sRGB's blue, and the other way about."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"none").replace(b"bXYZ", b"rXYZ").replace(b"none", b"bXYZ")


@pytest.mark.parametrize("kind", ["tif", "heic"])
def test_colors_of_another_profile_become_srgb(tmp_path: Path, kind: str) -> None:
    path, stored = tmp_path / f"p.{kind}", corner(64, 64)
    if kind == "heic":
        make_heic(path, stored, tile=64, profile=red_and_blue_exchanged())
    else:
        Image.fromarray(stored).save(path, icc_profile=red_and_blue_exchanged())
    np.testing.assert_allclose(read(path)[0].rgb, stored[..., ::-1], atol=4)


def test_a_broken_profile_is_let_be(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    Image.fromarray(corner()).save(path, icc_profile=b"no profile at all")
    np.testing.assert_array_equal(read(path)[0].rgb, corner())


def make_folder(path: Path, names: list[str]) -> Path:
    path.mkdir()
    for i, name in enumerate(names):
        Image.fromarray(numbered(i)).save(path / name)
    return path


def test_pictures_of_a_folder_come_as_a_person_counts(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "f", ["a1.png", "a2.png", "A10.png", "b1.png"])
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "notes.txt").write_text("not a picture")
    frames = read(folder, picture_rate=30_000 / 1001)
    assert [number_in(f.rgb) for f in frames] == [0, 1, 2, 3]
    assert [f.at.exact for f in frames] == [Fraction(1001 * i, 30_000) for i in range(4)]
    assert {f.duration for f in frames} == {Fraction(1001, 30_000)}


@pytest.mark.parametrize(
    ("said", "rate"),
    [(23.976, Fraction(24_000, 1001)), (29.97, Fraction(30_000, 1001)), (12.5, Fraction(25, 2))],
)
def test_a_television_rate_of_a_folder_may_be_said_as_people_round_it(
    tmp_path: Path, said: float, rate: Fraction
) -> None:
    folder = make_folder(tmp_path / "f", ["1001.png", "1002.png"])
    with open_source(folder, SourceSettings(picture_rate=said)) as source:
        assert source.info.rate == rate


def test_a_piece_of_a_folder_keeps_its_times(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "f", [f"{i}.png" for i in range(12)])
    frames = read(folder, picture_rate=10, start=0.35, end=0.8)
    assert [number_in(f.rgb) for f in frames] == [4, 5, 6, 7]
    assert [f.at.seconds for f in frames] == [0.4, 0.5, 0.6, 0.7]
    with open_source(folder, SourceSettings(picture_rate=10, start=0.35)) as source:
        assert source.info.cut
        assert source.info.count == 8


def test_a_broken_picture_of_a_folder_is_left_out_and_told(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "f", [f"{i}.png" for i in range(4)])
    (folder / "2.png").write_bytes(b"broken")
    said: list[str] = []
    with open_source(folder, warn=said.append) as source:
        frames = list(source.frames())
    assert [number_in(f.rgb) for f in frames] == [0, 1, 3]
    assert [f.index for f in frames] == [0, 1, 2]
    assert [f.at.seconds for f in frames] == [0.0, 0.04, 0.12]
    assert len(set(said)) == 1
    assert "2.png" in said[0]


def test_pictures_of_two_sizes_in_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "f", ["1.png", "2.png"])
    Image.fromarray(corner()).save(folder / "3.png")
    with pytest.raises(UnreadableInput, match=r"3\.png is 60 x 40"):
        read(folder)
