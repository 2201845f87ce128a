"""Repair time stamps so that they rise.

A stamp that is missing, or not later than the one before it, is put midway between its neighbours
if the next one is usable, else one frame's duration after the one before. All others stay
unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TypeVar

T = TypeVar("T")
_NEAR = 10  # usual frames


def in_time(
    frames: Iterator[tuple[T, int | None, int]],
    *,
    usual: int,
    first: int = 0,
    end: int | None = None,
    end_within: int = 0,
) -> Iterator[tuple[T, int, int]]:
    """Give every frame a rising stamp, and the ticks until the next frame.

    Args:
        frames: each with its stamp (None: missing) and its own length (0: unknown), in ticks.
        usual: ticks of a frame of unknown duration, at least 1.
        first: the stamp of the first frame where it has none.
        end: the end of the last frame, if known.
        end_within: ticks by which `end` may be rounded.

    Yields:
        The frame, its stamp and the ticks until the next one. The last one lasts to `end` where
        that is near and not its own end rounded, else for its own length.
    """
    held: tuple[T, int | None, int] | None = None
    before: int | None = None  # the stamp of the frame before the held one
    last = usual
    for frame in chain(frames, [None]):
        if held is not None:
            value, stamp, length = held
            following = None if frame is None else frame[1]
            at = _risen(stamp, before, following, last, first)
            ticks = length or last
            if following is not None and following > at:
                ticks = following - at
            elif frame is None and end is not None and 0 < end - at <= max(ticks, _NEAR * usual):
                ticks = ticks if length and abs(end - at - length) <= end_within else end - at
            yield value, at, ticks
            before, last = at, length or last
        held = frame


def _risen(
    stamp: int | None, before: int | None, following: int | None, usual: int, first: int
) -> int:
    if before is None:
        return first if stamp is None else stamp
    if stamp is not None and stamp > before:
        return stamp
    if following is not None and following > before:
        return max(before + 1, (before + following) // 2)
    return before + max(1, usual)
