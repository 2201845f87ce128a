"""Pixels: the photo's own, from where the field says."""

from __future__ import annotations

import cv2
import numpy as np

from retarget.generate.warp.flow import Floats, Grid, draw_affine, enlarged
from retarget.generate.warp.mesh import Ints
from retarget.generate.warp.rims import Bytes, Rims, box_around, two_sided

STILL = 0.02
"""Pixels of displacement below which a point counts as still."""


def moving_grid(
    source: Floats, moved: Floats, triangles: Ints, step: int, size: tuple[int, int]
) -> tuple[Grid, Ints] | None:
    """The cells that cover every triangle with a moving point, and those triangles.

    Args:
        source: (n, 2) the photo's mesh, in pixels of the crop.
        moved: (n, 2) displacements.
        triangles: (t, 3).
        step: pixels per cell.
        size: (width, height) of the crop.

    Returns:
        None where nothing moves.
    """
    active = (np.abs(moved) > STILL).any(axis=1)[triangles].any(axis=1)
    if not active.any():
        return None
    used = triangles[active]
    points = np.concatenate([source[used].reshape(-1, 2), (source + moved)[used].reshape(-1, 2)])
    pad = 2 * step
    low = np.maximum(points.min(axis=0) - pad, 0) // step
    high = np.minimum(points.max(axis=0) + pad, (size[0], size[1])) // step + 1
    high = np.minimum(high, -(-np.array(size) // step))
    left, top = (int(v) for v in low)
    columns, rows = (int(v) for v in high - low)
    if columns < 2 or rows < 2:
        return None
    return Grid(left * step, top * step, columns, rows, step), used


def skin_field(grid: Grid, source: Floats, moved: Floats, triangles: Ints) -> Floats:
    """(rows, columns, 2) pixels from each cell to where it comes from, unsmoothed."""
    field = np.zeros((grid.rows, grid.columns, 2), np.float32)
    draw_affine(field, grid.to_cells(source + moved), triangles, -moved)
    return field


def full_field(grid: Grid, field: Floats, openings: list[tuple[Rims, Rims]]) -> Floats:
    """The field at pixel size, two-sided at each opening (now, photo)."""
    out = enlarged(cv2.blur(field, (3, 3), borderType=cv2.BORDER_CONSTANT), grid.step)
    for now, photo in openings:
        points = np.concatenate([now.outline, photo.outline])
        margin = 0.12 * photo.width + 3 * grid.step
        box = box_around(points, margin, grid)
        left, top, right, bottom = (v * grid.step for v in box)
        if right - left < 4 * grid.step or bottom - top < 4 * grid.step:
            continue
        reach = 2.5 * grid.step
        patch = two_sided(field, grid, box, now, photo, reach)
        edge = 2 * grid.step  # the blur inside the patch does not know what lies beyond its border
        out[top + edge : bottom - edge, left + edge : right - edge] = patch[edge:-edge, edge:-edge]
    return out


def warped(photo: Bytes, grid: Grid, field: Floats) -> Bytes:
    """The photo's pixels moved: a copy of the crop, changed where the grid lies."""
    out = photo.copy()
    height, width = photo.shape[:2]
    right, bottom = min(grid.left + field.shape[1], width), min(grid.top + field.shape[0], height)
    field = field[: bottom - grid.top, : right - grid.left]
    at = field + pixel_grid(grid.left, grid.top, right, bottom)
    out[grid.top : bottom, grid.left : right] = cv2.remap(
        photo, at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return out


def pixel_grid(left: int, top: int, right: int, bottom: int) -> Floats:
    """(height, width, 2) the coordinates of pixels."""
    out = np.empty((bottom - top, right - left, 2), np.float32)
    out[..., 0] = np.arange(left, right, dtype=np.float32)
    out[..., 1] = np.arange(top, bottom, dtype=np.float32)[:, None]
    return out
