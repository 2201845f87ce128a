"""Lip at the corners of an opening mouth, of which a photo of a shut mouth shows hardly any.

Without it, the corner's skin would border on the interior of the mouth as a pale line.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Floats
from retarget.flow.ease import smoothstep
from retarget.generate.warp.paint import box_of, fill, per_channel, ramp, to_bytes
from retarget.generate.warp.rims import Rims

PARTED = (0.03, 0.12)
"""Increase of the gap next to a corner, in mouth widths, between which lip fades in there."""
SIDE = (0.45, 0.85)
"""Positions from the middle of the mouth (0) to a corner (1) between which it fades in."""
WIDE = 0.03
"""Its reach from the opening in mouth widths."""
STRENGTH, SHADE = 0.8, 0.85
"""Its opacity, and its brightness relative to the lips."""


def draw_lip_corners(out: Bytes, now: Rims, photo: Rims, lip: Floats) -> None:
    """Draw lip around the corners of the mouth by how far they open.

    Args:
        out: the warped crop, changed in place.
        now: the opening.
        photo: the photo's opening.
        lip: (3,) colour of the lips, 0..255.
    """
    farther = now.apart / np.float32(now.width) - photo.apart / np.float32(photo.width)
    left, right = (smoothstep(*PARTED, float(farther[i])) for i in (1, -2))
    if max(left, right) == 0:
        return
    reach = WIDE * now.width
    outline = now.smooth.outline
    box = box_of(outline, 3 * reach + 1, out.shape)
    if box is None:
        return
    patch = out[box]
    corner = np.array([box[1].start, box[0].start], np.float32)
    hole = np.zeros(patch.shape[:2], np.uint8)
    fill(hole, outline - corner)
    away = cv2.distanceTransform((hole < 128).astype(np.uint8), cv2.DIST_L2, 3)
    place = now.place_along(box)
    share = ramp(SIDE, np.abs(np.float32(2) * place)) * np.where(place < 0, left, right)
    share = np.float32(STRENGTH) * share * np.exp(-np.square(away / np.float32(reach)))
    patch[...] = to_bytes(patch + per_channel(share) * (np.float32(SHADE) * lip - patch))
