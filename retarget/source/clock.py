"""The clock of a file's streams."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from av.container import InputContainer
from av.video.stream import VideoStream

END_TICK = Fraction(1, 600)
"""Seconds to which files round the end of a stream: QuickTime's tick of a whole film; FFmpeg's is
1/1000."""
_BROADCAST_CLOCK = 0x0200  # AVFMT_TS_DISCONT: counts from anywhere, so its zero means nothing
_FEW = 5  # frames; files are often wrong about their length by one or two
_LONGER = 10  # seconds that sound may well go on after the pictures
_CONTAINER_TICKS = 1_000_000  # a second, where FFmpeg speaks of a whole container
_FINEST = 1_000_000  # ticks a second of the finest clock that files keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The clock of one stream of pictures."""

    time_base: Fraction
    """Seconds per tick."""
    zero: int
    """The tick of second 0: 0, unless the format's clock starts anywhere."""
    rate: Fraction
    """Frames per second: the nominal rate where the average agrees with it, else the average."""

    @property
    def usual(self) -> int:
        """Ticks of a frame of unknown duration."""
        return max(1, round(1 / (self.rate * self.time_base)))

    def seconds(self, stamp: int) -> Fraction:
        """The time of a stamp."""
        return (stamp - self.zero) * self.time_base


def moment(seconds: float) -> Fraction:
    """The exact decimal: 0.8 is eight tenths, not the nearest binary number.

    A frame's time that was rounded to a float, such as 1/3, becomes the exact fraction again.
    """
    return Fraction(str(seconds)).limit_denominator(_FINEST)


def clock_of(container: InputContainer, stream: VideoStream) -> Clock:
    """The clock of `stream`."""
    time_base = stream.time_base or Fraction(1, 90_000)
    average, nominal = stream.average_rate, stream.guessed_rate
    rate = average or nominal or Fraction(25)
    if nominal and abs(rate - nominal) < nominal / 500:
        rate = nominal
    return Clock(
        time_base=time_base, zero=round(zero_of(container) / time_base), rate=Fraction(rate)
    )


def zero_of(container: InputContainer) -> Fraction:
    """The container's time, in seconds, of second 0."""
    if not int(container.format.flags) & _BROADCAST_CLOCK:
        return Fraction(0)
    begun = [
        stream.start_time * stream.time_base
        for stream in (*container.streams.video, *container.streams.audio)
        if stream.start_time is not None and stream.time_base
    ]
    return min(begun) if begun else _first_stamp(container)


def _first_stamp(container: InputContainer) -> Fraction:
    """The first stamp, for files that have no start time; rewinds the file."""
    stamped = (p.pts * p.time_base for p in container.demux() if p.pts is not None)
    first = next(stamped, Fraction(0))
    container.seek(0)
    return first


def says_when_shown(container: InputContainer) -> bool:
    """Whether the file has presentation times: an .avi only numbers frames in decoding order."""
    return container.format.name != "avi"


def end_of(stream: VideoStream) -> int | None:
    """The end of the last frame in ticks; None where the file does not state it for this stream."""
    return (stream.start_time or 0) + stream.duration if stream.duration else None


def about_end_of(container: InputContainer, stream: VideoStream) -> int | None:
    """The end of the whole file in ticks; None where it does not state it."""
    if not container.duration or not stream.time_base:
        return None
    end = Fraction((container.start_time or 0) + container.duration, _CONTAINER_TICKS)
    return round(end / stream.time_base)


def ends_early(container: InputContainer, stream: VideoStream, end: int, clock: Clock) -> bool:
    """Whether frames that the file announces are missing after `end`."""
    slack = max(_FEW * clock.usual, (stream.duration or 0) // 50)
    announced = end_of(stream) or _tagged_end_of(stream)
    if not says_when_shown(container):  # of an .avi cut short, FFmpeg measures what is left
        announced = max(announced or 0, stream.frames * clock.usual) or None
    everything = about_end_of(container, stream)
    if announced is None and everything is not None:
        announced, slack = everything, max(slack, round(_LONGER / clock.time_base), everything // 5)
    return announced is not None and announced - end > slack


def _tagged_end_of(stream: VideoStream) -> int | None:
    """The end of one stream by its tag in Matroska, in ticks."""
    said = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if said is None or not stream.time_base:
        return None
    seconds = int(said[1]) * 3600 + int(said[2]) * 60 + Fraction(said[3])
    return round(seconds / stream.time_base)
