"""Blinks with human intervals, durations and depths.

Intervals are log-normal (Bentivoglio et al. 1997); closing takes 40 to 47 % less time than opening,
a whole blink 100 to 400 ms, and about half of all blinks are partial (PMC4015796).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from retarget.language import profile
from retarget.language.settings import BlinkSettings

_INTERVAL_SPREAD = 0.7  # standard deviation of the intervals' logarithm
_SHORTEST_INTERVAL = 0.4  # seconds between two blinks
_CLOSING_SHARE = 1 - 0.435  # closing against opening: the middle of 40 to 47 % less


@dataclass(frozen=True, slots=True, kw_only=True)
class Blink:
    """One blink; times in seconds."""

    start: float
    closing: float
    closed: float
    opening: float
    height: float
    """1 closes the eye; a partial blink has less."""

    @property
    def end(self) -> float:
        """When the eye is open again, in seconds."""
        return self.start + self.closing + self.closed + self.opening

    def at(self, seconds: float) -> float:
        """How far the lids are down, 0..1."""
        since = seconds - self.start
        if since <= 0.0 or seconds >= self.end:
            return 0.0
        if since < self.closing:
            return self.height * profile.onset(since / self.closing)
        since -= self.closing + self.closed
        return self.height * (profile.offset(since / self.opening) if since > 0.0 else 1.0)


def plan(
    duration: float, settings: BlinkSettings, busy: Sequence[tuple[float, float]] = ()
) -> tuple[Blink, ...]:
    """The blinks of a clip.

    Args:
        duration: seconds.
        settings: rate, seed and share of partial blinks.
        busy: spans in seconds in which no blink may lie.
    """
    if not settings.blinks or settings.per_minute <= 0:
        return ()
    chance = random.Random(settings.seed)  # noqa: S311 - reproducible, not secret
    mean = 60.0 / settings.per_minute
    middle = math.log(mean) - _INTERVAL_SPREAD**2 / 2
    out: list[Blink] = []
    # The clip is a piece of a longer watch, so its first interval is already partly over.
    start = chance.random() * chance.lognormvariate(middle, _INTERVAL_SPREAD)
    while start < duration:
        blink = _blink(start, settings, chance)
        if blink.end < duration and not any(a < blink.end and blink.start < b for a, b in busy):
            out.append(blink)
        start = blink.end + max(
            _SHORTEST_INTERVAL,
            chance.lognormvariate(middle, _INTERVAL_SPREAD) - (blink.end - blink.start),
        )
    return tuple(out)


def _blink(start: float, settings: BlinkSettings, chance: random.Random) -> Blink:
    closing = min(max(chance.gauss(0.085, 0.015), 0.055), 0.115)
    closed = chance.uniform(0.015, 0.06)
    partial = chance.random() < settings.partial
    depth = chance.uniform(0.45, 0.85)
    return Blink(
        start=round(start, 4),
        closing=round(closing, 4),
        closed=round(closed, 4),
        opening=round(closing / _CLOSING_SHARE, 4),
        height=round(depth, 4) if partial else 1.0,
    )
