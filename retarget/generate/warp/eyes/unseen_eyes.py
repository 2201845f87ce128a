"""Eyes that a dark lens, a patch or hair covers in a photo.

The mesh has eyes all the same. Lids and irises drawn there would be grey smears on the lens.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Floats, Ints
from retarget.generate.warp.paint import box_of, colours
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.rims import LEFT_EYE, RIGHT_EYE, Opening, Rims, rims_of

ALONG, UP, DOWN = 0.58, 0.3, 0.55
"""The area of an eye with its lids around its middle, in eye widths; a cover is larger."""
SMALL = 40.0
"""Width of an eye in pixels to which it is scaled down for this."""
SHARES, DARKEST = (75, 90), (0.35, 0.5)
"""Percentiles of brightness in that area, and the most that a cover has there relative to the cheek
on that side: eyes and lids have 0.7 and more in thirty photos and paintings, lenses 0.1 to 0.3."""
RIGHT_CHEEK, LEFT_CHEEK = np.array([205, 50, 36, 207, 187]), np.array([425, 280, 266, 427, 411])


def unseen_eyes(photo: Bytes, points: Floats) -> tuple[bool, bool]:
    """Whether something dark covers the right and the left eye.

    Args:
        photo: (height, width, 3).
        points: (478, 3) in its pixels.
    """
    right = _hidden(photo, points, RIGHT_EYE, RIGHT_CHEEK)
    return right, _hidden(photo, points, LEFT_EYE, LEFT_CHEEK)


def _hidden(photo: Bytes, points: Floats, eye: Opening, cheek: Ints) -> bool:
    rims = rims_of(points, eye)
    around = _around(photo, rims)
    if around is None:
        return False
    skin = float(np.median(colours(photo, points[cheek, :2]) @ LUMA))
    bright = np.percentile(around, SHARES) / max(skin, 1.0)
    return bool((bright < DARKEST).all())


def _around(photo: Bytes, rims: Rims) -> Floats | None:
    """(n,) brightness of the eye and its surroundings; None where the photo ends there."""
    middle, reach = rims.middle_of_corners, np.float32(ALONG * rims.width)
    if box_of(np.stack([middle - reach, middle + reach]), 0, photo.shape) is None:
        return None
    steps = round(2 * ALONG * SMALL)
    aside, down = np.meshgrid(
        np.linspace(-1, 1, steps, dtype=np.float32), np.linspace(-1, 1, steps, dtype=np.float32)
    )
    inside = np.hypot(aside, down) < 1
    far = np.float32((UP + DOWN) / 2) * down + np.float32((DOWN - UP) / 2)
    along, across = np.float32(ALONG) * aside[..., None] * rims.along, far[..., None] * rims.down
    places = middle + np.float32(rims.width) * (along + across)
    seen = cv2.remap(photo, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    out: Floats = seen[inside].astype(np.float32) @ LUMA
    return out
