"""Small clips whose frames say their own number, made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from retarget.flow.arrays import Picture
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import FinishedFrame, Instant, VideoFrame
from retarget.sink.open import open_sink
from retarget.sink.settings import SinkSettings
from retarget.source.open import open_source
from retarget.source.settings import SourceSettings

SIZE = (96, 64)
BITS = 8


def numbered(index: int, size: tuple[int, int] = SIZE) -> Picture:
    """A picture in whose eight upright bars `index` is written, white for 1, on a gray slope."""
    width, height = size
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[:] = np.linspace(60, 180, height).astype(np.uint8)[:, None, None]
    for bit in range(BITS):
        left, right = width * bit // BITS, width * (bit + 1) // BITS
        rgb[: height // 2, left:right] = 235 if index >> bit & 1 else 20
    return rgb


def number_in(rgb: Picture) -> int:
    """The number written by `numbered`."""
    height, width = rgb.shape[:2]
    middles = [width * (2 * bit + 1) // (2 * BITS) for bit in range(BITS)]
    return sum(int(rgb[height // 4, x].mean() > 128) << bit for bit, x in enumerate(middles))


def make_clip(
    path: Path,
    *,
    count: int = 30,
    rate: Fraction | int = 25,
    stamps: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    lengths: Sequence[int] | None = None,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    picture: Callable[[int], Picture | av.VideoFrame] = numbered,
    tune: Callable[[av.VideoStream], None] | None = None,
    sound: str | None = None,
    sound_seconds: float | None = None,
    container: Mapping[str, str] | None = None,
) -> Path:
    """Write a clip; with `stamps` its frames stand at those ticks of `time_base`."""
    base = time_base or 1 / Fraction(rate)
    stamps = stamps or range(count)
    with av.open(str(path), "w", container_options=dict(container or {})) as out:
        first = as_frame(picture(0), pixels)
        video = out.add_stream(codec, rate=Fraction(rate), options=dict(options or {}))
        video.width, video.height, video.pix_fmt = first.width, first.height, pixels
        video.codec_context.time_base = base
        video.time_base = base
        if tune:
            tune(video)
        heard = out.add_stream(sound, rate=48_000, layout="mono") if sound else None
        kept = {}
        for index, stamp in enumerate(stamps):
            frame = as_frame(picture(index), pixels)
            frame.pts, frame.time_base = stamp, base
            following = stamps[index + 1] if index + 1 < len(stamps) else None
            kept[stamp] = following - stamp if following is not None else 0
            if lengths:
                kept[stamp] = lengths[index]
            write(out, video, frame, kept)
        write(out, video, None, kept)
        if heard is not None:
            lay_tone(out, heard, sound_seconds or float((stamps[-1] + 1) * base))
    return path


def write(out, video, frame, kept) -> None:  # type: ignore[no-untyped-def]
    for packet in video.encode(frame):
        packet.duration = kept.get(packet.pts) or packet.duration
        out.mux(packet)


def as_frame(picture: Picture | av.VideoFrame, pixels: str) -> av.VideoFrame:
    if isinstance(picture, av.VideoFrame):
        return picture
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    return frame.reformat(format=pixels, dst_colorspace="itu601", dst_color_range=1)


def lay_tone(out, stream, seconds: float, click: float | None = None) -> None:  # type: ignore[no-untyped-def]
    """A quiet tone; with `click` silence instead, and one loud moment at that second."""
    time = np.arange(round(seconds * 48_000)) / 48_000
    wave = 0.2 * np.sin(2 * np.pi * (220 + 40 * time) * time)
    if click is not None:
        wave = np.where(np.abs(time - click) < 0.005, 0.9, 0.0)
    for begin in range(0, len(wave), 1024):
        piece = wave[None, begin : begin + 1024].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
        frame.rate, frame.pts, frame.time_base = 48_000, begin, Fraction(1, 48_000)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def read(path: Path | str, **settings: object) -> list[VideoFrame]:
    """Every frame of a source."""
    with open_source(path, SourceSettings(**settings)) as source:  # type: ignore[arg-type]
        return list(source.frames())


def times(path: Path | str, **settings: object) -> list[Fraction]:
    return [frame.at.exact for frame in read(path, **settings)]


def heard(path: Path | str, **settings: object) -> list[tuple[Fraction, bytes, Fraction]]:
    """Every sound packet of a source: its second, what it holds, and how long it lasts."""
    with open_source(path, SourceSettings(**settings)) as source:  # type: ignore[arg-type]
        sound = source.sound()
        if sound is None:
            return []
        with sound.open() as opened:
            return [
                (at, bytes(packet), packet.duration * packet.time_base)
                for at, packet in opened.packets()
            ]


def turned(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Write a display matrix into the (only) picture track of an .mp4: see ISO 14496-12, tkhd."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8  # version and flags, times and ids, 16 more
    one = 1 << 16
    matrix = [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30]
    data[at : at + 36] = np.array(matrix, ">i4").tobytes()
    path.write_bytes(data)
    return path


def info_for(rate: Fraction | int = 25, **known: Any) -> SourceInfo:
    rate = Fraction(rate)
    facts: dict[str, Any] = {"name": "test", "size": SIZE, "time_base": 1 / rate, "rate": rate}
    return SourceInfo(**facts | known)


def finished(
    index: int, rate: Fraction | int = 25, picture: Callable[[int], Picture] = numbered
) -> FinishedFrame:
    base = 1 / Fraction(rate)
    frame = VideoFrame(rgb=picture(index), index=index, at=Instant(index, base), duration=base)
    return FinishedFrame(frame=frame)


def fill(target: Path, numbers: range) -> None:
    """Write a picture of each number; what is there may be replaced."""
    with open_sink(target, SinkSettings(overwrite=True), info=info_for()) as sink:
        for index, number in enumerate(numbers):
            sink.write(finished(index, picture=lambda _, shown=number: numbered(shown)))
