"""The outline of the face where the photo shows it.

A mesh reaches a little beyond cheek and jaw here and there. Seen from the front that is a sliver;
a head that turns towards it draws the sliver out, and what is behind bites into the cheek.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Floats

SURE = 230
"""How much of a pixel (of 255) must be the person."""
MARGIN, FARTHEST = 0.04, 0.15
"""Eye distances: how far inside the outline of the person skin begins, and how far a point may lie
from there; where one is farther off, the outline is not to be trusted."""
EYES_AND_LIPS = np.array([
    *landmarks.RIGHT_EYE_UPPER, *landmarks.RIGHT_EYE_LOWER, *landmarks.RIGHT_EYE_FOLD,
    *landmarks.LEFT_EYE_UPPER, *landmarks.LEFT_EYE_LOWER, *landmarks.LEFT_EYE_FOLD,
    *np.ravel(landmarks.UPPER_LIP_ROWS), *np.ravel(landmarks.LOWER_LIP_ROWS),
])  # fmt: skip
"""What has outlines of its own."""


def outline_to_where_seen(person: Bytes, points: Floats, unit: float) -> Floats:
    """The mesh with what lies beyond the person, or on their outline, moved just inside of it.

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
