"""Read lids and lips directly off a mesh in the head frame."""

from __future__ import annotations

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Doubles, Reals
from retarget.flow.values import HeadPose

_MIDDLE = slice(2, 7)
"""The five middle columns of a lid rim's nine."""


def lid_opening(head: Reals) -> Doubles:
    """(2,) lid distance of left and right eye, in that eye's widths."""
    out = np.empty(2)
    for i, (upper, lower) in enumerate(landmarks.EYE_RIMS):
        up, low = head[list(upper)], head[list(lower)]
        width = np.linalg.norm((up[0] - up[-1])[:2])
        across = (low - up)[_MIDDLE]
        out[i] = across[:, 1].mean() / width
    return out


def lid_over_iris(head: Reals) -> tuple[Doubles, Doubles]:
    """How high the upper lids of the left and the right eye lie over the middle of the iris.

    Returns:
        (2,) in radii of the iris: about 0.8 at rest; from 1 on, white is visible above the iris.
        (2,) that radius in widths of the eye.
    """
    over, radius = np.empty(2), np.empty(2)
    irises = (landmarks.LEFT_IRIS, landmarks.RIGHT_IRIS)
    for i, ((upper, _), iris) in enumerate(zip(landmarks.EYE_RIMS, irises, strict=True)):
        lid, edge = head[list(upper)], head[list(iris)][1:]
        middle = head[iris[0]]
        size = np.linalg.norm((edge - middle)[:, :2], axis=1).mean()
        over[i] = (middle[1] - lid[len(lid) // 2, 1]) / max(size, 1e-6)
        radius[i] = size / np.linalg.norm((lid[0] - lid[-1])[:2])
    return over, radius


def lip_gap(head: Reals) -> float:
    """Distance of the inner lip rims of a mesh (478, 3) at the middle of the mouth, head units."""
    return float(np.maximum(_between_lips(head)[:, 1], 0.0).mean())


def lip_gap_seen(points: Reals, pose: HeadPose) -> float:
    """The same of a tracked face (478, 3) in pixels, without its depth.

    Depth is estimated badly: in a nodding head, lips in contact would seem apart. So the lips are
    assumed to lie in the plane of the face.
    """
    in_plane = np.linalg.inv(pose.scale * pose.rotation[:2, :2])
    return float(np.maximum(_between_lips(points)[:, :2] @ in_plane[1], 0.0).mean())


def _between_lips(points: Reals) -> Reals:
    """(3, 3) from the upper to the lower inner rim, in the middle of the mouth."""
    up = points[list(landmarks.LIPS_INNER_UPPER[4:7])]
    low = points[list(landmarks.LIPS_INNER_LOWER[4:7])]
    return np.asarray(low - up)
