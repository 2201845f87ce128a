"""The lower lids where the photo shows them.

A mesh knows ordinary eyes. In large drawn ones, and in eyes torn open, its lower rim lies above
the lid, and when the lids met there a strip of white would stay below them.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget.generate.warp.eyes import white_tone
from retarget.generate.warp.mesh import Bools, Bytes, Floats, Ints
from retarget.generate.warp.paint import box_of, colours, fill
from retarget.generate.warp.rims import Opening, rims_of

SMALLEST = 40.0
"""Pixels that an eye must be wide for its lid to be told from the mesh's error."""
OPEN = 0.2
"""Eye widths between the rims from which the white can be seen."""
CLEAR = 45.0
"""How far apart (RGB, 0..255) white and skin must be to be told apart."""
FARTHEST = 0.12
"""Eye widths below the mesh's rim at most; what is white farther down is no eye."""


def lower_to_where_seen(photo: Bytes, points: Floats, eye: Opening, below: Ints) -> Floats:
    """The mesh with the lower rim of one eye moved down to where the white of the eye ends.

    Args:
        photo: (height, width, 3).
        points: (478, 3) in its pixels.
        eye: upper and lower rim.
        below: indices of the skin below the eye.
    """
    rims = rims_of(points, eye)
    if rims.width < SMALLEST or rims.gap < OPEN * rims.width:
        return points
    box = box_of(rims.outline, 0, photo.shape)
    if box is None:
        return points
    patch = photo[box]
    open_ = np.zeros(patch.shape[:2], np.uint8)
    fill(open_, rims.outline - np.array([box[1].start, box[0].start], np.float32))
    if not open_.any():
        return points
    white = white_tone(patch[open_ > 0].astype(np.float32))
    skin = np.median(colours(photo, points[below, :2]), axis=0)
    apart = white - skin
    if np.linalg.norm(apart) < CLEAR:
        return points
    steps = np.arange(0.0, FARTHEST * rims.width, 0.5, dtype=np.float32)
    places = rims.lower[1:-1, None] + steps[:, None] * rims.down
    seen = cv2.remap(photo, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    is_white = ((seen - skin) @ apart) / (apart @ apart) > 0.5
    is_skin = np.linalg.norm(seen - skin, axis=2) < 0.5 * np.linalg.norm(apart)
    lower = points.copy()
    lower[eye[1][1:-1], :2] += _even(_white_until(is_white, is_skin, steps))[:, None] * rims.down
    return lower


def _white_until(is_white: Bools, is_skin: Bools, steps: Floats) -> Floats:
    """(n,) where white is last seen before skin begins in rows (n, steps); 0 where skin does not.

    The iris may come before it, and lashes after it.
    """
    before = is_white & (np.cumsum(is_skin, axis=1) == 0)
    last = np.where(before, steps, 0.0).max(axis=1)
    return np.where(is_skin.any(axis=1), last, 0.0).astype(np.float32)


def _even(shifts: Floats) -> Floats:
    """The shifts without gaps, for an iris may hide the white, and without jags."""
    around = np.pad(shifts, 2, mode="edge")
    pairs = np.minimum(np.maximum(around[:-4], around[1:-3]), np.maximum(around[3:-1], around[4:]))
    filled = np.pad(np.maximum(shifts, pairs), 1, mode="edge")
    return np.asarray(filled[:-2] / 4 + filled[1:-1] / 2 + filled[2:] / 4)
