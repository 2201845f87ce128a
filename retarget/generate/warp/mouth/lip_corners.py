"""Lip at the corners of an opening mouth, of which a photo of a shut mouth shows hardly any.

Without it, the corner's skin would border on the interior of the mouth as a pale line.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Floats
from retarget.flow.ease import smoothstep
from retarget.generate.warp.paint import averaged, box_of, fill, per_channel, ramp, to_bytes
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.rims import Rims

PARTED = (0.03, 0.12)
"""Increase of the gap next to a corner, in mouth widths, between which lip fades in there."""
SIDE = (0.45, 0.85)
"""Positions from the middle of the mouth (0) to a corner (1) between which it fades in."""
WIDE = 0.03
"""Its reach from the opening in mouth widths."""
LINE, LINE_REACH, LINE_WIDTH = (0.45, 0.8), 0.09, 0.12
"""Brightness relative to the surroundings, of this width, between which a pixel is part of the dark
line in which parted lips end in a photo, and how far from the opening that is lip, too: it would be
a black spot beside the corner. Widths are those of the mouth."""
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
    box = box_of(outline, 2 * LINE_REACH * now.width + 1, out.shape)
    if box is None:
        return
    patch = out[box]
    corner = np.array([box[1].start, box[0].start], np.float32)
    hole = np.zeros(patch.shape[:2], np.uint8)
    fill(hole, outline - corner)
    away = cv2.distanceTransform((hole < 128).astype(np.uint8), cv2.DIST_L2, 3)
    place = now.place_along(box)
    share = ramp(SIDE, np.abs(np.float32(2) * place)) * np.where(place < 0, left, right)
    near = np.exp(-np.square(away / np.float32(reach)))
    bright = patch @ LUMA
    around = np.maximum(averaged(bright, LINE_WIDTH * now.width), np.float32(1))
    line = (1 - ramp(LINE, bright / around)) * (away > 0)
    near = np.maximum(near, line * np.exp(-np.square(away / np.float32(LINE_REACH * now.width))))
    share = np.float32(STRENGTH) * share * near
    patch[...] = to_bytes(patch + per_channel(share) * (np.float32(SHADE) * lip - patch))
