"""From moved points to a field of backward displacements.

The field is piecewise affine on the moved triangles. It is sampled on a grid of cells that covers
only what moves (a cell is about 1/60 of the eye distance, so the cost does not grow with the
picture; four times as wide around the face), smoothed, and enlarged to full size where pixels are
drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from retarget.flow import landmarks
from retarget.flow.arrays import Bools, Floats, Ints
from retarget.generate.warp.mesh import COUNT, OVAL, topology

Cells = npt.NDArray[np.int32]

STILL = 0.02
"""Pixels of displacement below which a point counts as still."""
EDGE = 2.5
"""Distance from an edge of the photo, in displacements, from which a displacement applies in
full."""
AROUND = 4
"""Factor by which cells are wider around the face."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of `step` pixels; cell (0, 0) begins at pixel (left, top)."""

    left: int
    top: int
    columns: int
    rows: int
    step: int

    def to_cells(self, points: Floats) -> Floats:
        """Pixels (n, 2) as cell coordinates; whole numbers are centres of cells."""
        origin = np.array([self.left, self.top], np.float32)
        return ((points - origin + 0.5) / self.step - 0.5).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Covered:
    """Cells whose centres lie in triangles, in the order of the triangles."""

    triangle: Ints
    """(n,) index of the triangle."""
    cell: Ints
    """(n,) index of the cell in the flattened field."""
    second: Floats
    """(n,) barycentric share of the triangle's second point; the first has the remainder."""
    third: Floats
    """(n,) share of the third point."""


def draw_affine(
    field: Floats, corners: Floats, triangles: Ints, values: Floats, slack: float = 1e-3
) -> None:
    """Interpolate point values over triangles into `field`.

    Args:
        field: (rows, columns, 2) changed in place where a triangle covers a cell's centre.
        corners: (n, 2) points in cells.
        triangles: (t, 3) drawn in this order; a later one covers an earlier one.
        values: (n, 2) per point.
        slack: tolerance outside a triangle in barycentric units.
    """
    covered = _covered(corners, triangles, field.shape[:2], slack)
    which, out = covered.triangle, field.reshape(-1, 2)
    for k in range(2):
        value = np.ascontiguousarray(values[:, k].take(triangles).T)
        drawn = value[0].take(which)
        drawn += covered.second * (value[1] - value[0]).take(which)
        drawn += covered.third * (value[2] - value[0]).take(which)
        out[covered.cell, k] = drawn


def _covered(corners: Floats, triangles: Ints, shape: tuple[int, ...], slack: float) -> _Covered:
    """The cells of a field (rows, columns) that triangles cover.

    All cells of all bounding boxes are tested at once, as one flat list.
    """
    height, width = shape
    x, y = (np.ascontiguousarray(corners[:, k].take(triangles).T) for k in range(2))  # (3, t)
    left = np.maximum(np.ceil(x.min(axis=0) - slack), 0)
    right = np.minimum(np.floor(x.max(axis=0) + slack), width - 1)
    top = np.maximum(np.ceil(y.min(axis=0) - slack), 0)
    bottom = np.minimum(np.floor(y.max(axis=0) + slack), height - 1)
    (ux, uy), (vx, vy) = (x[1] - x[0], y[1] - y[0]), (x[2] - x[0], y[2] - y[0])
    det = ux * vy - uy * vx
    flat = np.abs(det) < 1e-6
    across = np.maximum(right - left + 1, 0).astype(np.int32)
    down = np.maximum(bottom - top + 1, 0).astype(np.int32)
    which, column, row = _in_boxes(across, np.where(flat, 0, down))
    inverse = 1 / np.where(flat, 1, det)
    dx, dy = left - x[0], top - y[0]
    i, j = column.astype(np.float32), row.astype(np.float32)
    share = []  # barycentric: of the second and of the third point
    for a, b in ((vy * inverse, -vx * inverse), (-uy * inverse, ux * inverse)):
        of = a.take(which)
        of *= i
        of += b.take(which) * j
        of += (a * dx + b * dy).take(which)
        share.append(of)
    second, third = share
    inside = np.flatnonzero((second >= -slack) & (third >= -slack) & (second + third <= 1 + slack))
    cell = (top * width + left).astype(np.int64).take(which.take(inside))
    cell += (row * np.int32(width) + column).take(inside)
    return _Covered(which.take(inside), cell, second.take(inside), third.take(inside))


