"""What the light of a picture does beside a mouth, for what is drawn into it.

Light that falls from one side shades teeth as it shades cheeks; and what is drawn into old paint,
or into a photo taken in the dark, is as coarse as the skin around it.
"""

from __future__ import annotations

from math import log

import numpy as np

from retarget.flow.arrays import Bytes, Floats
from retarget.generate.warp.paint import blurred, box_of, colours, thrice
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.rims import Rims

BESIDE = np.array([(57, 212, 216, 207, 192, 214), (287, 432, 436, 427, 416, 434)])
"""Skin beside the right and the left corner of a mouth."""
UNSURE, STEEPEST = 0.1, 0.9
"""Fall of the logarithm of brightness, in a mouth width, that may be anything's, and the most that
is believed: a hand or hair is no light."""
OVERALL = 0.8
"""The part of what is left that is drawn: the inside lies in shade anyway."""
GRAIN_AT, GRAIN_SIDE = ((50, 205), (280, 425)), 0.12
"""Between which points skin shows the grain of a picture, on either cheek; and eye distances of the
square there: were they its corners, it would be a strip where a head is tilted, and grain stripes.
"""
COARSE, MOST = 0.02, 2.5
"""Eye distances: what is broader is no grain; how many times as much as usual is a hair."""
SEEN, DARKEST = 1.0, 0.3
"""Usual grain (of 255) that is seen, and the part of it that is left in the dark."""


def fall_across(rgb: Bytes, points: Floats, rims: Rims) -> float:
    """How much the logarithm of brightness rises in a mouth width from picture left to right.

    Args:
        rgb: (height, width, 3).
        points: (478, 2 or 3) the mesh.
        rims: its mouth.
    """
    places = points[BESIDE, :2]
    apart = float((places[1] - places[0]).mean(axis=0) @ rims.along) / rims.width
    bright = (colours(rgb, places.reshape(-1, 2)) @ LUMA).reshape(2, -1)
    right, left = np.sort(bright, axis=1)[:, 2:4].sum(axis=1).tolist()  # their medians, doubled
    return log((left + 16) / (right + 16)) / apart if apart > 0.5 else 0.0


def shaded_aside(inside: Floats, place: Floats, own: float, theirs: float) -> Floats:
    """What is drawn into a mouth, shaded as the light on the photo falls and not as on the driver.

    Args:
        inside: (h, w, 3).
        place: (h, w) from the middle of the mouth, in its widths, to the right in the picture.
        own: the fall across the photo's mouth.
        theirs: that in the pixels that are drawn.
    """
    fall = float(np.clip(own, -STEEPEST, STEEPEST) - np.clip(theirs, -STEEPEST, STEEPEST))
    fall = np.sign(fall) * max(abs(fall) - UNSURE, 0.0)
    if fall == 0:
        return inside
    out: Floats = inside * thrice(np.exp(np.float32(OVERALL * fall) * place))
    return out


def grain_of(photo: Bytes, points: Floats, unit: float) -> Floats | None:
    """(n, n, 3) the grain of a photo's skin, around 0, which goes on over its edges mirrored.

    Args:
        photo: (height, width, 3).
        points: (478, 2 or 3) its mesh.
        unit: its eye distance in pixels.

    Returns:
        None where it is finer than is seen.
    """
    found = []
    reach = np.float32(GRAIN_SIDE / 2 * unit)
    for ends in GRAIN_AT:
        middle = points[list(ends), :2].mean(axis=0)
        box = box_of(np.stack([middle - reach, middle + reach]), 0, photo.shape)
        if box is not None:
            patch = photo[box].astype(np.float32)
            found.append(patch - blurred(patch, max(COARSE * unit, 1.0)))
    grain = min(found, key=lambda patch: float(np.abs(patch).mean()), default=None)
    usual = 0.0 if grain is None else float(np.median(np.abs(grain)))
    if grain is None or usual < SEEN:
        return None
    grain = np.clip(grain, -MOST * usual, MOST * usual)
    size = min(grain.shape[:2])
    out = grain[:size, :size]
    return np.asarray(
        np.block([[[out], [out[:, ::-1]]], [[out[::-1]], [out[::-1, ::-1]]]]), np.float32
    )


def with_grain(inside: Floats, grain: Floats, corner: tuple[int, int], skin: float) -> Floats:
    """What is drawn, as coarse as skin as bright as it is would be.

    Args:
        inside: (h, w, 3).
        grain: as from `grain_of`.
        corner: (left, top) of it in the photo's crop.
        skin: how bright that skin is.
    """
    rows, columns = (
        (np.arange(count) + first) % size
        for count, first, size in zip(inside.shape[:2], corner[::-1], grain.shape[:2], strict=True)
    )
    much = np.clip(inside @ LUMA / np.float32(max(skin, 8.0)), DARKEST, 1)
    out: Floats = inside + thrice(much) * grain[rows[:, None], columns]
    return out
