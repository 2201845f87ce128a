"""Light and grain beside a mouth, applied to what is drawn into it.

Light from one side shades teeth as it shades cheeks; and what is drawn into old paint, or into a
photo taken in the dark, needs the grain of the skin around it.
"""

from __future__ import annotations

from math import log

import numpy as np

from retarget.flow.arrays import Bytes, Floats
from retarget.generate.warp.paint import blurred, box_of, colours, per_channel
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.rims import Rims

BESIDE = np.array([(57, 212, 216, 207, 192, 214), (287, 432, 436, 427, 416, 434)])
"""Skin beside the right and the left corner of a mouth."""
UNSURE, STEEPEST = 0.1, 0.9
"""Change of the logarithm of brightness per mouth width that is ignored, and the most that is used,
as a hand or hair is not light."""
OVERALL = 0.8
"""Share of it that is applied, as the interior lies in shade anyway."""
GRAIN_AT, GRAIN_SIDE = ((50, 205), (280, 425)), 0.12
"""Pairs of points on the cheeks between which grain is sampled, and the side of the square in eye
distances. (With the points as its corners, a tilted head would give a strip, and stripes.)"""
COARSE, MOST = 0.02, 2.5
"""The coarsest grain in eye distances, and the multiple of usual grain above which it is a hair."""
SEEN, DARKEST = 1.0, 0.3
"""Usual grain (of 255) from which it is visible, and the share of it that remains in the dark."""


def fall_across(rgb: Bytes, points: Floats, rims: Rims) -> float:
    """Rise of the logarithm of brightness per mouth width, from picture left to right.

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
    """Shade a mouth's interior by the photo's light instead of the driving clip's.

    Args:
        inside: (h, w, 3).
        place: (h, w) from the middle of the mouth, in its widths, to the right in the picture.
        own: rise across the photo's mouth.
        theirs: rise in the pixels that are drawn.
    """
    fall = float(np.clip(own, -STEEPEST, STEEPEST) - np.clip(theirs, -STEEPEST, STEEPEST))
    fall = np.sign(fall) * max(abs(fall) - UNSURE, 0.0)
    if fall == 0:
        return inside
    out: Floats = inside * per_channel(np.exp(np.float32(OVERALL * fall) * place))
    return out


def grain_of(photo: Bytes, points: Floats, unit: float) -> Floats | None:
    """(n, n, 3) the grain of a photo's skin, around 0, made to tile by mirroring.

    Args:
        photo: (height, width, 3).
        points: (478, 2 or 3) its mesh.
        unit: its eye distance in pixels.

    Returns:
        None where it is too fine to be visible.
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
    """Add grain to what is drawn, scaled by its brightness.

    Args:
        inside: (h, w, 3).
        grain: as from `grain_of`.
        corner: (left, top) of it in the photo's crop.
        skin: brightness of the skin it was taken from.
    """
    rows, columns = (
        (np.arange(count) + first) % size
        for count, first, size in zip(inside.shape[:2], corner[::-1], grain.shape[:2], strict=True)
    )
    much = np.clip(inside @ LUMA / np.float32(max(skin, 8.0)), DARKEST, 1)
    out: Floats = inside + per_channel(much) * grain[rows[:, None], columns]
    return out
