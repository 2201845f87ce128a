"""Notice a cut to another shot, and tell it from a flash or a quick movement.

A cut changes both what the picture shows (the pattern of a tiny grey copy) and what it is made of
(its colours). A quick movement or a pan keeps the colours; a flash or a fade keeps the pattern, or
goes away again, so a picture like one of the last few is never a cut.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from retarget.face.region import Picture

_SIDE = 24
_BINS = 6
_RECENT = 4
_ALIKE = 0.5
"""Pattern correlation above which two pictures show the same."""
_SAME_COLOURS = 0.55
"""Share of common colours above which two pictures are made of the same."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Glance:
    """A picture in a few numbers."""

    pattern: npt.NDArray[np.float32]
    """(24 * 24,) grey values, mean 0 and length 1; all 0 for an even picture."""
    colours: npt.NDArray[np.float32]
    """(6 * 6 * 6,) share of pixels by red, green and blue; sum 1."""

    def alike(self, other: Glance) -> float:
        """Correlation of the patterns, -1..1."""
        return float(self.pattern @ other.pattern)

    def shared(self, other: Glance) -> float:
        """Share of common colours, 0..1."""
        return float(np.minimum(self.colours, other.colours).sum())


def glance(rgb: Picture) -> Glance:
    """Reduce a picture of any size to a few numbers, at the same small cost."""
    step = max(1, min(rgb.shape[:2]) // 72)
    few = np.ascontiguousarray(rgb[step // 2 :: step, step // 2 :: step])
    small = cv2.resize(few, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32).ravel()
    grey -= grey.mean()
    length = float(np.linalg.norm(grey))
    bins = (few.reshape(-1, 3).astype(np.uint16) * _BINS) >> 8
    flat = (bins[:, 0] * _BINS + bins[:, 1]) * _BINS + bins[:, 2]
    count = np.bincount(flat, minlength=_BINS**3).astype(np.float32)
    return Glance(
        pattern=grey / length if length > 2 * _SIDE else np.zeros_like(grey),
        colours=count / count.sum(),
    )


class Shots:
    """Watch one video for cuts."""

    def __init__(self) -> None:
        self._recent: deque[Glance] = deque(maxlen=_RECENT)

    def changed(self, rgb: Picture) -> bool:
        """True on a frame that begins another shot."""
        now = glance(rgb)
        new = bool(self._recent) and not any(_same_shot(now, old) for old in self._recent)
        if new:
            self._recent.clear()
        self._recent.append(now)
        return new


def _same_shot(one: Glance, two: Glance) -> bool:
    return one.alike(two) > _ALIKE or one.shared(two) > _SAME_COLOURS
