"""Correct the mesh of the tracker in mediapipe's wheel: what it leaves out of a movement.

That mesh stays too near to an average face: corners of the mouth, lids and nose move too little. A
low-rank linear map from the whole mesh to the correction was learned from a newer network's mesh of
the same pictures (see `retarget/training/mesh_reading.py`). Brows have a map of their own, as a
frown hardly lowers them in that mesh, but moves lids, forehead and cheeks: from the movement of the
whole mesh to that of the brows (see `retarget/training/brow_reading.py`).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from retarget.flow import blendshapes, landmarks, shipped
from retarget.flow.arrays import Doubles, Reals
from retarget.flow.check import check_array
from retarget.flow.face_model import FaceModel

NOT_CORRECTED = [
    *landmarks.LEFT_BROW, *landmarks.RIGHT_BROW, *landmarks.LEFT_IRIS, *landmarks.RIGHT_IRIS,
]  # fmt: skip
"""Points that `correction` leaves: the brows and the gaze have their own corrections."""
BROW_SHAPES = [blendshapes.index("browDownLeft"), blendshapes.index("browDownRight")]
"""The blendshapes that the map gives: left, right."""


def correction(moved: Doubles) -> Doubles:
    """(478, 3) correction, in head units, of a displaced mesh.

    Args:
        moved: (478, 3) the mesh of the tracker `mesh`, away from rest, in head units.
    """
    told, moves = _mesh_reading()
    out = np.zeros_like(moved)
    out[:, :2] = np.tensordot(told @ moved.ravel(), moves, axes=1)
    return out


@cache
def _mesh_reading() -> tuple[Doubles, Doubles]:
    """(r, 478 * 3) and (r, 478, 2) as `retarget.training.mesh_reading.learn` makes them."""
    data = shipped.arrays("mesh_reading.npz")
    told, moves = data["told"], data["moves"]
    check_array("told", told, (None, landmarks.COUNT, 3), np.float32)
    check_array("moves", moves, (len(told), landmarks.COUNT, 2), np.float32)
    return told.reshape(len(told), -1).astype(np.float64), moves.astype(np.float64)


def brow_correction(moved: Reals, model: FaceModel) -> Reals:
    """(478, 3) correction, in head units, of the brows of a displaced mesh.

    Args:
        moved: (478, 3) the mesh of the tracker `mesh`, away from rest, in head units.
        model: the shared blendshape basis.
    """
    weights = np.tensordot(_brow_reading(), moved, axes=2)  # (2,) left, right
    return np.tensordot(weights, model.basis[BROW_SHAPES], axes=1)


@cache
def _brow_reading() -> Reals:
    """(2, 478, 3) the browDown weight, left and right, that each coordinate's movement adds."""
    reading = shipped.array("brow_reading.npy")
    check_array("brow_reading", reading, (2, landmarks.COUNT, 3), np.float32)
    return np.asarray(reading, np.float64)
