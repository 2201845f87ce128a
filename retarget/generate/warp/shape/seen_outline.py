"""Correct the mesh's outline of the face by the photo.

A mesh reaches a little beyond cheek and jaw in places. From the front that is a sliver; a head that
turns towards it stretches the sliver, and the background cuts into the cheek.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Floats

SURE = 230
"""Mask value (of 255) from which a pixel belongs to the person."""
MARGIN, FARTHEST = 0.04, 0.15
"""Eye distances: the margin inside the person's outline, and the largest shift of a point; where
one would move farther, the outline is not trusted."""
EYES_AND_LIPS = np.array([
    *landmarks.RIGHT_EYE_UPPER, *landmarks.RIGHT_EYE_LOWER, *landmarks.RIGHT_EYE_FOLD,
    *landmarks.LEFT_EYE_UPPER, *landmarks.LEFT_EYE_LOWER, *landmarks.LEFT_EYE_FOLD,
    *np.ravel(landmarks.UPPER_LIP_ROWS), *np.ravel(landmarks.LOWER_LIP_ROWS),
])  # fmt: skip
"""Points that keep their place."""


def outline_to_where_seen(person: Bytes, points: Floats, unit: float) -> Floats:
    """The mesh with points on or beyond the person's outline moved just inside of it.

    Args:
        person: (height, width) 255 where the person is.
        points: (478, 3) in its pixels.
        unit: pixels between the outer eye corners.
    """
    deep = cv2.distanceTransform((person >= SURE).astype(np.uint8), cv2.DIST_L2, 5)
    skin = deep >= MARGIN * unit
    if not skin.any():
        return points
    away, nearest = cv2.distanceTransformWithLabels(
        (~skin).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    at = np.rint(points[: landmarks.MESH_COUNT, :2]).astype(int)
    within = (at >= 0).all(axis=1) & (at < person.shape[::-1]).all(axis=1)
    within[EYES_AND_LIPS] = False
    which = np.flatnonzero(within)
    far = away[at[which, 1], at[which, 0]]
    which = which[(far > 0) & (far <= FARTHEST * unit)]
    rows, columns = np.divmod(
        np.flatnonzero(skin)[nearest[at[which, 1], at[which, 0]] - 1], person.shape[1]
    )
    moved = points.copy()
    moved[which, :2] = np.stack([columns, rows], axis=1)
    return moved
