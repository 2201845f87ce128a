"""The openings of the face: two eyes and a mouth, each between an upper and a lower rim.

Skin above an opening moves with the upper rim and skin below it with the lower rim, right up to
the line where the two would meet. Each side has its own field, so lips and lids keep a sharp edge
while the field itself stays smooth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retarget.flow import landmarks
from retarget.generate.warp.flow import Grid, draw_affine, enlarged, softened
from retarget.generate.warp.mesh import Bytes, Floats, Ints

Opening = tuple[Ints, Ints]
"""Indices of upper and lower rim, from picture left to right, corners in both."""

MOUTH: Opening = (np.array(landmarks.LIPS_INNER_UPPER), np.array(landmarks.LIPS_INNER_LOWER))
RIGHT_EYE: Opening = (np.array(landmarks.RIGHT_EYE_UPPER), np.array(landmarks.RIGHT_EYE_LOWER))
LEFT_EYE: Opening = (
    np.array(landmarks.LEFT_EYE_UPPER[::-1]),
    np.array(landmarks.LEFT_EYE_LOWER[::-1]),
)


@dataclass(frozen=True, slots=True)
class Rims:
    """Where an opening lies: (n, 2) upper and lower rim, from picture left to right."""

    upper: Floats
    lower: Floats

    @property
    def middle(self) -> Floats:
        """(n, 2) the line between the rims."""
        return (self.upper + self.lower) * np.float32(0.5)

    @property
    def width(self) -> float:
        """Pixels from corner to corner."""
        return float(np.linalg.norm(self.upper[-1] - self.upper[0]))

    @property
    def down(self) -> Floats:
        """(2,) unit vector across the opening, towards the chin."""
        along = (self.upper[-1] - self.upper[0]) / max(self.width, 1e-3)
        return np.array([-along[1], along[0]], np.float32)

    @property
    def gap(self) -> float:
        """Pixels between the rims at the middle of the opening, negative where they overlap."""
        n = len(self.upper) // 2
        across = (self.lower - self.upper)[n - 1 : n + 2] @ self.down
        return float(across.mean())

    def smooth(self, times: int = 2) -> Rims:
        """The same rims with points between, on a Catmull-Rom curve."""
        return Rims(curved(self.upper, times), curved(self.lower, times))

    @property
    def outline(self) -> Floats:
        """(2n - 2, 2) polygon of the opening."""
        return np.concatenate([self.upper, self.lower[-2:0:-1]])


def rims_of(points: Floats, opening: Opening) -> Rims:
    """The rims of an opening in a mesh (n, 2 or 3)."""
    return Rims(points[opening[0], :2], points[opening[1], :2])


def curved(line: Floats, times: int) -> Floats:
    """A polyline with `times` - 1 points between neighbours, on a Catmull-Rom curve."""
    before = np.concatenate([2 * line[:1] - line[1:2], line, 2 * line[-1:] - line[-2:-1]])
    a, b, c, d = before[:-3], before[1:-2], before[2:-1], before[3:]
    out = np.empty(((len(line) - 1) * times + 1, 2), np.float32)
    for k in range(times):
        t = k / times
        out[k::times][: len(a)] = 0.5 * (
            2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
            + (3 * b - 3 * c + d - a) * t**3
        )  # fmt: skip
    out[-1] = line[-1]
    return out


def box_around(points: Floats, margin: float, grid: Grid) -> tuple[int, int, int, int]:
    """Cells (left, top, right, bottom) of a grid around points and a margin in pixels."""
    low = (points.min(axis=0) - margin - (grid.left, grid.top)) // grid.step
    high = (points.max(axis=0) + margin - (grid.left, grid.top)) // grid.step + 2
    left, top = np.maximum(low, 0).astype(int)
    right, bottom = np.minimum(high, (grid.columns, grid.rows)).astype(int)
    return int(left), int(top), int(right), int(bottom)


def two_sided(
    field: Floats, grid: Grid, box: tuple[int, int, int, int], now: Rims, photo: Rims
) -> Floats:
    """The field around an opening at pixel size, each side following its own rim.

    Args:
        field: (rows, columns, 2) pixels from where a cell is to where it comes from, unsoftened.
        grid: the field's cells.
        box: cells around the opening, as from `box_around`.
        now: where the rims shall be.
        photo: where they are in the photo.

    Returns:
        (height, width, 2) float32 of the box's pixels.
    """
    left, top, right, bottom = box
    part = Grid(
        grid.left + left * grid.step, grid.top + top * grid.step, right - left, bottom - top,
        grid.step,
    )  # fmt: skip
    beyond = 2.5 * grid.step * now.down
    sides = []
    for rim, start, end in (
        (now.upper, photo.upper, now.middle + beyond),
        (now.lower, photo.lower, now.middle - beyond),
    ):
        side = field[top:bottom, left:right].copy()
        _draw_apron(side, part, rim, end, start - rim)
        sides.append(enlarged(softened(side), grid.step))
    upper, lower = sides
    cv2.copyTo(upper, _above(now, part), lower)
    return lower


def _draw_apron(side: Floats, part: Grid, rim: Floats, end: Floats, back: Floats) -> None:
    """Carry a rim's displacement on to the line `end`, past the middle of the opening."""
    n = len(rim)
    end = end.copy()
    end[[0, -1]] = rim[[0, -1]]
    i = np.arange(n - 1)
    first, second = np.stack([i, i + 1, i + n], 1), np.stack([i + 1, i + n, i + n + 1], 1)
    cells = part.to_cells(np.concatenate([rim, end]))
    draw_affine(
        side, cells, np.concatenate([first, second]), np.concatenate([back, back]), slack=0.02
    )


def _above(now: Rims, part: Grid) -> Bytes:
    """(height, width) 255 above the line between the rims, 0 below."""
    line = curved(now.middle, 3) - np.array([part.left, part.top], np.float32)
    far = 4 * part.step * max(part.columns, part.rows)
    along = (line[-1] - line[0]) / max(now.width, 1e-3) * far
    up = np.array([along[1], -along[0]], np.float32)
    area = np.concatenate([[line[0] - along], line, [line[-1] + along]])
    area = np.concatenate([area, [area[-1] + up, area[0] + up]])
    mask = np.zeros((part.rows * part.step, part.columns * part.step), np.uint8)
    cv2.fillPoly(mask, [np.rint(area * 16).astype(np.int32)], 255, shift=4)
    return mask


def covered(
    outline: Floats, origin: tuple[float, float], shape: tuple[int, int], soft: float
) -> Bytes:
    """(height, width) how much of each pixel a polygon covers, 0..255.

    Args:
        outline: (n, 2) pixels.
        origin: pixel at the mask's top left.
        shape: (height, width) of the mask.
        soft: standard deviation in pixels of a blur; 0 for none.
    """
    mask = np.zeros(shape, np.uint8)
    at = np.rint((outline - np.array(origin, np.float32)) * 16).astype(np.int32)
    cv2.fillPoly(mask, [at], 255, lineType=cv2.LINE_AA, shift=4)
    if soft > 0.3:
        cv2.GaussianBlur(mask, (0, 0), soft, dst=mask)
    return mask
