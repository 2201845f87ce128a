"""From moved points to where every pixel comes from.

The field is piecewise affine on the moved triangles. It is read off on a coarse grid that covers
only what moves (a cell is about 1/60 of the eye distance, so the cost does not grow with the
picture), softened, and brought to full size where pixels are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retarget.generate.warp.mesh import Floats, Ints


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of `step` pixels; cell (0, 0) begins at pixel (left, top)."""

    left: int
    top: int
    columns: int
    rows: int
    step: int

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.columns * self.step, self.rows * self.step

    def to_cells(self, points: Floats) -> Floats:
        """Pixels as cell coordinates; whole numbers are the middles of cells."""
        origin = np.array([self.left, self.top], np.float32)
        return ((points - origin + 0.5) / self.step - 0.5).astype(np.float32)


def draw_affine(
    field: Floats, corners: Floats, triangles: Ints, values: Floats, slack: float = 1e-3
) -> None:
    """Interpolate point values over triangles, drawn in order, into `field`.

    Args:
        field: (rows, columns, 2) changed in place where a triangle covers a cell's middle.
        corners: (n, 2) points in cells.
        triangles: (t, 3) drawn in this order; a later one covers an earlier one.
        values: (n, 2) per point.
        slack: how far outside a triangle a cell still counts, in barycentric units.
    """
    height, width = field.shape[:2]
    p = corners[triangles]  # (t, 3, 2)
    low = np.maximum(np.ceil(p.min(axis=1) - 1e-3), 0).astype(np.int32)
    high = np.minimum(np.floor(p.max(axis=1) + 1e-3), (width - 1, height - 1)).astype(np.int32)
    across, down = np.maximum(high - low + 1, 0).T
    u, v = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    det = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    count = np.where(np.abs(det) > 1e-9, across * down, 0)
    if not count.sum():
        return
    which = np.repeat(np.arange(len(triangles)), count)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    row = nth // across[which]
    x = low[which, 0] + nth - row * across[which]
    y = low[which, 1] + row
    safe = np.where(np.abs(det) > 1e-9, det, 1.0)
    plane = np.stack([v[:, 1], -v[:, 0], -u[:, 1], u[:, 0]], axis=1) / safe[:, None]
    plane, base = plane[which], p[which, 0]
    dx, dy = x - base[:, 0], y - base[:, 1]
    b1 = plane[:, 0] * dx + plane[:, 1] * dy
    b2 = plane[:, 2] * dx + plane[:, 3] * dy
    inside = (b1 >= -slack) & (b2 >= -slack) & (b1 + b2 <= 1 + slack)
    which, b1, b2 = which[inside], b1[inside, None], b2[inside, None]
    start = values[triangles[:, 0]]
    first, second = values[triangles[:, 1]] - start, values[triangles[:, 2]] - start
    drawn = start[which] + b1 * first[which] + b2 * second[which]
    field[y[inside], x[inside]] = drawn


def enlarged(field: Floats, step: int) -> Floats:
    """A cell field (rows, columns, 2) at pixel size."""
    if step == 1:
        return field
    rows, columns = field.shape[:2]
    out: Floats = cv2.resize(field, (columns * step, rows * step), interpolation=cv2.INTER_LINEAR)
    return out
