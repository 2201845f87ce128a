"""Bounded least squares over 52 weights, fast enough for every frame."""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow.arrays import Doubles, Ints

_LOW, _FREE, _HIGH = -1, 0, 1
_TOLERANCE = 1e-9


class BoxSolver:
    """min ½ bᵀHb − gᵀb with low ≤ b ≤ high, for one H and many g, exactly.

    Block principal pivoting (Júdice & Pires, Computers & Operations Research 21(5), 1994): guess
    which weights lie on a bound, solve for the others, move every weight whose guess was wrong.
    Where that begins to go in circles only one is moved at a time, which always ends.
    """

    def __init__(self, gram: Doubles, low: Doubles, high: Doubles) -> None:
        self.gram, self.low, self.high = gram, low, high

    def __call__(self, gain: Doubles, start: Doubles, hold: Doubles | None = None) -> Doubles:
        """The best weights for one `gain` (g).

        Args:
            gain: (n,) g.
            start: (n,) a guess; a nearer one is faster.
            hold: (n,) added to the diagonal of H in this call.
        """
        gram = self.gram if hold is None else self.gram + np.diag(hold)
        place = np.where(start <= self.low, _LOW, np.where(start >= self.high, _HIGH, _FREE))
        fewest, patience = len(gain) + 1, 3
        for _ in range(10 * len(gain)):
            found, slope = self._at(gram, place, gain)
            below = (place == _FREE) & (found < self.low - _TOLERANCE)
            above = (place == _FREE) & (found > self.high + _TOLERANCE)
            freed = ((place == _LOW) & (slope < -_TOLERANCE)) | (
                (place == _HIGH) & (slope > _TOLERANCE)
            )
            wrong = np.flatnonzero(below | above | freed)
            if wrong.size == 0:
                break
            if wrong.size < fewest:
                fewest, patience = wrong.size, 3
            elif patience > 0:
                patience -= 1
            else:
                wrong = wrong[-1:]
            place[wrong] = np.where(below, _LOW, np.where(above, _HIGH, _FREE))[wrong]
        return np.clip(found, self.low, self.high)

    def _at(self, gram: Doubles, place: Ints, gain: Doubles) -> tuple[Doubles, Doubles]:
        """The weights with those on a bound held there, and the slope of the cost at them."""
        found = np.where(place == _HIGH, self.high, self.low)
        free = np.flatnonzero(place == _FREE)
        if free.size:
            found[free] = 0.0
            pushed = gain[free] - gram[free] @ found
            # As fast as scipy's, which would be a tenth of a short clip's start to import.
            column = pushed[:, None]  # OpenCV 5 takes no vector for one
            square = gram[free[:, None], free]
            solved = cv2.solve(square, column, flags=cv2.DECOMP_CHOLESKY)[1]
            found[free] = solved[:, 0]
        return found, gram @ found - gain
