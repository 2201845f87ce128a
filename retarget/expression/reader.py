"""From a mesh to weights, given what the face looks like at rest."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from retarget.expression.solve import BoxSolver
from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import FaceModel, face_model

Floats = npt.NDArray[np.float64]

DEPTH_TRUST = 0.25
"""The tracker's depth is a guess next to what it sees in the picture."""
_OTHER, _LIPS, _EYES, _BROWS, _IRIS = 0.3, 1.0, 1.5, 1.0, 0.0
_RIDGE = 0.01


@cache
def point_trust() -> Floats:
    """(478, 3) how much each coordinate of each point says about the expression."""
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
    trust[:, 2] *= DEPTH_TRUST
    return trust


class WeightReader:
    """Solves for the weights whose mesh comes nearest to a measured displacement."""

    def __init__(self, pull: float, model: FaceModel | None = None) -> None:
        model = model or face_model()
        self.basis = model.basis.reshape(blendshapes.COUNT, -1).astype(np.float64)
        self.weighted = self.basis * point_trust().ravel()
        self.prior = np.full(blendshapes.COUNT, _RIDGE * pull + 1e-6)
        firm = [i for i, n in enumerate(blendshapes.NAMES) if n.startswith("eyeLook")]
        self.prior[firm] = 10.0
        firm = [i for i, n in enumerate(blendshapes.NAMES) if n.startswith(("eyeBlink", "eyeWide"))]
        self.prior[firm] = 0.2
        gram = self.weighted @ self.basis.T + np.diag(self.prior)
        zero, one = np.zeros(blendshapes.COUNT), np.ones(blendshapes.COUNT)
        self.solve = BoxSolver(gram, zero, one)

    def __call__(self, moved: Floats, lean: Floats, start: Floats) -> Floats:
        """(52,) weights for a (478, 3) displacement, leaning on `lean`."""
        return self.solve(self.weighted @ moved.ravel() + self.prior * lean, start)
