"""From a displaced mesh to blendshape weights."""

from __future__ import annotations

from functools import cache

import numpy as np

from retarget.expression.settings import FitSettings
from retarget.expression.solve import BoxSolver
from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Doubles, Floats
from retarget.flow.face_model import FaceModel
from retarget.flow.values import Expression

_OTHER, _LIPS, _EYES, _BROWS, _IRIS = 0.1, 1.0, 1.5, 1.0, 0.0
DEPTH = 0.25
"""Trust in z relative to x and y: the tracker's depth is inaccurate."""
_SLACK, _SQUINT, _MEASURED_LIDS, _MEASURED_GAZE = 0.02, 0.01, 0.05, 10.0
"""Strength of the pull towards the prior, in squared head units summed over points: of most
weights; of squints, which move few points; of blink and wide, whose aperture was measured; of gaze,
which the points do not show."""

_ROUNDS, _SMALL, _SMALL_COSTS = 2, 0.1, 2.0
"""Rounds of reweighting, the size of a small weight, and the factor of its cost."""


@cache
def point_trust() -> Doubles:
    """(478, 3) how much each coordinate of each point counts."""
    trust = np.full((landmarks.COUNT, 3), _OTHER)
    groups = (
        (_LIPS, landmarks.LIPS_OUTER_UPPER, landmarks.LIPS_OUTER_LOWER),
        (_LIPS, landmarks.LIPS_INNER_UPPER, landmarks.LIPS_INNER_LOWER),
        (_EYES, landmarks.LEFT_EYE_UPPER, landmarks.LEFT_EYE_LOWER),
        (_EYES, landmarks.RIGHT_EYE_UPPER, landmarks.RIGHT_EYE_LOWER),
        (_BROWS, landmarks.LEFT_BROW, landmarks.RIGHT_BROW),
        (_IRIS, landmarks.LEFT_IRIS, landmarks.RIGHT_IRIS),
    )
    for weight, *rows in groups:
        trust[[i for row in rows for i in row]] = weight
    trust[:, 2] *= DEPTH
    return trust


def upper_bounds() -> Doubles:
    """(52,) the largest value of each weight: 1, but 0 of the tongue, on which no point lies."""
    most = np.ones(blendshapes.COUNT)
    most[blendshapes.index("tongueOut")] = 0.0
    return most


def _places(*starts: str) -> list[int]:
    return [i for i, name in enumerate(blendshapes.NAMES) if name.startswith(starts)]


_GAZE, _LIDS = _places("eyeLook"), _places("eyeBlink", "eyeWide")
_SQUINTS = _places("eyeSquint", "cheekSquint")
_OTHERS = [i for i in range(blendshapes.COUNT) if i not in {*_GAZE, *_LIDS}]

_SPREAD = [i for i in _OTHERS if i not in _SQUINTS]


class WeightReader:
    """Solves for the weights whose mesh comes nearest to a measured displacement.

    Plain ridge regression spreads a movement over all similar shapes. So the problem is solved
    again with less cost on large weights and more on small ones, which approximates a solution with
    few shapes (Candès, Wakin & Boyd, "Enhancing sparsity by reweighted l1
    minimization", J. Fourier Analysis and Applications 14, 2008).
    """

    def __init__(self, model: FaceModel, settings: FitSettings) -> None:
        basis = model.basis.reshape(blendshapes.COUNT, -1).astype(np.float64)
        self._pull = basis * point_trust().ravel()
        self._hold = np.full(blendshapes.COUNT, _SLACK * settings.pull + 1e-6)
        self._hold[_SQUINTS] = _SQUINT * settings.pull + 1e-6
        self._hold[_LIDS], self._hold[_GAZE] = _MEASURED_LIDS, _MEASURED_GAZE
        self._solve = BoxSolver(self._pull @ basis.T, np.zeros(blendshapes.COUNT), upper_bounds())
        self._use_scores = settings.prior == "scores"

    def __call__(
        self,
        moved: Doubles,
        lean: Doubles,
        scores: Floats | None = None,
        before: Expression | None = None,
    ) -> Doubles:
        """(52,) weights for a (478, 3) displacement.

        Args:
            moved: the displacement, in head units.
            lean: (52,) the prior.
            scores: (52,) MediaPipe's scores, the prior where `FitSettings.prior` is `scores`.
            before: the expression in the frame before, from which the search starts.
        """
        told = self._use_scores and scores is not None
        if told and scores is not None:
            lean = lean.copy()
            lean[_OTHERS] = scores[_OTHERS]
        pulled = self._pull @ moved.ravel()
        hold = self._hold
        start = lean if before is None else before.weights.astype(np.float64)
        found = self._solve(pulled + hold * lean, start, hold)
        for _ in range(0 if told else _ROUNDS):
            hold = self._hold.copy()
            hold[_SPREAD] *= _SMALL_COSTS * _SMALL / (found[_SPREAD] + _SMALL)
            found = self._solve(pulled + hold * lean, found, hold)
        return found
