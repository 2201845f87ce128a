"""The openings of the face: two eyes and a mouth, each between an upper and a lower rim.

Skin above an opening moves with the upper rim and skin below it with the lower rim, right up to
the line where the two would meet. Each side has its own field, so lips and lids keep a sharp edge
while the field itself stays smooth.
"""

from __future__ import annotations

import math
from functools import cache, cached_property

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Floats, Ints
from retarget.generate.warp.flow import Grid, draw_affine
from retarget.generate.warp.paint import fill

Opening = tuple[Ints, Ints]
"""Indices of upper and lower rim, from picture left to right, corners in both."""

MOUTH: Opening = (np.array(landmarks.LIPS_INNER_UPPER), np.array(landmarks.LIPS_INNER_LOWER))
RIGHT_EYE: Opening = (np.array(landmarks.RIGHT_EYE_UPPER), np.array(landmarks.RIGHT_EYE_LOWER))
LEFT_EYE: Opening = (
    np.array(landmarks.LEFT_EYE_UPPER[::-1]),
    np.array(landmarks.LEFT_EYE_LOWER[::-1]),
)
LIP_ROWS = np.array([landmarks.UPPER_LIP_ROWS, landmarks.LOWER_LIP_ROWS])
"""(2, 4, 11) indices of both lips' rows, from the outline of the mouth to its rim."""


class Rims:
    """The rims of one opening; derived values are cached.

    Args:
        upper: (n, 2) its upper rim, from picture left to right.
        lower: (n, 2) its lower rim; both begin and end at the corners. Neither changes.
    """

    def __init__(self, upper: Floats, lower: Floats) -> None:
        self.upper, self.lower = upper, lower
        (ax, ay), (bx, by) = upper[0].tolist(), upper[-1].tolist()
        self.width = max(math.hypot(bx - ax, by - ay), 1e-3)
        """Pixels from corner to corner."""
        self.down = np.array([ay - by, bx - ax], np.float32) / np.float32(self.width)
        """(2,) unit vector across the opening, towards the chin."""

    @cached_property
    def along(self) -> Floats:
        """(2,) unit vector from the picture-left corner to the other."""
        return np.array([self.down[1], -self.down[0]], np.float32)

    @cached_property
    def middle_of_corners(self) -> Floats:
        """(2,) midpoint of the corners."""
        out: Floats = (self.upper[0] + self.upper[-1]) * np.float32(0.5)
        return out

    @cached_property
    def middle(self) -> Floats:
        """(n, 2) the line between the rims."""
        return (self.upper + self.lower) * np.float32(0.5)

    @cached_property
    def apart(self) -> Floats:
        """(n,) pixels between the rims, negative where they overlap."""
        out: Floats = (self.lower - self.upper) @ self.down
        return out

    @cached_property
    def gap(self) -> float:
        """Pixels between the rims at the middle of the opening, negative where they overlap."""
        n = len(self.upper) // 2
        a, b, c = self.apart[n - 1 : n + 2].tolist()
        return float(a + b + c) / 3

    def place_across(self, line: Floats) -> Floats:
        """(n,) relative height of a line (m, 2), from picture left to right, in the opening.

        0 at the upper rim or above, 1 at the lower rim or below; constant beyond the line's ends.
        """
        aside, down = line @ self.along, line @ self.down
        crossing = np.interp(self.middle @ self.along, aside, down) - self.upper @ self.down
        share = crossing / np.maximum(self.apart, np.float32(1e-3))
        out: Floats = np.clip(share, 0, 1).astype(np.float32)
        return out

    def place_along(self, box: tuple[slice, slice]) -> Floats:
        """(h, w) offset of each pixel of a box to the right of the middle, in opening widths."""
        (x, y), (along_x, along_y) = self.middle_of_corners.tolist(), self.along.tolist()
        rows, columns = (np.arange(side.start, side.stop, dtype=np.float32) for side in box)
        place = along_x * (columns - x) + (along_y * (rows - y))[:, None]
        return np.asarray(place / self.width, np.float32)

    @cached_property
    def smooth(self) -> Rims:
        """The same rims with twice the points, on a smooth curve."""
        return Rims(curved(self.upper, 2), curved(self.lower, 2))

    def without_upper(self, share: Floats | float) -> Rims:
        """The part of the opening below a share (0..1) of it: one, or one for each point (n,)."""
        much = np.asarray(share, np.float32).reshape(-1, 1)
        return Rims(self.upper + much * (self.lower - self.upper), self.lower)

    @cached_property
    def outline(self) -> Floats:
        """(2n - 2, 2) polygon of the opening."""
        return np.concatenate([self.upper, self.lower[-2:0:-1]])

    def differs(self, other: Rims) -> float:
        """Largest distance in pixels between corresponding points."""
        upper, lower = np.abs(self.upper - other.upper), np.abs(self.lower - other.lower)
        return float(max(upper.max(), lower.max()))


