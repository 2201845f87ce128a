"""Lip at the corners of a mouth that opens: a photo of a shut mouth shows hardly any there.

Drawn apart, the corner's skin would border on the inside of the mouth as a pale line.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Floats
from retarget.flow.ease import smoothstep
from retarget.generate.warp.paint import box_of, fill, ramp, thrice, to_bytes
from retarget.generate.warp.rims import Rims

PARTED = (0.03, 0.12)
"""How much farther than in the photo the rims are apart next to a corner, in mouth widths, from
which on and at which lip is drawn there."""
SIDE = (0.45, 0.85)
"""Of the way from the middle of the mouth to a corner: where it begins, and is there."""
WIDE = 0.03
"""How far it reaches from the opening, in mouth widths."""
STRENGTH, SHADE = 0.8, 0.85
"""How opaque it is, and how bright against the lips."""


def draw_lip_corners(out: Bytes, now: Rims, photo: Rims, lip: Floats) -> None:
    """Draw lip around the corners of the mouth, as much as they are drawn apart.

    Args:
        out: the moved crop, changed in place.
        now: the opening.
        photo: the photo's.
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
    patch[...] = to_bytes(patch + thrice(share) * (np.float32(SHADE) * lip - patch))
