"""Bounded least squares over 52 weights, fast enough to do for every frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class BoxSolver:
    """min ½ bᵀHb − gᵀb with low ≤ b ≤ high, for one H and many g.

    Accelerated projected gradient (FISTA: Beck & Teboulle, SIAM J. Imaging Sciences 2(1), 2009)
    with restarts (O'Donoghue & Candès 2015), on variables scaled to a unit diagonal.
    """

    def __init__(self, gram: Floats, low: Floats, high: Floats, rounds: int = 60) -> None:
        self.unit = 1.0 / np.sqrt(np.diag(gram))
        self.gram = gram * np.outer(self.unit, self.unit)
        self.low, self.high = low / self.unit, high / self.unit
        self.step = 1.0 / float(np.linalg.eigvalsh(self.gram)[-1])
        self.rounds = rounds

    def __call__(self, gain: Floats, start: Floats) -> Floats:
        """The best weights for one `gain` (g), starting from a guess."""
        goal = gain * self.unit * self.step
        turn = self.gram * self.step
        now = ahead = np.clip(start / self.unit, self.low, self.high)
        pace = 1.0
        for _ in range(self.rounds):
            new = np.minimum(np.maximum(ahead - turn @ ahead + goal, self.low), self.high)
            if (ahead - new) @ (new - now) > 0.0:  # overshot: begin anew from here
                pace = 1.0
            faster = 0.5 * (1.0 + (1.0 + 4.0 * pace * pace) ** 0.5)
            ahead = new + ((pace - 1.0) / faster) * (new - now)
            now, pace = new, faster
        return now * self.unit
