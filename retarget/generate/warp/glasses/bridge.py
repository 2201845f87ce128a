"""The bridges of glasses: thin paths from lens to lens."""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow.arrays import Bools, Floats, Ints
from retarget.generate.warp.glasses.best_path import best_path
from retarget.generate.warp.glasses.frontal_view import EYES_AT, UNIT, WIDE, View
from retarget.generate.warp.glasses.lens_rim import ACROSS, BESIDE, CLEAR, ridges_in, sharpened

HALF_BRIDGE = 0.2
"""Head units from the middle of the nose within which a bridge meets the lenses."""
BRIDGE_UP, BRIDGE_DOWN = 0.3, 0.3
"""Search range of the glasses' bridge above and below that of the nose, in head units."""
BEND_OF_BRIDGE = 0.05
"""Cost per pixel of a path's change of height from one column to the next."""
BRIDGE_SEEN = 0.06
"""Least contrast of a bridge."""
APART = 6
"""Least distance of a second bridge from the first, in pixels."""


def bridges_between(view: View, lenses: list[Floats]) -> list[Floats]:
    """(n, 2) outlines of the bridge and of a second one above or below it, if any."""
    half, top = round(HALF_BRIDGE * UNIT), round((EYES_AT - BRIDGE_UP) * UNIT)
    first, bottom = round(WIDE * UNIT / 2) - half, round((EYES_AT + BRIDGE_DOWN) * UNIT)
    part = np.ascontiguousarray(view.light[top:bottom, first : first + 2 * half].T)
    within = np.zeros(view.light.shape, np.uint8)
    for lens in lenses:
        cv2.fillPoly(within, [np.rint(lens).astype(np.int32)], (1,))
    free = within[top:bottom, first : first + 2 * half].T == 0
    ridges, across = ridges_in(part)
    ridges[~free] = 0
    sharp, clear = sharpened(ridges), np.minimum(ridges, CLEAR)
    out: list[Floats] = []
    columns = np.arange(len(part))
    for _ in range(2):
        path = best_path(sharp, BEND_OF_BRIDGE)
        between = free[columns, path]
        amid = cv2.erode(between[:, None].astype(np.uint8), np.ones((5, 1), np.uint8))[:, 0] > 0
        seen = clear[columns, path][amid]
        if not len(seen) or np.percentile(seen, ACROSS) < BRIDGE_SEEN:
            break
        width = float(np.median(across[columns, path][between]))
        out.append(_band(path, between, width) + np.array([first, top], np.float32))
        sharp[np.abs(np.arange(sharp.shape[1]) - path[:, None]) <= APART] = 0
    return out


def _band(path: Ints, between: Bools, width: float) -> Floats:
    """(n, 2) outline of a band along a path (columns,), where `between`."""
    columns = np.flatnonzero(between)
    columns = np.arange(max(columns[0] - 2, 0), min(columns[-1] + 3, len(path)))
    line = np.stack([columns, path[columns]], axis=1).astype(np.float32)
    half = np.array([0, width / 2 + BESIDE], np.float32)
    return np.concatenate([line - half, (line + half)[::-1]])
