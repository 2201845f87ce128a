"""A few frames spread over a piece, for less than decoding all of it.

The piece is cut into as many windows as frames are wanted. A window with a keyframe gives that one,
for one seek and one decoded frame. The others are reached by decoding from the keyframe before,
without frames that no other frame needs. So a long clip costs about one frame per window, and a
short one at most its reference frames.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from av.container import InputContainer
from av.video.frame import VideoFrame as Decoded
from av.video.stream import VideoStream

from retarget.flow.report import unheard
from retarget.source.clock import says_when_shown
from retarget.source.decode import decoded
from retarget.source.place import Place

_WORTH_SEEKING = 2  # seconds between frames above which a seek without an index is tried


@dataclass(frozen=True, kw_only=True)
class Span:
    """The piece to sample, in the stream's ticks."""

    first: int
    """Stamp of the first frame."""
    end: int
    """Just after the last one, as far as it is known."""
    time_base: Fraction
    rate: Fraction
    """Frames per second, where the file has no index to count in."""


class Index:
    """A file's index, if it has one."""

    def __init__(self, stream: VideoStream, span: Span) -> None:
        entries = list(stream.index_entries)
        # The index holds decoding times. They are the presentation times, shifted by the decoder's
        # delay, so that counting in them counts frames in presentation order.
        self._stamps = sorted(e.timestamp for e in entries)
        self._complete = 0 < (stream.frames or 0) <= len(entries)
        self._span = span
        late = span.first - self._stamps[0] if self._complete and self._stamps else 0
        self.keys = sorted(e.timestamp + late for e in entries if e.is_keyframe)
        """Stamps of the keyframes that can be sought."""

    def number(self, stamp: int) -> int:
        """How many frames of the piece are shown before the one at `stamp`."""
        span = self._span
        if self._complete and stamp <= self._stamps[-1]:
            return bisect_left(self._stamps, stamp) - bisect_left(self._stamps, span.first)
        return round((stamp - span.first) * span.time_base * span.rate)


def sampled(
    place: Place, container: InputContainer, stream: VideoStream, span: Span, count: int
) -> Iterator[tuple[Decoded, int, int]]:
    """At most `count` frames of `span` in order, each with its stamp and number.

    A frame without a stamp ends the sample early, as its place is unknown. There are no warnings of
    damage, as a server that refuses a seek looks like it.

    Raises:
        av.FFmpegError: the file cannot be sought in.
    """
    index = Index(stream, span)
    if says_when_shown(container):  # else a frame's time depends on all frames decoded before it
        stream.codec_context.skip_frame = "NONREF"
    frames: Iterator[Decoded] = iter(())
    at: int | None = None
    for low, high in _windows(span, count):
        middle = (low + high) // 2
        key, aim = _key(index.keys, low, middle, high, span.time_base)
        if at is None or (key is not None and key > at):
            container.seek(span.first if key is None else key, stream=stream)
            frames = decoded(place, container, stream, unheard)
        if at is not None and at >= aim:
            continue
        frame = next((f for f in frames if f.pts is None or f.pts >= aim), None)
        if frame is None or frame.pts is None or frame.pts >= span.end:
            return
        at = frame.pts
        yield frame, at, index.number(at)


def _windows(span: Span, count: int) -> list[tuple[int, int]]:
    edges = [span.first + (span.end - span.first) * i // count for i in range(count + 1)]
    return list(pairwise(edges))


def _key(
    keys: list[int], low: int, middle: int, high: int, time_base: Fraction
) -> tuple[int | None, int]:
    """The stamp to seek to (None: read on), and the earliest stamp of a usable frame."""
    if len(keys) < 2:  # no index, or one that knows the beginning only
        return (middle, low) if (high - low) * time_base >= _WORTH_SEEKING else (None, middle)
    inside = keys[bisect_left(keys, low) : bisect_left(keys, high)]
    if inside:
        key = min(inside, key=lambda k: abs(k - middle))
        return key, key
    return keys[max(0, bisect_right(keys, middle) - 1)], middle
