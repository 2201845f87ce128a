"""A video file or URL: upright frames at their true times."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from retarget.errors import UnreadableInput
from retarget.flow.sound import Sound
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import Instant, VideoFrame
from retarget.source.audio import find_sound
from retarget.source.convert import ToRgb
from retarget.source.decode import decoded, decoded_from
from retarget.source.place import Place, picture_stream
from retarget.source.settings import SourceSettings
from retarget.source.source import Warn
from retarget.source.timing import in_time
from retarget.source.zero import zero_of

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame as Decoded
    from av.video.stream import VideoStream


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How a stream counts time."""

    time_base: Fraction
    zero: int
    """The tick that is second 0: 0 itself, unless the format's clock starts anywhere."""
    usual: int
    """Ticks of a frame whose length nobody knows."""

    def seconds(self, stamp: int) -> Fraction:
        """When a stream's stamp is."""
        return (stamp - self.zero) * self.time_base


def clock_of(container: InputContainer, stream: VideoStream) -> Clock:
    """The clock of `stream`."""
    time_base = stream.time_base or Fraction(1, 90_000)
    rate = rate_of(stream)
    return Clock(
        time_base=time_base,
        zero=round(zero_of(container) / time_base),
        usual=max(1, round(1 / (rate * time_base))),
    )


def rate_of(stream: VideoStream) -> Fraction:
    """Frames per second: the nominal rate where the average agrees with it, else the average."""
    average, nominal = stream.average_rate, stream.guessed_rate
    if average and nominal and abs(average - nominal) < nominal / 500:
        return Fraction(nominal)
    return Fraction(average or nominal or 25)


class VideoFile:
    """Frames of a video, from disk or from afar; see `Source`."""

    def __init__(
        self,
        place: Place,
        settings: SourceSettings,
        background: npt.NDArray[np.uint8],
        warn: Warn,
    ) -> None:
        self.place = place
        self.settings = settings
        self._background = background
        self._warn = warn
        self.info = self._look()

    def frames(self) -> Iterator[VideoFrame]:
        """Every frame of the piece; see `Source.frames`."""
        with self.place.open() as container:
            stream = picture_stream(container, self.place.name)
            clock = clock_of(container, stream)
            to_rgb = self._to_rgb(stream)
            for index, (frame, stamp, ticks) in enumerate(self._piece(container, stream, clock)):
                yield self._frame(to_rgb, clock, frame, index, stamp, ticks)

    def sample(self, count: int) -> list[VideoFrame]:
        """Frames spread over the piece; see `Source.sample`."""
        if count < 1:
            raise ValueError(f"a sample of {count} frames cannot be taken")
        total = self.info.count or count
        wanted = {round((i + 0.5) * total / count - 0.5) for i in range(count)}
        with self.place.open() as container:
            stream = picture_stream(container, self.place.name)
            clock = clock_of(container, stream)
            to_rgb = self._to_rgb(stream)
            return [
                self._frame(to_rgb, clock, frame, index, stamp, ticks)
                for index, (frame, stamp, ticks) in enumerate(
                    islice(self._piece(container, stream, clock), max(wanted) + 1)
                )
                if index in wanted
            ]

    def sound(self) -> Sound | None:
        """The sound of the piece; see `Source.sound`."""
        return find_sound(self.place, self.settings, self._warn)

    def _frame(
        self, to_rgb: ToRgb, clock: Clock, frame: Decoded, index: int, stamp: int, ticks: int
    ) -> VideoFrame:
        at = Instant(stamp - clock.zero, clock.time_base)
        duration = ticks * clock.time_base
        if self.settings.end is not None:
            duration = min(duration, Fraction(self.settings.end) - at.exact)
        return VideoFrame(rgb=to_rgb(frame), index=index, at=at, duration=duration)

    def _to_rgb(self, stream: VideoStream) -> ToRgb:
        return ToRgb(
            self.place.name,
            aspect=stream.sample_aspect_ratio,
            background=self._background,
            exact=self.settings.color == "exact",
        )

    def _piece(
        self, container: InputContainer, stream: VideoStream, clock: Clock
    ) -> Iterator[tuple[Decoded, int, int]]:
        """Decoded frames between start and end, with repaired stamps and lengths in ticks."""
        start, end = Fraction(self.settings.start), self.settings.end
        name = self.place.name
        frames: Iterator[Decoded]
        if start > 0:
            first = math.ceil(start / clock.time_base) + clock.zero
            frames = decoded_from(container, stream, first, name, self._warn)
        else:
            frames = decoded(container, stream, name, self._warn)
        stamped = ((frame, frame.pts, frame.duration or 0) for frame in frames)
        for frame, stamp, ticks in in_time(stamped, usual=clock.usual, first=clock.zero):
            at = clock.seconds(stamp)
            if end is not None and at >= end:
                return
            if at >= start or start <= 0:
                yield frame, stamp, ticks

    def _look(self) -> SourceInfo:
        """Decode one frame: what opens may still hold no picture."""
        with self.place.open() as container:
            stream = picture_stream(container, self.place.name)
            clock = clock_of(container, stream)
            first = next(self._piece(container, stream, clock), None)
            if first is None:
                raise self._nothing(container)
            height, width = self._to_rgb(stream)(first[0]).shape[:2]
            info = SourceInfo(
                name=self.place.name,
                size=(width, height),
                time_base=clock.time_base,
                rate=rate_of(stream),
                cut=self.settings.start > 0,
            )
            return replace(info, **_extent(container, stream, clock, first[1], self.settings))

    def _nothing(self, container: InputContainer) -> UnreadableInput:
        if self.settings.start > 0:
            return UnreadableInput(
                f"{self.place.name} has no picture at {self.settings.start:g} s or later.",
                do="Give an earlier start.",
            )
        return UnreadableInput(
            f"Not one picture in {self.place.name} could be decoded.",
            do="Check that it plays, or convert it to .mp4.",
        )


def _extent(
    container: InputContainer,
    stream: VideoStream,
    clock: Clock,
    first: int,
    settings: SourceSettings,
) -> dict[str, object]:
    """About how long the piece is, and how many frames."""
    length: Fraction | None = None
    if stream.duration:
        length = ((stream.start_time or 0) + stream.duration - first) * clock.time_base
    elif container.duration:
        begin = Fraction(container.start_time or 0, 1_000_000)
        length = begin + Fraction(container.duration, 1_000_000) - first * clock.time_base
    if settings.end is not None:
        kept = Fraction(settings.end) - clock.seconds(first)
        length = kept if length is None else min(length, kept)
    whole = settings.start <= 0 and settings.end is None
    if whole and stream.frames:
        return {"duration": length, "count": stream.frames}
    count = None if length is None else max(1, round(length * rate_of(stream)))
    return {"duration": length, "count": count}
