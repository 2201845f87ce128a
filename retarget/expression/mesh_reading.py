"""Correct the mesh of the tracker in mediapipe's wheel: what it leaves out of a movement.

That mesh stays too near to an average face: corners of the mouth, lids and nose move too little. A
low-rank linear map from the whole mesh to the correction was learned from a newer network's mesh of
the same pictures (see `retarget/training/mesh_reading.py`).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from retarget.flow import landmarks, shipped
from retarget.flow.arrays import Doubles
from retarget.flow.check import check_array

NOT_CORRECTED = [
    *landmarks.LEFT_BROW, *landmarks.RIGHT_BROW, *landmarks.LEFT_IRIS, *landmarks.RIGHT_IRIS,
]  # fmt: skip
"""Points that are not corrected here: `brows.py` and the gaze have their own corrections."""


def correction(moved: Doubles) -> Doubles:
    """(478, 3) correction, in head units, of a displaced mesh.

    Args:
        moved: (478, 3) the mesh of the tracker `mesh`, away from rest, in head units.
    """
    told, moves = _reading()
    out = np.zeros_like(moved)
    out[:, :2] = np.tensordot(told @ moved.ravel(), moves, axes=1)
    return out


@cache
def _reading() -> tuple[Doubles, Doubles]:
    """(r, 478 * 3) and (r, 478, 2) as `retarget.training.mesh_reading.learn` makes them."""
    data = shipped.arrays("mesh_reading.npz")
    told, moves = data["told"], data["moves"]
    check_array("told", told, (None, landmarks.COUNT, 3), np.float32)
    check_array("moves", moves, (len(told), landmarks.COUNT, 2), np.float32)
    return told.reshape(len(told), -1).astype(np.float64), moves.astype(np.float64)
