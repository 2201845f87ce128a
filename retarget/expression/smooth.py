"""Take the tremble out of weights, pose and detail, and leave quick movements whole.

Landmarks shiver even on a still face. Around each moment a parabola is fitted to the frames in
reach, by their true times (Savitzky & Golay, Analytical Chemistry 36(8), 1964). Where the frames
stray from it no more than tremble does, the parabola is taken; where they stray more, something
really moves and the measured value is kept (the local-statistics filter of Lee, IEEE TPAMI 2(2),
1980). How much a value trembles is learned from its own small steps as it comes.

For files the reach lies on both sides, so nothing comes late; live it lies in the past, and a
level takes the parabola's place.
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
"""A value that strays by more than this many trembles is moving; by twice as much, wholly so."""
_LEARN = 0.1
"""How fast the tremble is learned, per frame."""
_LEAST, _MOST = 0.2, 2.0
"""What the learned tremble may be, as a multiple of the usual one."""


_DIGITS = 9
"""Of seconds: frames of one rate are as far apart everywhere, but for what rounding leaves."""


class Smooth:
    """Calms expression and pose over time; a cut or a loss begins anew."""

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
    """Calms the frames from a cut or a loss to the next."""

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
        """From how far the middle one of three frames lies off its neighbors' mean.

        Three independent trembles make 1.5 times the variance of one. Large steps are movements
        and only count as the largest tremble would.
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
    """(n, n) the matrix that takes values at these seconds to the curve through them."""
    seconds = np.array(times)
    order = 0 if live else min(2, len(seconds) - 3)
    powers = (seconds - seconds.mean())[:, None] ** np.arange(order + 1)
    powers = powers / np.maximum(np.abs(powers).max(axis=0), 1e-12)
    return np.asarray(powers @ np.linalg.pinv(powers))
