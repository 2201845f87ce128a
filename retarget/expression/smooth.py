"""Smooth weights, pose and detail, and keep quick movements.

Landmarks are noisy even on a still face. Around each moment a parabola is fitted to the frames in
reach, by their true times (Savitzky & Golay, Analytical Chemistry 36(8), 1964). Where the frames
differ from it by no more than noise, its value is used; where they differ more, the face moves and
the measured value is kept (the local-statistics filter of Lee, IEEE TPAMI 2(2), 1980). The noise of
each value is estimated from its small steps.

For files the reach lies on both sides, without delay; live it lies in the past, and a constant
takes the parabola's place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from retarget.expression.settings import SmoothSettings
from retarget.expression.signal import PARTS, SAME_TIME, Shot, Signal, shot_by_shot, split
from retarget.flow.arrays import Doubles
from retarget.flow.values import ExpressedFrame

_STRAY = 3.0
"""Standard deviations of noise from which a value is kept in part, and at twice as many wholly."""
_LEARN = 0.1
"""Weight of each new frame in the estimate of the noise."""
_LEAST, _MOST = 0.2, 2.0
"""Limits of the estimated noise, as multiples of the usual one."""


_DIGITS = 9
"""Digits to which times are rounded, so that equal spacings are equal floats."""


class Smooth:
    """Smooths expression and pose over time, in each shot separately."""

    name = "smooth"

    def __init__(self, settings: SmoothSettings) -> None:
        self.settings = settings

    def __call__(self, frames: Iterator[ExpressedFrame]) -> Iterator[ExpressedFrame]:
        """Every frame once, in order; those without an expression pass unchanged."""
        if self.settings.reach == 0.0 or self.settings.strength == 0.0:
            yield from frames
            return
        yield from shot_by_shot(frames, lambda: _Shot(self.settings))


class _Shot(Shot):
    """Smooths the frames from a cut or a loss to the next."""

    def __init__(self, settings: SmoothSettings) -> None:
        super().__init__((0.0 if settings.live else settings.reach) - SAME_TIME)
        self.settings = settings
        self.window: deque[Signal] = deque()
        self.tremble = PARTS.tremble.copy()

    def seen(self, signal: Signal) -> None:
        """See `Shot.seen`."""
        self.window.append(signal)
        if len(self.window) > 2:
            self._learn_tremble()

    def _learn_tremble(self) -> None:
        """Update the noise from the distance of a frame to its neighbours' mean.

        The noise of three frames makes 1.5 times the variance of one. Large steps are movements and
        are limited to the largest noise.
        """
        a, b, c = (self.window[i].values for i in (-3, -2, -1))
        step = (b - (a + c) / 2) ** 2 / 1.5
        usual = self.tremble**2
        grown = usual + _LEARN * (np.minimum(step, _STRAY * usual) - usual)
        low, high = _LEAST * PARTS.tremble, _MOST * PARTS.tremble
        self.tremble = np.clip(np.sqrt(grown), low, high)

    def changed(self, now: Signal) -> ExpressedFrame:
        """See `Shot.changed`."""
        reach = self.settings.reach + SAME_TIME
        while now.seconds - self.window[0].seconds > reach:
            self.window.popleft()
        near = [s for s in self.window if s.seconds - now.seconds <= reach]
        if self.settings.live:
            near = [s for s in near if s.seconds <= now.seconds]
        place = next(i for i, s in enumerate(near) if s is now)
        self.window[self.window.index(now)] = now.past()
        if len(near) < 3:
            return now.frame
        return split(now, self._calmed(near, place))

    def _calmed(self, near: list[Signal], place: int) -> Doubles:
        values = np.array([s.values for s in near])
        since = near[0].seconds
        times = tuple(round(s.seconds - since, _DIGITS) for s in near)
        smooth = _curve(times, live=self.settings.live) @ values
        stray = PARTS.together(((values - smooth) ** 2).max(axis=0))
        usual = PARTS.together((_STRAY * self.settings.strength * self.tremble) ** 2)
        keep = np.clip(stray / np.maximum(usual, 1e-18) - 1.0, 0.0, 1.0)
        return np.asarray(smooth[place] + keep * (values[place] - smooth[place]))


@lru_cache(maxsize=64)
def _curve(times: tuple[float, ...], *, live: bool) -> Doubles:
    """(n, n) the matrix from values at these seconds to those of the fitted curve."""
    seconds = np.array(times)
    order = 0 if live else min(2, len(seconds) - 3)
    powers = (seconds - seconds.mean())[:, None] ** np.arange(order + 1)
    powers = powers / np.maximum(np.abs(powers).max(axis=0), 1e-12)
    return np.asarray(powers @ np.linalg.pinv(powers))
