"""Pixels: the photo's own, from where the field says.

The photo is kept at twice its size, interpolated once with a long filter. Reading that linearly
is about as sharp as reading the photo with a cubic each time, and several times cheaper. Its even
pixels are the photo's own, so what does not move is not changed in the least.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget.generate.warp.flow import Grid, enlarged, softened
from retarget.generate.warp.mesh import Bytes, Floats
from retarget.generate.warp.paint import read
from retarget.generate.warp.rims import Rims, above, lay_aprons, part_around

_HALFWAY = np.array([3, -25, 150, 150, -25, 3], np.float32) / 256
"""Filter for the value between two pixels."""


class Canvas:
    """The crop of a photo, ready to be moved.

    Args:
        photo: (height, width, 3) RGB.
    """

    def __init__(self, photo: Bytes) -> None:
        self.photo = photo
        self._double = _doubled(photo)
        height, width = photo.shape[:2]
        self._at = np.empty((height, width, 2), np.float32)
        self._at[..., 0] = 2 * np.arange(width)
        self._at[..., 1] = 2 * np.arange(height)[:, None]

    def moved(self, grid: Grid, field: Floats) -> Bytes:
        """(height, width, 3) the crop with the pixels of `field` moved.

        Args:
            grid: where the field lies.
            field: (h, w, 2) pixels from where a pixel is to where it comes from.
        """
        out = self.photo.copy()
        left, top = grid.left, grid.top
        where = self._at[top : top + field.shape[0], left : left + field.shape[1]]
        height, width = where.shape[:2]
        source = np.asarray(cv2.scaleAdd(field[:height, :width], 2.0, where), np.float32)
        drawn = read(self._double, source)
        out[top : top + height, left : left + width] = cv2.cvtColor(drawn, cv2.COLOR_RGBA2RGB)
        return out


def _doubled(photo: Bytes) -> Bytes:
    """(2 height, 2 width, 4) the photo at twice its size; a fourth channel reads faster."""
    four = cv2.cvtColor(photo, cv2.COLOR_RGB2RGBA)
    across = cv2.filter2D(four, -1, _HALFWAY[None], anchor=(2, 0), borderType=cv2.BORDER_REPLICATE)
    wide = np.stack([four, across], axis=2).reshape(four.shape[0], -1, 4)
    down = cv2.filter2D(wide, -1, _HALFWAY[:, None], anchor=(0, 2), borderType=cv2.BORDER_REPLICATE)
    out: Bytes = np.stack([wide, down], axis=1).reshape(-1, wide.shape[1], 4)
    return out


def pixel_field(grid: Grid, field: Floats, openings: list[tuple[Rims, Rims]]) -> Floats:
    """The field at pixel size, skin on each side of an opening following its own rim.

    Args:
        grid: the cells of the field.
        field: (rows, columns, 2) unsoftened; used up.
        openings: rims now, and where they take their pixels from.
    """
    upper, lower = (softened(side) for side in lay_aprons(field, grid, openings))
    out = enlarged(lower, grid.step)
    for now, start in openings:
        points = np.concatenate([now.upper, now.lower, start.upper, start.lower])
        part = part_around(points, 5 * grid.step, grid)
        if part.columns < 3 or part.rows < 3:
            continue
        left, top = part.left - grid.left, part.top - grid.top
        column, row = left // grid.step, top // grid.step
        side = upper[row : row + part.rows, column : column + part.columns]
        large = enlarged(side, grid.step)
        rows, columns = slice(top, top + large.shape[0]), slice(left, left + large.shape[1])
        cv2.copyTo(large, above(now, part), out[rows, columns])
    return out
