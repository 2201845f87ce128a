from __future__ import annotations

import gc
import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import SIZE, as_frame, make_clip, number_in, numbered, read, turned
from PIL import Image

from retarget.errors import UnreadableInput
from retarget.source.filter import PictureFilter
from retarget.source.open import open_source
from retarget.source.settings import SourceSettings
from retarget.source.upright import turn_from_matrix

MS = Fraction(1, 1000)


def numbers(path: Path, **settings: object) -> list[int]:
    return [number_in(frame.rgb) for frame in read(path, **settings)]


def test_frames_come_upright_rgb_and_numbered_in_the_order_of_showing(tmp_path: Path) -> None:
    frames = read(make_clip(tmp_path / "b.mp4", options={"bf": "3", "g": "12"}))
    assert [frame.index for frame in frames] == list(range(30))
    assert [number_in(frame.rgb) for frame in frames] == list(range(30))
    assert frames[0].size == SIZE
    assert frames[0].rgb.flags.c_contiguous


MATRICES = [(a, 0, 0, d) for a in (1, -1) for d in (1, -1)] + [
    (0, b, c, 0) for b in (1, -1) for c in (1, -1)
]


@pytest.mark.parametrize("matrix", MATRICES)
def test_every_quarter_turn_and_mirror_puts_each_pixel_where_the_matrix_says(
    matrix: tuple[int, int, int, int],
) -> None:
    a, b, c, d = matrix
    stored = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    y, x = np.mgrid[:4, :6]
    right, down = a * x + c * y, b * x + d * y
    right, down = right - right.min(), down - down.min()
    expected = np.empty((down.max() + 1, right.max() + 1, 3), np.uint8)
    expected[down, right] = stored
    turn = turn_from_matrix(np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], np.int32) << 16)
    np.testing.assert_array_equal(turn(stored), expected)


@pytest.mark.parametrize("matrix", MATRICES)
def test_a_phone_s_turn_is_honoured(tmp_path: Path, matrix: tuple[int, int, int, int]) -> None:
    path = make_clip(tmp_path / "phone.mp4", count=3, picture=lambda i: numbered(77))
    stored = read(path)[0].rgb
    frame = read(turned(path, *matrix))[0]
    turn = turn_from_matrix(np.array([*matrix[:2], 0, *matrix[2:], 0, 0, 0, 1], np.int32) << 16)
    np.testing.assert_array_equal(frame.rgb, turn(stored))
    with open_source(path) as source:
        assert source.info.size == frame.size


TURNED = {1: lambda p: p, 3: lambda p: p[::-1, ::-1], 6: lambda p: np.rot90(p, -1),
          8: lambda p: np.rot90(p, 1)}  # fmt: skip


