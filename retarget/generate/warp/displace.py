"""From where the mesh should be to how the photo's points move, without a fold.

The wished displacements of neighbouring points disagree a little: measurement noise, another
person's proportions. Solving (W + 0.35 L) u = W u* with the mesh's graph Laplacian L lets them
agree; points on lips and lids (W large) keep their wish. What still folds is relaxed towards its
neighbours until it does not.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from retarget.flow import landmarks
from retarget.generate.warp.mesh import Floats, Ints, topology

STIFFNESS = 0.35
_RIM_WEIGHT, _SKIN_WEIGHT = 8.0, 1.0
_SMALLEST_AREA = 0.12
"""A triangle may shrink to this share of its area, not further."""
_ROUNDS = 24


@cache
def _agreement() -> Floats:
    """(468, 468) matrix that makes wished displacements agree."""
    weight = np.full(landmarks.MESH_COUNT, _SKIN_WEIGHT)
    rims = (
        *landmarks.LIPS_INNER_UPPER, *landmarks.LIPS_INNER_LOWER, *landmarks.LIPS_OUTER_UPPER,
        *landmarks.LIPS_OUTER_LOWER, *landmarks.RIGHT_EYE_UPPER, *landmarks.RIGHT_EYE_LOWER,
        *landmarks.LEFT_EYE_UPPER, *landmarks.LEFT_EYE_LOWER,
    )  # fmt: skip
    weight[list(rims)] = _RIM_WEIGHT
    solved = np.linalg.solve(np.diag(weight) + STIFFNESS * topology().laplacian, np.diag(weight))
    return solved.astype(np.float32)


class Displacer:
    """Turns wished points into displacements of one photo's mesh.

    Args:
        points: (478, 3) the photo's mesh in pixels.
    """

    def __init__(self, points: Floats) -> None:
        self._rest = points[: landmarks.MESH_COUNT]
        self._affine = np.concatenate(
            [self._rest, np.ones((len(self._rest), 1), np.float32)], axis=1
        ).astype(np.float64)
        self._to_affine = np.linalg.pinv(self._affine)
        self._areas = _areas(self._rest[:, :2], topology().face)

    def __call__(self, wished: Floats, *, turning: bool) -> Floats:
        """How far each point moves.

        Args:
            wished: (478, 3) where the mesh should be, in pixels.
            turning: the head turns, so triangles may rightly disappear behind others.

        Returns:
            (468, 2) pixels.
        """
        wish = wished[: landmarks.MESH_COUNT, :2] - self._rest[:, :2]
        whole = (self._affine @ (self._to_affine @ wish)).astype(np.float32)  # the head as one
        moved = whole + _agreement() @ (wish - whole)
        return moved if turning else self.unfolded(moved)

    def unfolded(self, moved: Floats) -> Floats:
        """Relax the points of triangles that fold or nearly vanish."""
        faces = topology().face
        for _ in range(_ROUNDS):
            area = _areas(self._rest[:, :2] + moved, faces)
            bad = area * np.sign(self._areas) < _SMALLEST_AREA * np.abs(self._areas)
            if not bad.any():
                break
            moved = _relaxed(moved, faces[bad])
        return moved


def _areas(points: Floats, triangles: Ints) -> Floats:
    """Twice the signed area of each triangle."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    out: Floats = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (
        c[:, 0] - a[:, 0]
    )
    return out


def _relaxed(moved: Floats, folded: Ints) -> Floats:
    """Halfway to the mean of the neighbours, for the points of some triangles."""
    joined = -topology().laplacian
    points = np.unique(folded)
    rows = np.maximum(joined[points], 0.0)
    near = (rows @ moved) / rows.sum(axis=1, keepdims=True)
    out = moved.copy()
    out[points] = 0.5 * out[points] + 0.5 * near
    return out
