from __future__ import annotations

import tempfile
from pathlib import Path

import av
import numpy as np
import pytest
from clips import make_clip, numbered, read

from retarget.errors import UnreadableInput
from retarget.flow.report import unheard
from retarget.source import decode
from retarget.source.open import open_source
from retarget.source.settings import SourceSettings

PATCHES = np.array(
    [[230, 40, 40], [40, 200, 60], [50, 60, 220], [200, 180, 40], [128, 128, 128], [20, 20, 20]]
)
LUMA = {
    "bt709": (0.2126, 0.0722), "bt601": (0.299, 0.114), "bt2020": (0.2627, 0.0593),
    "fcc": (0.3, 0.11), "smpte240m": (0.212, 0.087),
}  # fmt: skip
NUMBER = {"bt709": 1, "bt601": 6, "bt2020": 9}


def coded(rgb: np.ndarray, matrix: str, full: bool, depth: int = 8) -> np.ndarray:
    """(3, …) code values of R'G'B' 0..255, after ITU-R BT.709 and BT.2100, section 4."""
    red, green, blue = np.moveaxis(rgb / 255.0, -1, 0)
    kr, kb = LUMA[matrix]
    y = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - y) / (2 - 2 * kb), (red - y) / (2 - 2 * kr)
    top, unit = 2**depth - 1, 2 ** (depth - 8)
    if full:
        planes = [y * top, cb * top + 128 * unit, cr * top + 128 * unit]
    else:
        planes = [unit * (219 * y + 16), unit * (224 * cb + 128), unit * (224 * cr + 128)]
    return np.rint(np.clip(planes, 0, top)).astype(np.uint8 if depth == 8 else np.uint16)


