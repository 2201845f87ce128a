"""A video from its end to its beginning, read piece by piece."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction

from retarget.errors import UnreadableInput
from retarget.flow.values import VideoFrame
from retarget.source.open import open_source
from retarget.source.settings import SourceSettings

_PIECE_BYTES = 32_000_000
"""Bytes of pictures in a piece, which is decoded forwards and kept in memory."""


@dataclass(kw_only=True)
class Passed:
    """Facts of a video, collected while its frames are read."""

    size: tuple[int, int] = (0, 0)
    first: Fraction = Fraction(0)
    """Second of its first frame."""
    last: Fraction = Fraction(0)
    """Second of its last frame."""
    count: int = 0

    def watch(self, frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        """Pass the frames on, and note them."""
        self.count = 0
        for frame in frames:
            self.size, self.last = frame.size, frame.at.exact
            self.first = self.first if self.count else frame.at.exact
            self.count += 1
            yield frame


def backwards(spec: str, settings: SourceSettings, passed: Passed) -> Iterator[VideoFrame]:
    """The frames between the last one and the first one, later ones first, without these two."""
    width, height = passed.size
    most = max(1, _PIECE_BYTES // max(3 * width * height, 1))
    for start, end in reversed(_pieces(settings, passed, most)):
        # With uneven times a piece may hold more frames. Memory stays bounded; a few missing frames
        # are not noticed among so many in so short a time.
        kept: deque[VideoFrame] = deque(maxlen=2 * most)
        with (
            suppress(UnreadableInput),  # a piece of a second in which no frame begins
            open_source(spec, replace(settings, start=start, end=end)) as piece,
        ):
            kept.extend(f for f in piece.frames() if passed.first < f.at.exact < passed.last)
        while kept:
            yield kept.pop()


def _pieces(
    settings: SourceSettings, passed: Passed, most: int
) -> list[tuple[float, float | None]]:
    """Start and end of each piece, in order, with about `most` frames in each."""
    count = -(-passed.count // most)
    length = passed.last - passed.first
    inner = {round(float(passed.first + length * k / count), 3) for k in range(1, count)}
    starts = [settings.start, *sorted(t for t in inner if t > settings.start)]
    ends: list[float | None] = [*starts[1:], settings.end]
    return list(zip(starts, ends, strict=True))