def rims_of(points: Floats, opening: Opening) -> Rims:
    """The rims of an opening in a mesh (n, 2 or 3)."""
    return Rims(points[opening[0], :2], points[opening[1], :2])


def curved(line: Floats, times: int) -> Floats:
    """A line (n, 2) with `times` - 1 points inserted between neighbours, on a Catmull-Rom curve."""
    out: Floats = curve(len(line), times) @ line
    return out


@cache
def curve(count: int, times: int) -> Floats:
    """((count - 1) times + 1, count) matrix from points to a Catmull-Rom curve through them."""
    out = np.zeros(((count - 1) * times + 1, count), np.float32)
    ends = np.eye(count)
    before, after = 2 * ends[0] - ends[1], 2 * ends[-1] - ends[-2]  # extrapolated past the ends
    a, b, c, d = (np.array([before, *ends, after])[k : k + count - 1] for k in range(4))
    for k in range(times):
        t = k / times
        out[k::times][: count - 1] = 0.5 * (
            2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
            + (3 * b - 3 * c + d - a) * t**3
        )  # fmt: skip
    out[-1, -1] = 1
    return out


def lay_aprons(
    field: Floats, grid: Grid, openings: list[tuple[Rims, Rims]]
) -> tuple[Floats, Floats]:
    """The field for the skin above the openings, and for the skin below them.

    Each extends the displacement of its rims a little past the line where the rims would meet.

    Args:
        field: (rows, columns, 2) displacement in pixels from each cell to its source.
        grid: the field's cells.
        openings: moved rims, each with its source.
    """
    upper, lower = field.copy(), field
    beyond = 2.5 * grid.step
    above = [(now.upper, start.upper, now.middle + beyond * now.down) for now, start in openings]
    below = [(now.lower, start.lower, now.middle - beyond * now.down) for now, start in openings]
    _draw_aprons(upper, grid, above)
    _draw_aprons(lower, grid, below)
    return upper, lower


def _draw_aprons(side: Floats, grid: Grid, aprons: list[tuple[Floats, Floats, Floats]]) -> None:
    """Extend displacements from rims to lines: (moved rim, its source, line) each."""
    points, values, triangles, count = [], [], [], 0
    for rim, start, line in aprons:
        end = line.copy()
        end[[0, -1]] = rim[[0, -1]]
        back = start - rim
        points += [rim, end]
        values += [back, back]
        triangles.append(_strip(len(rim)) + count)
        count += 2 * len(rim)
    cells = grid.to_cells(np.concatenate(points))
    draw_affine(side, cells, np.concatenate(triangles), np.concatenate(values), slack=0.02)


@cache
def _strip(count: int) -> Ints:
    """(2 count - 2, 3) triangles between points 0 … count - 1 and count … 2 count - 1."""
    i = np.arange(count - 1)
    first, second = (
        np.stack([i, i + 1, i + count], 1),
        np.stack([i + 1, i + count, i + count + 1], 1),
    )
    return np.concatenate([first, second])


def part_around(points: Floats, margin: float, grid: Grid) -> Grid:
    """The cells of a grid around points with a margin in pixels; none where they lie outside."""
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    step = grid.step
    left, right = _cells(left - grid.left, right - grid.left, margin, step, grid.columns)
    top, bottom = _cells(top - grid.top, bottom - grid.top, margin, step, grid.rows)
    return Grid(grid.left + left * step, grid.top + top * step, right - left, bottom - top, step)


def _cells(first: float, last: float, margin: float, step: int, count: int) -> tuple[int, int]:
    """The range of cells (start, end) between two places with a margin in pixels."""
    begin = min(max(math.floor((first - margin) / step), 0), count)
    return begin, min(max(math.ceil((last + margin) / step) + 1, begin), count)


def above(now: Rims, part: Grid) -> Bytes:
    """(height, width) share of each pixel that lies above the line between the rims, 0..255."""
    line = curved(now.middle, 3) - np.array([part.left, part.top], np.float32)
    far = 4 * part.step * max(part.columns, part.rows)
    along = (line[-1] - line[0]) / np.float32(now.width) * far
    up = np.array([along[1], -along[0]], np.float32)
    ends = np.stack(
        [line[-1] + along, line[-1] + along + up, line[0] - along + up, line[0] - along]
    )
    mask = np.zeros((part.rows * part.step, part.columns * part.step), np.uint8)
    fill(mask, np.concatenate([line, ends]))
    return mask