def patch_clip(
    path: Path, values: np.ndarray, pixels: str, tags: tuple[int, int, int, int], height: int = 32
) -> Path:
    """A lossless clip of columns 16 pixels wide, one for each of `values` (3, n)."""
    planes = np.repeat(np.repeat(values[:, None, :], height, axis=1), 16, axis=2)

    def tune(stream: av.VideoStream) -> None:
        context = stream.codec_context
        context.color_range, context.colorspace = tags[0], tags[1]
        context.color_primaries, context.color_trc = tags[2], tags[3]

    def picture(index: int) -> av.VideoFrame:
        frame = av.VideoFrame(planes.shape[2], height, pixels)
        for plane, data in zip(frame.planes, planes, strict=True):
            rows = np.zeros((height, plane.line_size // data.itemsize), data.dtype)
            rows[:, : data.shape[1]] = data
            plane.update(rows.tobytes())
        return frame

    return make_clip(path, count=2, codec="ffv1", pixels=pixels, picture=picture, tune=tune)


def patches_of(path: Path) -> np.ndarray:
    rgb = read(path)[0].rgb
    return rgb[rgb.shape[0] // 2, 8::16].astype(int)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", ["bt709", "bt601"])
def test_the_matrix_and_range_a_file_names_are_used(
    tmp_path: Path, matrix: str, full: bool
) -> None:
    values = coded(PATCHES, matrix, full)
    tags = (2 if full else 1, NUMBER[matrix], 1, 1)
    clip = patch_clip(tmp_path / "c.mkv", values, "yuv444p", tags)
    assert np.abs(patches_of(clip) - PATCHES).max() <= 4


@pytest.mark.parametrize(
    ("number", "matrix", "height"),
    [
        (1, "bt709", 32), (4, "fcc", 720), (5, "bt601", 720), (6, "bt601", 720),
        (7, "smpte240m", 32), (9, "bt2020", 32), (10, "bt2020", 32),
    ],
)  # fmt: skip
def test_a_named_matrix_counts_more_than_what_is_usual_at_that_size(
    tmp_path: Path, number: int, matrix: str, height: int
) -> None:
    """ITU-T H.273, table 4."""
    values = coded(PATCHES, matrix, full=False)
    clip = patch_clip(tmp_path / "c.mkv", values, "yuv444p", (1, number, 1, 1), height)
    assert np.abs(patches_of(clip) - PATCHES).max() <= 4


@pytest.mark.parametrize(("number", "coding"), [(8, "YCgCo"), (14, "ICtCp")])
def test_colours_that_are_coded_otherwise_are_refused_and_not_shown_wrong(
    tmp_path: Path, number: int, coding: str
) -> None:
    values = coded(PATCHES, "bt709", full=False)
    clip = patch_clip(tmp_path / "c.mkv", values, "yuv444p", (1, number, 1, 1))
    with pytest.raises(UnreadableInput, match=rf"coded as {coding}, which is not read"):
        read(clip)


@pytest.mark.parametrize(("primaries", "transfer"), [(3, 3), (0, 1), (1, 0), (1, 9), (1, 10)])
def test_a_file_that_calls_its_kind_of_colours_reserved_is_read_by_its_matrix(
    tmp_path: Path, primaries: int, transfer: int
) -> None:
    """ITU-T H.273: 0 and 3 are reserved, 9 and 10 logarithmic."""

    def tune(stream: av.VideoStream) -> None:
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = 1

    clip = make_clip(
        tmp_path / "c.mp4", codec="mpeg4", tune=tune, container={"movflags": "write_colr"}
    )
    usual, data = read(clip)[0].rgb, clip.read_bytes()
    said = b"nclx\x00%c\x00%c\x00\x01"
    assert said % (1, 1) in data
    clip.write_bytes(data.replace(said % (1, 1), said % (primaries, transfer)))
    np.testing.assert_array_equal(read(clip)[0].rgb, usual)


@pytest.mark.parametrize(("height", "matrix"), [(720, "bt709"), (480, "bt601")])
def test_a_file_that_names_no_matrix_is_taken_as_players_do(
    tmp_path: Path, height: int, matrix: str
) -> None:
    values = coded(PATCHES, matrix, full=False)
    clip = patch_clip(tmp_path / "c.mkv", values, "yuv444p", (0, 2, 2, 2), height)
    assert np.abs(patches_of(clip) - PATCHES).max() <= 4


def test_a_wide_film_of_few_lines_is_taken_as_high_definition_too(tmp_path: Path) -> None:
    wide = np.tile(PATCHES, (14, 1))  # 1344 pixels
    values = coded(wide, "bt709", full=False)
    clip = patch_clip(tmp_path / "c.mkv", values, "yuv444p", (0, 2, 2, 2))
    assert np.abs(patches_of(clip) - wide).max() <= 4


def test_ten_bits_come_as_the_nearest_of_eight(tmp_path: Path) -> None:
    ramp = np.repeat(np.arange(0, 256, 5)[:, None], 3, axis=1)
    values = coded(ramp, "bt709", full=False, depth=10)
    clip = patch_clip(tmp_path / "c.mkv", values, "yuv444p10le", (1, 1, 1, 1))
    assert np.abs(patches_of(clip) - ramp).max() <= 2


def pq(nits: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084."""
    power = (nits / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def srgb(light: np.ndarray) -> np.ndarray:
    return 255 * np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def test_hdr_keeps_skin_and_shadow_where_they_were_and_rolls_off_highlights(
    tmp_path: Path,
) -> None:
    nits = np.array([0.0, 5, 20, 60, 90, 203, 400, 700, 1000, 4000])
    signal = np.repeat(255 * pq(nits)[:, None], 3, axis=1)
    values = coded(signal, "bt2020", full=False, depth=10)
    clip = patch_clip(tmp_path / "c.mkv", values, "yuv444p10le", (1, 9, 9, 16))
    seen = patches_of(clip)
    assert np.abs(seen - seen.mean(axis=1, keepdims=True)).max() <= 2  # gray stays gray
    gray = seen.mean(axis=1)
    assert np.abs(gray[:5] - srgb(nits[:5] / 203)).max() <= 4
    assert np.all(np.diff(gray[:8]) > 4)  # highlights stay apart, up to 700 nits
    assert gray[-1] == gray[-2] == 255


def test_hlg_white_is_bright_and_its_grays_rise(tmp_path: Path) -> None:
    signal = np.repeat(255 * np.array([0.0, 0.2, 0.38, 0.5, 0.75, 1.0])[:, None], 3, axis=1)
    values = coded(signal, "bt2020", full=False, depth=10)
    clip = patch_clip(tmp_path / "c.mkv", values, "yuv444p10le", (1, 9, 9, 18))
    gray = patches_of(clip).mean(axis=1)
    assert np.all(np.diff(gray) > 8)
    # BT.2408: 38 % is an 18 % gray card (26 nits of 203), 75 % is diffuse white.
    assert abs(gray[2] - srgb(np.array(26 / 203))) <= 6
    assert gray[4] > 190
    assert gray[5] == 255


def test_the_folder_for_passing_files_may_be_called_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "o'brien, [a;b]=c"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    signal = np.full((1, 3), 128)
    values = coded(signal, "bt2020", full=False, depth=10)
    clip = patch_clip(tmp_path / "c.mkv", values, "yuv444p10le", (1, 9, 9, 16))
    assert np.ptp(patches_of(clip)) <= 2


def test_wide_colors_arrive_as_the_same_colors(tmp_path: Path) -> None:
    to_2020 = np.array(
        [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
    )
    light = (PATCHES / 255.0) ** 2.4 @ to_2020.T
    signal = 255 * light ** (1 / 2.4)
    values = coded(signal, "bt2020", full=False, depth=10)
    clip = patch_clip(tmp_path / "c.mkv", values, "yuv444p10le", (1, 9, 9, 14))
    expected = srgb((PATCHES / 255.0) ** 2.4)
    assert np.abs(patches_of(clip) - expected).max() <= 6


@pytest.mark.parametrize(("background", "shown"), [("#ffffff", 255), ("#204060", 0x20)])
def test_transparent_pixels_show_the_background(
    tmp_path: Path, background: str, shown: int
) -> None:
    rgba = np.dstack([numbered(5), np.full((64, 96), 255, np.uint8)])
    rgba[:, :48, 3] = 0
    frame = av.VideoFrame.from_ndarray(rgba, format="rgba").reformat(format="bgra")
    clip = make_clip(
        tmp_path / "c.mkv", count=2, codec="ffv1", pixels="bgra", picture=lambda i: frame
    )
    rgb = read(clip, background=background)[0].rgb
    assert np.all(rgb[:, :48, 0] == shown)
    np.testing.assert_array_equal(rgb[:, 48:], numbered(5)[:, 48:])


HALF_CLEAR = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def half_clear(path: Path, codec: str) -> Path:
    """A gray clip whose left half is transparent."""
    rgba = np.full((64, 96, 4), 128, np.uint8)
    rgba[..., 3] = np.where(np.arange(96) < 48, 0, 255)
    frame = av.VideoFrame.from_ndarray(rgba, format="rgba").reformat(format="yuva420p")
    options = {"auto-alt-ref": "0", "crf": "10", "b": "0"}
    return make_clip(
        path, count=12, codec=codec, pixels="yuva420p", options=options, picture=lambda i: frame
    )


@pytest.mark.parametrize("codec", HALF_CLEAR.values())
def test_transparent_pixels_of_a_web_video_show_the_background(tmp_path: Path, codec: str) -> None:
    clip = half_clear(tmp_path / "c.webm", codec)
    with open_source(clip, SourceSettings(background="#ff0000")) as source:
        frames = [*source.frames(), *source.sample(3)]
    assert len(frames) == 15
    for frame in frames:
        assert np.abs(frame.rgb[:, 4:44].astype(int) - (255, 0, 0)).max() <= 8
        assert np.abs(frame.rgb[:, 52:92].astype(int) - 128).max() <= 8


@pytest.mark.parametrize("codec", HALF_CLEAR.values())
def test_where_transparency_cannot_be_read_it_is_told(
    tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = half_clear(tmp_path / "c.webm", codec)
    monkeypatch.setattr(decode, "SEES_THROUGH", dict.fromkeys(HALF_CLEAR, "none such"))
    said: list[str] = []
    with open_source(clip, warn=said.append) as source:
        assert len(list(source.frames())) == 12
    assert set(said) == {
        f"{clip} is transparent in places, but no decoder here can tell where: all of it is shown."
    }


@pytest.mark.parametrize("codec", HALF_CLEAR.values())
def test_a_web_video_without_transparency_keeps_its_decoder(tmp_path: Path, codec: str) -> None:
    with av.open(str(make_clip(tmp_path / "c.webm", count=3, codec=codec))) as clip:
        stream = clip.streams.video[0]
        assert decode.decoder_of(stream, "c.webm", unheard) is stream.codec_context