def _in_boxes(across: Cells, down: Cells) -> tuple[Ints, Cells, Cells]:
    """Box index, column and row of each cell in boxes (t,) of the given sizes."""
    count = across * down
    which = np.repeat(np.arange(len(count)), count)
    nth = np.arange(len(which), dtype=np.int32)
    nth -= (np.cumsum(count, dtype=np.int32) - count).astype(np.int32).take(which)
    wide = across.take(which)
    row = nth // wide
    return which, nth - row * wide, row


def moving_grid(
    source: Floats, moved: Floats, step: int, size: tuple[int, int]
) -> tuple[Grid, Ints] | None:
    """The cells that cover every triangle with a moving point, and those triangles.

    Args:
        source: (576, 2) the photo's mesh and rings, in pixels of the crop.
        moved: (576, 2) displacements.
        step: pixels per cell.
        size: (width, height) of the crop.

    Returns:
        None where nothing moves.
    """
    triangles = topology().whole
    moves = (np.abs(moved.T) > STILL).any(axis=0)
    used = triangles[moves.take(triangles.T).any(axis=0)]
    if not len(used):
        return None
    touched = np.zeros(len(source), np.bool_)
    touched[used] = True
    points = np.concatenate([source[touched], (source + moved)[touched]])
    coarse = step * AROUND
    low = np.maximum(points.min(axis=0) - 2 * step, 0) // coarse
    high = np.minimum(np.maximum(points.max(axis=0) + 2 * step, 0), size) // coarse + 1
    left, top = (int(v) * coarse for v in low)
    columns, rows = (int(v) * AROUND for v in high - low)
    if columns <= 0 or rows <= 0:
        return None
    return Grid(left, top, columns, rows, step), used


def skin_field(grid: Grid, placed: Floats, back: Floats, triangles: Ints) -> Floats:
    """(rows, columns, 2) displacement in pixels from each cell back to its source, unsmoothed.

    Args:
        grid: the cells.
        placed: (576, 2) the moved points.
        back: (576, 2) displacements from these back to their sources.
        triangles: the triangles to draw, in order.
    """
    coarse = Grid(
        grid.left, grid.top, grid.columns // AROUND, grid.rows // AROUND, grid.step * AROUND
    )
    around = np.zeros((coarse.rows, coarse.columns, 2), np.float32)
    outer = triangles[outside().take(triangles.T).any(axis=0)]
    draw_affine(around, coarse.to_cells(placed), outer, back)
    field = enlarged(around, AROUND)
    face = triangles[(triangles.T < landmarks.MESH_COUNT).all(axis=0)]
    draw_affine(field, grid.to_cells(placed), face, back)
    return field


def stay_within(field: Floats, grid: Grid, size: tuple[int, int]) -> None:
    """Limit a field, in place, to sources within the crop.

    Movement away from an edge stretches the pixels there, as those beyond are unknown.

    Args:
        field: (rows, columns, 2) displacement in pixels from each cell to its source.
        grid: the cells.
        size: (width, height) of the crop in pixels.
    """
    for axis, start in enumerate((grid.left, grid.top)):
        cells = np.arange(field.shape[1 - axis], dtype=np.float32)
        at = start + grid.step * (cells + np.float32(0.5)) - np.float32(0.5)
        at = at[None, :] if axis == 0 else at[:, None]
        way = field[..., axis]
        room = np.where(way < 0, at, size[axis] - 1 - at)
        near = np.clip(room / np.maximum(EDGE * np.abs(way), 1e-3), 0, 1)
        way *= near * (1.5 - 0.5 * near * near)


@cache
def outside() -> Bools:
    """(576,) whether a point belongs to the rings, the oval, or lies up to two steps inside it."""
    near = np.zeros(landmarks.MESH_COUNT, np.bool_)
    near[OVAL] = True
    for _ in range(2):
        near |= topology().joined[near].max(axis=0) > 0
    return np.concatenate([near, np.ones(COUNT - landmarks.MESH_COUNT, np.bool_)])


def softened(field: Floats) -> Floats:
    """A field (rows, columns, 2) smoothed across the edges of its triangles."""
    return np.asarray(cv2.blur(field, (3, 3), borderType=cv2.BORDER_REPLICATE), np.float32)


def enlarged(field: Floats, times: int) -> Floats:
    """A field (rows, columns, 2) enlarged `times` in both directions."""
    if times == 1:
        return field
    rows, columns = field.shape[:2]
    size = (columns * times, rows * times)
    return np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_LINEAR), np.float32)
