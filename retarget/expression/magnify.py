"""Make a driving face's small movements larger, and leave its large ones as they are.

A movement is the difference of a value from its level, the median of half a second on each side. So
expressions of less than half a second are movements, and moods are not. Remaining noise is
magnified as well: high gains need a sharp, well-lit video.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from retarget.expression.settings import MagnifySettings
from retarget.expression.signal import PARTS, Shot, Signal, shot_by_shot, split
from retarget.flow.arrays import Doubles, Reals
from retarget.flow.values import ExpressedFrame

_REACH = 0.5
"""Seconds on each side whose median is the level."""
_SIZES = {"weights": 1.0, "aperture": 1.0, "lip_gap": 0.15, "detail": 0.06}
"""The size of each part that corresponds to a weight of 1."""


class Magnify:
    """Magnifies small movements of weights, lids, lips and shape, in each shot separately."""

    name = "magnify"

    def __init__(self, settings: MagnifySettings) -> None:
        self.settings = settings

    def __call__(self, frames: Iterator[ExpressedFrame]) -> Iterator[ExpressedFrame]:
        """Every frame once, in order; those without an expression pass unchanged."""
        if self.settings.gain == 1.0:
            yield from frames
            return
        yield from shot_by_shot(frames, lambda: _Shot(self.settings))


class _Shot(Shot):
    """Magnifies the frames from a cut or a loss to the next."""

    def __init__(self, settings: MagnifySettings) -> None:
        super().__init__(_REACH)
        self.settings = settings
        self.near: deque[tuple[float, Doubles]] = deque()

    def seen(self, signal: Signal) -> None:
        """See `Shot.seen`."""
        self.near.append((signal.seconds, signal.values))

    def changed(self, now: Signal) -> ExpressedFrame:
        """See `Shot.changed`."""
        while now.seconds - self.near[0][0] > _REACH:
            self.near.popleft()
        values = np.array([v for at, v in self.near if at - now.seconds <= _REACH])
        out = now.values.copy()
        for part, size in _SIZES.items():
            at = PARTS.at[part]
            level = np.median(values[:, at], axis=0)
            moved = now.values[at] - level
            out[at] = level + magnified(moved, self.settings.gain, self.settings.knee * size)
        return split(now, out)


def magnified(value: Reals, gain: float, knee: float) -> Doubles:
    """Small movements multiplied by `gain`, large ones left as they are.

    With u = |value| / knee below 1 this is knee · (1 - (1 - u)^gain): slope `gain` at 0, never
    falling, and the value itself from the knee on.

    Args:
        value: movements of either sign.
        gain: at least 1.
        knee: size from which a movement counts as large.
    """
    size = np.abs(np.asarray(value, np.float64))
    lifted = knee * (1.0 - (1.0 - np.minimum(size / knee, 1.0)) ** gain)
    return np.asarray(np.sign(value) * np.where(size < knee, lifted, size))
