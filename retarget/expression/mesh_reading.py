"""Correct the mesh of the tracker in mediapipe's wheel: what it leaves out of a movement.

The mesh that comes with mediapipe's wheel keeps nearer to usual faces than faces do: corners of
the mouth stay behind, and so do lids and nose. What the whole mesh tells of that was learned from a
newer network's mesh of the same pictures (see `retarget/training/mesh_reading.py`).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from retarget.flow import landmarks, shipped
from retarget.flow.arrays import Doubles
from retarget.flow.check import check_array

LEFT_TO_OTHERS = [
    *landmarks.LEFT_BROW, *landmarks.RIGHT_BROW, *landmarks.LEFT_IRIS, *landmarks.RIGHT_IRIS,
]  # fmt: skip
"""Points of which nothing is told here: `brows` and the gaze have their own readings."""


def untold(moved: Doubles) -> Doubles:
    """(478, 3) head units by which a face has moved farther than a displaced mesh tells.

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
