"""The ends of a photo's lips, which the mesh of an open mouth often misses.

Beside teeth, the dark of the opening reaches past the mesh's corners, and stretched lips reach
beyond its outline.
"""

from __future__ import annotations

import numpy as np

from retarget.flow.arrays import Bytes, Floats
from retarget.generate.warp.paint import colours, read
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.rims import LIP_ROWS, MOUTH, rims_of
from retarget.generate.warp.tones import Tones, redness_in

BESIDE, STEPS, EDGE = 0.08, 25, 0.04
"""Search range of the dark outside the lips' outline in mouth widths, its number of steps, and the
distance beyond it at which skin begins."""
DARK = 0.85
"""Brightness relative to the lips below which a place is the dark beside teeth."""
DARK_SKIN = 0.5
"""Brightness relative to the brightest place: a row that is dark throughout is a beard or shade
above it, and skin in shade beside the dark below it."""
REDDER, BEYOND, MOSTLY = 0.08, 0.14, 0.7
"""Least difference in redness between lips and skin; search range outside the lips' outline in
mouth widths; and the share of the way there that must be red."""
OUTER_ROWS = np.array([1, 0.67, 0.33, 0], np.float32)
"""Share of the outline's shift that each row of a lip takes."""


def giving_way(photo: Bytes, points: Floats) -> Floats:
    """Shifts of the rows of a photo's lips so that closed lips consist of lip only.

    Args:
        photo: (height, width, 3).
        points: (478, 2 or 3) its mesh.

    Returns:
        (2, 4, 11, 2) pixels for the points of the upper and lower lip: all rows move away from the
        dark beside teeth, the outer ones out to the true ends of lips that the mesh of a wide
        mouth has too thin.
    """
    dark, red = _beside_dark(photo, points), _beyond_red(photo, points)
    red[np.abs(dark).max(axis=2) > 0] = 0
    return np.asarray(dark[:, None] + OUTER_ROWS[:, None, None] * red[:, None], np.float32)


def _beside_dark(photo: Bytes, points: Floats) -> Floats:
    """(2, 11, 2) pixels from the mesh's lips to the end of the dark beside teeth.

    It often reaches past the corners of the mesh.
    """
    rims = rims_of(points, MOUTH)
    outline = points[LIP_ROWS[:, 0], :2]  # (2, 11, 2)
    ways = np.stack([-rims.down, rims.down])[:, None] * np.ones((1, outline.shape[1], 1))
    ways[:, 0], ways[:, -1] = -rims.along, rims.along
    seen, steps = _outwards(photo, outline, ways, rims.width, BESIDE)
    bright = seen @ LUMA
    dark = bright < DARK * np.median(colours(photo, _lips(points)) @ LUMA)
    most = bright.max(axis=2, keepdims=True)
    in_shade = dark.all(axis=2, keepdims=True) & (bright[..., :1] < DARK_SKIN * most)
    dark = np.where(in_shade, bright < DARK * most, dark)
    first = np.argmin(dark, axis=2)  # 0 where none is dark, or all, as in a beard
    share = _from_corners(np.where(first > 0, steps[first] + EDGE, 0))
    return np.asarray(rims.width * share[..., None] * ways, np.float32)


def _from_corners(share: Floats) -> Floats:
    """(2, 11) the shares connected to a corner; dark elsewhere is a shadow."""
    dark = share > 0
    on = (np.logical_and.accumulate(dark[:, ::way], axis=1)[:, ::way] for way in (1, -1))
    return np.where(np.logical_or(*on), share, 0)


def _beyond_red(photo: Bytes, points: Floats) -> Floats:
    """(2, 11, 2) pixels by which lips reach beyond their outline in the mesh, corners excepted.

    Found by their red, where it differs from the skin's.
    """
    tones = Tones.of(photo, points, None)
    lip, skin = (float(redness_in(c, c @ LUMA)) for c in (tones.lip, tones.skin))
    outline = points[LIP_ROWS[:, 0], :2]
    if lip - skin < REDDER:
        return np.zeros_like(outline)
    rims = rims_of(points, MOUTH)
    on = np.gradient(outline, axis=1)
    ways = np.stack([on[..., 1], -on[..., 0]], axis=2) * np.array([1, -1]).reshape(2, 1, 1)
    ways /= np.maximum(np.linalg.norm(ways, axis=2, keepdims=True), 1e-3)
    seen, steps = _outwards(photo, outline, ways, rims.width, BEYOND)
    red = redness_in(seen, seen @ LUMA) > 0.5 * (lip + skin)
    so_far = np.cumsum(red, axis=2) / np.arange(1, STEPS + 1)
    last = STEPS - 1 - np.argmax((red & (so_far > MOSTLY))[..., ::-1], axis=2)
    share = np.where(red[..., -1], 0, np.maximum(steps[last % (STEPS - 1)], 0))
    return np.asarray(rims.width * _side_by_side(share)[..., None] * ways, np.float32)


def _side_by_side(share: Floats) -> Floats:
    """(2, 11) the shares after a morphological opening (Serra) over three inner columns.

    A single column is a shadow below a lip, and the lip would hang down there.
    """
    least = np.lib.stride_tricks.sliding_window_view(share[:, 1:-1], 3, axis=1).min(axis=2)
    wide = np.pad(least, ((0, 0), (2, 2)))
    most = np.lib.stride_tricks.sliding_window_view(wide, 3, axis=1).max(axis=2)
    return np.asarray(np.pad(most, ((0, 0), (1, 1))))


def _outwards(
    photo: Bytes, outline: Floats, ways: Floats, width: float, far: float
) -> tuple[Bytes, Floats]:
    """Sample a photo along directions outwards from an outline.

    Args:
        photo: (height, width, 3).
        outline: (2, 11, 2) the outline; sampling begins `EDGE` inside of it.
        ways: (2, 11, 2) unit vectors outwards.
        width: of the mouth, in pixels.
        far: farthest distance in mouth widths.

    Returns:
        (2, 11, steps, 3) colours, and (steps,) distances in mouth widths.
    """
    steps = np.linspace(-EDGE, far, STEPS, dtype=np.float32)
    where = outline[:, :, None] + np.float32(width) * steps[:, None] * ways[:, :, None]
    seen = read(photo, where.reshape(2, -1, 2).astype(np.float32))
    return seen.reshape(2, -1, STEPS, 3), steps


def _lips(points: Floats) -> Floats:
    """(n, 2) places halfway across the lips, around the middle of the mouth."""
    out: Floats = points[LIP_ROWS[:, 1:3, 3:8], :2].reshape(-1, 2)
    return out
