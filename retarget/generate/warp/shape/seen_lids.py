"""Correct the mesh's lower lids and eye corners by the photo.

A mesh assumes average eyes. In large drawn eyes, and in wide-open ones, its lower rim lies above
the lid and its corners within the white; lids that meet there would leave white below and beside
them.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow.arrays import Bools, Bytes, Floats, Ints
from retarget.generate.warp.paint import box_of, colours, fill
from retarget.generate.warp.palette import LUMA, luma, redness, white_tone
from retarget.generate.warp.rims import Opening, Rims, rims_of

SMALLEST = 40.0
"""Least width of an eye in pixels; below, the mesh's error is not measurable."""
OPEN = 0.2
"""Gap of the rims in eye widths from which white is visible."""
CLEAR = 45.0
"""Least distance (RGB, 0..255) of white and skin."""
FARTHEST, LOOKED = 0.12, 0.25
"""The farthest that white may reach outside the mesh's rim, in eye widths, as white farther out is
not the eye; and the distance within which skin must follow, beyond lashes and lines."""
DIMMEST, OTHER_HUE = 0.4, 0.2
"""In the shade of a corner hue decides: the least brightness relative to white and skin, and by how
much skin's logarithm of red to blue must exceed that of white."""
FAN = np.array([-0.5, -0.25, 0.0, 0.25, 0.5], np.float32)
"""Slopes of the directions searched from a corner, which may continue at an angle."""


def lids_to_where_seen(photo: Bytes, points: Floats, eye: Opening, below: Ints) -> Floats:
    """The mesh with one eye's lower rim and corners moved out to the end of its white.

    Args:
        photo: (height, width, 3).
        points: (478, 3) in its pixels.
        eye: upper and lower rim.
        below: indices of the skin below the eye.
    """
    rims = rims_of(points, eye)
    if rims.width < SMALLEST or rims.gap < OPEN * rims.width:
        return points
    white = _white_of(photo, rims)
    skin = np.median(colours(photo, points[below, :2]), axis=0)
    if white is None or np.linalg.norm(white - skin) < CLEAR:
        return points
    steps = np.arange(0.0, LOOKED * rims.width, 0.5, dtype=np.float32)

    def white_along(start: Floats, way: Floats) -> tuple[Floats, Bools]:
        """(n,) how far white extends from places (n, 2) along `way` (n, 2), and if it ends."""
        places = start[:, None] + steps[:, None] * way[:, None]
        seen = cv2.remap(photo, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
        is_white, is_skin = _told_apart(seen.astype(np.float32), white, skin)
        far = int(np.searchsorted(steps, FARTHEST * rims.width))
        until = _white_until(is_white & (steps <= FARTHEST * rims.width), is_skin, steps)
        return until, ~is_white[:, far - 1 : far + 2].all(axis=1)

    moved = points.copy()
    lower, _ = white_along(rims.lower[1:-1], np.tile(rims.down, (len(rims.lower) - 2, 1)))
    moved[eye[1][1:-1], :2] += _even(lower)[:, None] * rims.down
    for corner, outwards in ((eye[0][0], -rims.along), (eye[0][-1], rims.along)):
        ways = outwards + FAN[:, None] * rims.down
        reached, ends = white_along(np.tile(points[corner, :2], (len(FAN), 1)), ways)
        # White beyond the farthest limit is light on skin, as on the ridge of a nose.
        farthest = int((reached * ends).argmax())
        moved[corner, :2] += ends[farthest] * reached[farthest] * ways[farthest]
    return moved


def _white_of(photo: Bytes, rims: Rims) -> Floats | None:
    """(3,) the tone of an eye's white; None where no pixel of the eye is visible."""
    box = box_of(rims.outline, 0, photo.shape)
    if box is None:
        return None
    patch = photo[box]
    open_ = np.zeros(patch.shape[:2], np.uint8)
    fill(open_, rims.outline - np.array([box[1].start, box[0].start], np.float32))
    return white_tone(patch[open_ > 0].astype(np.float32)) if open_.any() else None


def _told_apart(seen: Floats, white: Floats, skin: Floats) -> tuple[Bools, Bools]:
    """(...) whether colours (..., 3) are white, and whether they are skin, also in shade."""
    apart = white - skin
    is_white = ((seen - skin) @ apart) / (apart @ apart) > 0.5
    is_skin = np.linalg.norm(seen - skin, axis=-1) < 0.5 * np.linalg.norm(apart)
    between = 0.5 * (redness(white) + redness(skin))
    if redness(skin) - redness(white) > OTHER_HUE:
        bright, pale = seen @ LUMA, redness(seen) < between
        is_white |= pale & (bright > DIMMEST * luma(white))
        is_skin |= ~pale & (bright > DIMMEST * luma(skin))
    return is_white, is_skin & ~is_white


def _white_until(is_white: Bools, is_skin: Bools, steps: Floats) -> Floats:
    """(n,) the last white before skin begins in rows (n, steps); 0 where no skin follows.

    The iris may come before it, and lashes after it.
    """
    before = is_white & (np.cumsum(is_skin, axis=1) == 0)
    last = np.where(before, steps, 0.0).max(axis=1)
    return np.where(is_skin.any(axis=1), last, 0.0).astype(np.float32)


def _even(shifts: Floats) -> Floats:
    """The shifts smoothed, with gaps filled where an iris hides the white."""
    around = np.pad(shifts, 2, mode="edge")
    pairs = np.minimum(np.maximum(around[:-4], around[1:-3]), np.maximum(around[3:-1], around[4:]))
    filled = np.pad(np.maximum(shifts, pairs), 1, mode="edge")
    return np.asarray(filled[:-2] / 4 + filled[1:-1] / 2 + filled[2:] / 4)