@pytest.mark.parametrize("orientation", TURNED)
def test_a_camera_s_video_of_photos_is_turned_as_they_say(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = io.BytesIO()
    Image.fromarray(numbered(77)).save(photo, "JPEG", quality=95, exif=exif.tobytes())
    path = tmp_path / "camera.avi"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuvj420p"
        for i in range(3):
            packet = av.Packet(photo.getvalue())
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, i, i, Fraction(1, 25)
            out.mux(packet)
    expected = TURNED[orientation](numbered(77))
    for frame in read(path):
        assert frame.rgb.shape == expected.shape
        assert np.abs(frame.rgb.astype(int) - expected).mean() < 6


def test_no_decoded_picture_outlives_its_reading_until_the_collector_comes(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", picture=lambda i: numbered(i, (160, 96)))
    gc.collect()
    gc.disable()
    try:
        assert len(read(clip)) == 30
        left = [o for o in gc.get_objects() if type(o) is av.VideoFrame and o.width == 160]
    finally:
        gc.enable()
    assert left == []


@pytest.mark.parametrize(("aspect", "size"), [("2/1", (192, 64)), ("1/2", (96, 128))])
def test_pixels_that_are_not_square_are_made_so(
    tmp_path: Path, aspect: str, size: tuple[int, int]
) -> None:
    def tune(stream: av.VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(aspect)

    clip = make_clip(tmp_path / "sar.mp4", tune=tune)
    with open_source(clip) as source:
        assert source.info.size == size
    assert read(clip)[5].size == size
    assert number_in(read(clip)[5].rgb) == 5


def test_odd_sizes_keep_every_pixel(tmp_path: Path) -> None:
    clip = make_clip(
        tmp_path / "odd.mkv", codec="ffv1", pixels="bgr0", picture=lambda i: numbered(i, (97, 65))
    )
    np.testing.assert_array_equal(read(clip)[9].rgb, numbered(9, (97, 65)))


@pytest.mark.parametrize(("order", "first"), [("tff", 200), ("bff", 50)])
def test_of_interlaced_video_the_earlier_moment_is_shown(
    tmp_path: Path, order: str, first: int
) -> None:
    said = PictureFilter(("setfield", f"mode={order}"))

    def two_moments(index: int) -> av.VideoFrame:
        rgb = np.full((64, 96, 3), 50, np.uint8)
        rgb[::2] = 200
        return said(as_frame(rgb, "yuv420p"))

    options = {"flags": "+ilme+ildct", "crf": "5"}
    clip = make_clip(tmp_path / "i.mp4", count=3, picture=two_moments, options=options)
    for frame in read(clip):
        assert np.abs(frame.rgb[4:-4].astype(int) - first).max() <= 6


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
@pytest.mark.parametrize(
    ("start", "end"), [(0.0, 1.0), (0.4, None), (0.401, 2.0), (1.19, 1.21), (2.2, None)]
)
def test_a_piece_is_exactly_that_part_of_the_whole(
    tmp_path: Path, suffix: str, start: float, end: float | None
) -> None:
    codec = "mpeg4" if suffix == ".avi" else "libx264"
    clip = make_clip(tmp_path / f"c{suffix}", count=60, codec=codec, options={"g": "12"})
    whole = read(clip)
    first, last = Fraction(str(start)), Fraction(str(end or 99))
    expected = [f for f in whole if first <= f.at.exact < last]
    piece = read(clip, start=start, end=end)
    assert [f.at for f in piece] == [f.at for f in expected]
    assert [f.index for f in piece] == list(range(len(piece)))
    for got, want in zip(piece, expected, strict=True):
        np.testing.assert_array_equal(got.rgb, want.rgb)


def test_a_start_costs_one_group_of_pictures_not_the_whole_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make_clip(tmp_path / "c.mp4", count=200, options={"g": "10", "bf": "0"})
    from retarget.source import video_file

    given: list[object] = []
    plain = video_file.in_time

    def counted(frames, **how):  # type: ignore[no-untyped-def]
        return plain((given.append(frame) or frame for frame in frames), **how)

    monkeypatch.setattr(video_file, "in_time", counted)
    with open_source(clip, SourceSettings(start=7.0)) as source:
        given.clear()
        assert number_in(next(source.frames()).rgb) == 175
    assert len(given) <= 12


@pytest.mark.parametrize("rate", [Fraction(30_000, 1001), Fraction(25)])
def test_a_piece_begins_and_ends_at_the_frame_whose_time_is_given(
    tmp_path: Path, rate: Fraction
) -> None:
    clip = make_clip(tmp_path / "c.ts", count=20, rate=rate)
    whole = read(clip)
    for index in range(1, 20):
        time = whole[index].at.seconds
        assert number_in(read(clip, start=time)[0].rgb) == index
        assert number_in(read(clip, end=time)[-1].rgb) == index - 1


def test_video_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    import tracemalloc

    def peak(count: int) -> int:
        clip = make_clip(
            tmp_path / f"{count}.mp4", count=count, picture=lambda i: numbered(i, (320, 240))
        )
        with open_source(clip) as source:
            tracemalloc.start()
            for _ in source.frames():
                pass
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return most

    assert peak(300) < peak(40) + 320 * 240 * 3


def test_two_readings_of_one_source_do_not_disturb_each_other(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "c.mp4")
    with open_source(clip) as source:
        one, two = source.frames(), source.frames()
        mixed = [number_in(next(it).rgb) for it in (one, one, two, one, two)]
    assert mixed == [0, 1, 0, 2, 1]


@pytest.mark.parametrize(
    "settings",
    [
        {"start": -1.0},
        {"start": float("nan")},
        {"start": 1e18},
        {"end": float("inf")},
        {"start": 2.0, "end": 1.0},
        {"background": "pinkish"},
    ],
)
def test_a_setting_without_sense_is_one_sentence(
    tmp_path: Path, settings: dict[str, object], one_sentence: Callable[..., None]
) -> None:
    clip = make_clip(tmp_path / "c.mp4", count=2)
    one_sentence(lambda: read(clip, **settings))


def test_a_start_after_the_end_of_the_video_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="no picture at 9 s"):
        read(make_clip(tmp_path / "c.mp4"), start=9.0)


def test_a_video_too_large_is_refused_before_it_is_converted(tmp_path: Path) -> None:
    wide = np.zeros((2, 16_386, 3), np.uint8)
    clip = make_clip(
        tmp_path / "w.mkv", count=1, codec="ffv1", pixels="bgr0", picture=lambda i: wide
    )
    with pytest.raises(UnreadableInput, match="16386 x 2"):
        read(clip)
