"""Timecodes `hh:mm:ss:ff.fff` of the Live Link Face app."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

RATE = 60
"""Timecode frames per second: the app's default, and what is written here."""
TICK = Fraction(1, 60_000)
"""Seconds of a thousandth of a timecode frame, the resolution of the layout."""
_RATES = (24, 25, 30, 48, 50, 60, 90, 100, 120, 240)
_DROPPED = 4
"""The most numbers that drop-frame timecode leaves out where a second turns."""
DAY = 24 * 3600


def timecode(seconds: Fraction) -> str:
    """`hh:mm:ss:ff.fff` at 60 timecode frames per second, to the nearest thousandth frame."""
    ticks = round(max(seconds, Fraction(0)) / TICK)
    whole, frame = divmod(ticks, RATE * 1000)
    hours, minutes, rest = whole // 3600 % 24, whole // 60 % 60, whole % 60
    return f"{hours:02d}:{minutes:02d}:{rest:02d}:{frame // 1000:02d}.{frame % 1000:03d}"


def counting_rate(times: Sequence[tuple[int, float]], latest: int) -> int:
    """Timecode frames per second of a file, estimated, as no field holds it.

    Args:
        times: (second of the day, timecode frame) of rows in order; rows may have been taken out.
        latest: the largest timecode frame of all rows.
    """
    following = list(pairwise(times))
    steps = [b - a for (second, a), (then, b) in following if then == second]
    turns = [a - b for (second, a), (then, b) in following if then - second in (1, 1 - DAY)]
    usable = [rate for rate in _RATES if rate > latest] or [latest + 1]
    if not steps or not turns:
        return min(usable, key=lambda rate: abs(rate - RATE))
    # A second has as many frames as its last row counts, and one step more.
    step = float(np.median(steps))
    counted = float(np.median(turns)) + step
    nearest = min(usable, key=lambda rate: abs(rate - counted))
    if abs(nearest - counted) > step + _DROPPED:  # rows are missing where the second turns
        return min(usable, key=lambda rate: abs(rate - RATE))
    return nearest
