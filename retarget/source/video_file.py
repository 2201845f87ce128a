"""A video file or URL: upright frames at their true times."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import av
from av.container import InputContainer
from av.video.frame import VideoFrame as Decoded
from av.video.stream import VideoStream

from retarget.errors import UnreadableInput
from retarget.flow.arrays import Bytes
from retarget.flow.report import Warn
from retarget.flow.sound import Sound
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import Instant, VideoFrame
from retarget.source.audio import find_sound
from retarget.source.clock import (
    END_TICK,
    Clock,
    about_end_of,
    clock_of,
    end_of,
    ends_early,
    moment,
)
from retarget.source.convert import ToRgb
from retarget.source.decode import decoded, decoded_from
from retarget.source.place import Place, picture_stream
from retarget.source.sample import Span, sampled
from retarget.source.settings import SourceSettings
from retarget.source.timecode import advanced, timecode_of
from retarget.source.timing import in_time


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """The file, opened once more."""

    container: InputContainer
    stream: VideoStream
    clock: Clock
    to_rgb: ToRgb


class VideoFile:
    """Frames of a video, from disk or from afar; see `Source`."""

    def __init__(
        self, place: Place, settings: SourceSettings, background: Bytes, warn: Warn
    ) -> None:
        self.place = place
        self.settings = settings
        self._background = background
        self._warn = warn
        self._start = moment(settings.start)
        self._end = None if settings.end is None else moment(settings.end)
        self.info, self._span = self._looked()

    def frames(self) -> Iterator[VideoFrame]:
        """Every frame of the piece; see `Source.frames`."""
        with self._reading() as reading:
            for index, (frame, stamp, ticks) in enumerate(self._piece(reading)):
                yield self._frame(reading, frame, index, stamp, ticks)

    def sample(self, count: int) -> Iterator[VideoFrame]:
        """Frames spread over the piece; see `Source.sample`."""
        if count < 1:
            raise ValueError(f"a sample of {count} frames cannot be taken")
        return self._sample(count)

    def _sample(self, count: int) -> Iterator[VideoFrame]:
        found = False
        try:
            for frame in self._sought(count):
                found = True
                yield frame
        except av.FFmpegError:  # seeking fails, at least from here on
            pass
        if not found:
            yield from self._counted(count)

    def sound(self) -> Sound | None:
        """The sound of the piece; see `Source.sound`."""
        return find_sound(self.place, self.settings, self._warn)

    @contextmanager
    def _reading(self) -> Iterator[_Reading]:
        with self.place.open() as container:
            stream = picture_stream(container, self.place.name)
            yield _Reading(
                container=container,
                stream=stream,
                clock=clock_of(container, stream),
                to_rgb=ToRgb(
                    self.place.name, aspect=stream.sample_aspect_ratio, background=self._background
                ),
            )

    def _piece(self, reading: _Reading) -> Iterator[tuple[Decoded, int, int]]:
        """Decoded frames between start and end, with repaired stamps and lengths in ticks."""
        clock, name = reading.clock, self.place.name
        frames: Iterator[Decoded]
        if self._start > 0:
            first = math.ceil(self._start / clock.time_base) + clock.zero
            frames = decoded_from(self.place, reading.container, reading.stream, first, self._warn)
        else:
            frames = decoded(self.place, reading.container, reading.stream, self._warn)
        stamped = ((frame, frame.pts, frame.duration or 0) for frame in frames)
        end: int | None = None
        last, within = end_of(reading.stream), int(END_TICK / clock.time_base)
        timed = in_time(stamped, usual=clock.usual, first=clock.zero, end=last, end_within=within)
        for frame, stamp, ticks in timed:
            at, end = clock.seconds(stamp), stamp + ticks
            if self._end is not None and at >= self._end:
                return
            if at >= self._start or self._start == 0:
                yield frame, stamp, ticks
        if end is not None and ends_early(reading.container, reading.stream, end, clock):
            self._warn(f"{name} ends early, after {float(clock.seconds(end)):.1f} s.")

    def _frame(
        self, reading: _Reading, frame: Decoded, index: int, stamp: int, ticks: int
    ) -> VideoFrame:
        clock = reading.clock
        at = Instant(stamp - clock.zero, clock.time_base)
        duration = ticks * clock.time_base
        if self._end is not None:
            duration = min(duration, self._end - at.exact)
        return VideoFrame(rgb=reading.to_rgb(frame), index=index, at=at, duration=duration)

    def _sought(self, count: int) -> Iterator[VideoFrame]:
        """A sample by seeking; empty where the length is unknown."""
        if self._span is None:
            return
        with self._reading() as reading:
            container, stream = reading.container, reading.stream
            found = sampled(self.place, container, stream, self._span, count)
            for frame, stamp, number in found:
                yield self._frame(reading, frame, number, stamp, frame.duration or 0)

    def _counted(self, count: int) -> list[VideoFrame]:
        """A sample by reading everything, for a video of unknown length."""
        kept: list[VideoFrame] = []
        step = 1
        for frame in self.frames():
            if frame.index % step == 0:
                kept.append(frame)
            if len(kept) > count:
                kept, step = kept[::2], step * 2
        return kept

    def _looked(self) -> tuple[SourceInfo, Span | None]:
        """Facts of the video, after decoding a frame, as a file that opens may have no picture."""
        with self._reading() as reading:
            found = next(self._piece(reading), None)
            if found is None:
                raise self._nothing()
            frame, first, _ = found
            height, width = reading.to_rgb(frame).shape[:2]
            span = self._span_of(reading, first)
            whole = self._start == 0 and self._end is None
            length = None if span is None else (span.end - first) * span.time_base
            count = reading.stream.frames if whole else 0
            if not count and length is not None:
                count = max(1, round(length * reading.clock.rate))
            info = SourceInfo(
                name=self.place.name,
                size=(width, height),
                time_base=reading.clock.time_base,
                rate=reading.clock.rate,
                count=count or None,
                duration=length,
                cut=self._start > 0,
                timecode=self._timecode(reading, first),
            )
            return info, span

    def _timecode(self, reading: _Reading, first: int) -> str | None:
        said, clock = timecode_of(reading.container, reading.stream), reading.clock
        left_out = round(clock.seconds(first) * clock.rate) if self._start > 0 else 0
        return None if said is None else advanced(said, left_out, clock.rate)

    def _span_of(self, reading: _Reading, first: int) -> Span | None:
        clock = reading.clock
        end = end_of(reading.stream) or about_end_of(reading.container, reading.stream)
        if self._end is not None:
            cut = math.ceil(self._end / clock.time_base) + clock.zero
            end = cut if end is None else min(end, cut)
        if end is None or end <= first:
            return None
        return Span(first=first, end=end, time_base=clock.time_base, rate=clock.rate)

    def _nothing(self) -> UnreadableInput:
        if self.settings.end is not None:
            return UnreadableInput(
                f"{self.place.name} has no picture from {self.settings.start:g} s to "
                f"{self.settings.end:g} s.",
                do="Give another piece; times count as the video's own clock does.",
            )
        if self._start > 0:
            return UnreadableInput(
                f"{self.place.name} has no picture at {self.settings.start:g} s or later.",
                do="Name an earlier moment.",
            )
        return UnreadableInput(
            f"Not one picture in {self.place.name} could be decoded.",
            do="Download the video first: its server may not let readers go back in it."
            if self.place.remote
            else "Check that it plays, or convert it to .mp4.",
        )
