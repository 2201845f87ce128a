"""Read lids and lips directly off a mesh in the head frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from retarget.flow import landmarks
from retarget.flow.arrays import Doubles
from retarget.flow.values import HeadPose

_MIDDLE = slice(2, 7)
"""The five middle columns of a lid rim's nine."""


def lid_opening(head: npt.NDArray[np.floating[Any]]) -> Doubles:
    """(2,) lid distance of left and right eye, in that eye's widths."""
    out = np.empty(2)
    for i, (upper, lower) in enumerate(landmarks.EYE_RIMS):
        up, low = head[list(upper)], head[list(lower)]
        width = np.linalg.norm((up[0] - up[-1])[:2])
        across = (low - up)[_MIDDLE]
        out[i] = across[:, 1].mean() / width
    return out


def lip_gap(head: npt.NDArray[np.floating[Any]]) -> float:
    """Distance of the inner lip rims of a mesh (478, 3) at the middle of the mouth, head units."""
    return float(np.maximum(_between_lips(head)[:, 1], 0.0).mean())


def lip_gap_seen(points: npt.NDArray[np.floating[Any]], pose: HeadPose) -> float:
    """The same of a tracked face (478, 3) in pixels, without its depth.

    Depth is a guess: a head that nods would part lips that touch. So the lips are taken to lie in
    the plane of the face.
    """
    in_plane = np.linalg.inv(pose.scale * pose.rotation[:2, :2])
    return float(np.maximum(_between_lips(points)[:, :2] @ in_plane[1], 0.0).mean())


def _between_lips(points: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    """(3, 3) from the upper to the lower inner rim, in the middle of the mouth."""
    up = points[list(landmarks.LIPS_INNER_UPPER[4:7])]
    low = points[list(landmarks.LIPS_INNER_LOWER[4:7])]
    return np.asarray(low - up)
