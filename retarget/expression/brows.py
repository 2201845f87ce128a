"""Correct the height of the brows in the mesh of the tracker in mediapipe's wheel.

In that mesh a frown hardly lowers the brows, but it moves lids, forehead and cheeks. A linear map
from their movement to that of the brows was learned from a newer network's mesh of the same
pictures (see `retarget/training/brow_reading.py`).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from retarget.flow import blendshapes, landmarks, shipped
from retarget.flow.arrays import Reals
from retarget.flow.check import check_array
from retarget.flow.face_model import FaceModel

SHAPES = [blendshapes.index("browDownLeft"), blendshapes.index("browDownRight")]
"""The blendshapes that the map gives: left, right."""


def lowered_further(moved: Reals, model: FaceModel) -> Reals:
    """(478, 3) correction, in head units, of the brows of a displaced mesh.

    Args:
        moved: (478, 3) the mesh of the tracker `mesh`, away from rest, in head units.
        model: the shared blendshape basis.
    """
    weights = np.tensordot(_reading(), moved, axes=2)  # (2,) left, right
    return np.tensordot(weights, model.basis[SHAPES], axes=1)


@cache
def _reading() -> Reals:
    """(2, 478, 3) the browDown weight, left and right, that each coordinate's movement adds."""
    reading = shipped.array("brow_reading.npy")
    check_array("brow_reading", reading, (2, landmarks.COUNT, 3), np.float32)
    return np.asarray(reading, np.float64)
