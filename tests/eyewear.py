"""People who wear what is painted on their photos."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from retarget.flow.arrays import Picture
from retarget.flow.values import Identity
from retarget.generate.warp.rims import LEFT_EYE, RIGHT_EYE, rims_of

LENS = (34, 30, 33)
Mask = npt.NDArray[np.bool_]


def repainted(identity: Identity, rgb: Picture) -> Identity:
    return replace(identity, frame=replace(identity.frame, rgb=rgb))


def lenses(identity: Identity, size: float) -> Mask:
    """(height, width) round lenses before both eyes, so many eye widths from middle to rim."""
    mask = np.zeros(identity.frame.rgb.shape[:2], np.uint8)
    for eye in (RIGHT_EYE, LEFT_EYE):
        rims = rims_of(identity.face.points, eye)
        x, y = rims.middle_of_corners + np.float32(0.1 * rims.width) * rims.down
        cv2.circle(mask, (round(float(x)), round(float(y))), round(size * rims.width), (1,), -1)
    return mask > 0


def in_sunglasses(identity: Identity) -> Identity:
    rgb = identity.frame.rgb.copy()
    rgb[lenses(identity, 0.85)] = LENS
    return repainted(identity, rgb)


def rims(identity: Identity) -> Mask:
    """(height, width) thin round rims before both eyes, and a bridge between them."""
    mask = np.zeros(identity.frame.rgb.shape[:2], np.uint8)
    ends = []
    thick = max(1, round(0.02 * identity.face.eye_distance))
    for eye, way in ((RIGHT_EYE, 1), (LEFT_EYE, -1)):
        lids = rims_of(identity.face.points, eye)
        middle = lids.middle_of_corners + np.float32(0.15 * lids.width) * lids.down
        size = 0.72 * lids.width
        x, y = np.rint(middle * 16).astype(int).tolist()
        cv2.circle(mask, (x, y), round(16 * size), (1,), thick, cv2.LINE_8, 4)
        ends.append(middle + np.float32(way * size) * lids.along)
    start, end = (np.rint(at).astype(int).tolist() for at in ends)
    cv2.line(mask, start, end, (1,), thick)
    return mask > 0


def in_glasses(identity: Identity) -> Identity:
    rgb = identity.frame.rgb.copy()
    rgb[rims(identity)] = (40, 32, 30)
    return repainted(identity, rgb)
