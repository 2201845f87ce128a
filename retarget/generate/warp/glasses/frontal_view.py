"""The frontal view of the eyes, in which glasses are sought."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Doubles, Floats
from retarget.flow.values import HeadPose
from retarget.generate.warp.paint import blurred
from retarget.generate.warp.palette import LUMA

UNIT = 128.0
"""Pixels per head unit in the frontal view."""
WIDE, HIGH, EYES_AT = 2.0, 1.35, 0.45
"""Size of the view in head units, and the height at which the bridge of the nose lies in it."""
LEAST_LIGHT = 20.0
"""Brightness (of 255) added before the logarithm, as darker differences are noise."""


class View(NamedTuple):
    """The frontal view of the eyes."""

    light: Floats
    """(h, w) logarithm of brightness."""
    to_photo: Doubles
    """(2, 3) map from its pixels to the photo's."""

    @property
    def from_photo(self) -> Doubles:
        """(2, 3) the inverse map."""
        return np.asarray(cv2.invertAffineTransform(self.to_photo), np.float64)


def from_ahead(photo: Bytes, bridge: Floats, pose: HeadPose) -> View:
    """The frontal view of the face's plane around the bridge of the nose."""
    axes = pose.scale / UNIT * pose.rotation[:2, :2]
    size = round(WIDE * UNIT), round(HIGH * UNIT)
    middle = np.array([size[0] / 2, EYES_AT * UNIT])
    to_photo = np.hstack([axes, (bridge - axes @ middle)[:, None]])
    times = pose.scale / UNIT
    fine = blurred(photo, 0.45 * np.sqrt(times * times - 1)) if times > 1.3 else photo
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(fine, to_photo, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    light = np.log(blurred(seen.astype(np.float32) @ LUMA, 0.6) + LEAST_LIGHT)
    return View(np.asarray(light, np.float32), to_photo)


def placed(points: Floats, place: Doubles) -> Floats:
    """Points (n, 2) moved by an affine map (2, 3)."""
    return np.asarray(points @ place[:, :2].T + place[:, 2], np.float32)
