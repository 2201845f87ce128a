"""Pixels: the photo's own, from where the field says.

A photo that stays is kept at four times its size, interpolated once with a long filter. Reading
that linearly is several times cheaper than reading the photo with a cubic each time. Every fourth
of its pixels is the photo's own, so what does not move is not changed in the least. A picture that
is shown once, as those of a clip are, is read with a cubic directly.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Floats, Ints
from retarget.generate.warp.backdrop import BAND, Backdrop
from retarget.generate.warp.flow import Grid, enlarged, softened
from retarget.generate.warp.paint import read, read_finely, to_bytes
from retarget.generate.warp.rims import Rims, above, lay_aprons, part_around

_LANCZOS = np.array(
    [-0.0126, 0.0598, -0.1660, 0.6188, 0.6188, -0.1660, 0.0598, -0.0126], np.float32
)
"""Filter for the value between two pixels (Lanczos, 4 on each side, made to sum to 1)."""
_SHORT = np.array([3, -25, 150, 150, -25, 3], np.float32) / 256
"""The same for a picture that has been enlarged already and holds nothing finer."""
_LARGE = 1_300_000
"""Pixels of a crop from which twice its size must do: four times would take 80 megabytes."""
FEW = 4
"""Every how many pixels it is asked how far they move, where that changes slowly."""


class Seam(NamedTuple):
    """Pixels through which the line runs where two rims meet: some of each side shows in them."""

    rows: Ints
    columns: Ints
    """(n,) where, within the field."""
    field: Floats
    """(n, 2) pixels from where they are to where the other side comes from."""
    share: Floats
    """(n,) how much of the other side shows, 0..1/2."""


class Canvas:
    """The crop of a photo, ready to be moved.

    Args:
        photo: (height, width, 3) RGB.
        passing: whether it is going to be moved only once; enlarging takes longer than that.
        backdrop: what stays still behind what moves; a passing picture has none.
    """

    def __init__(self, photo: Bytes, *, passing: bool, backdrop: Backdrop | None = None) -> None:
        self.photo = photo
        self._picture, self._times = (photo, 1) if passing else _enlarged(photo)
        self._behind = None
        if backdrop is not None and not passing:
            self._behind, self._slack = backdrop.behind, backdrop.slack
            size = self._picture.shape[1::-1]
            self._picture[..., 3] = cv2.resize(backdrop.share, size, interpolation=cv2.INTER_LINEAR)
        height, width = photo.shape[:2]
        self._at = np.empty((height, width, 2), np.float32)
        self._at[..., 0] = self._times * np.arange(width)
        self._at[..., 1] = self._times * np.arange(height)[:, None]

    def moved(self, grid: Grid, field: Floats, seam: Seam | None = None) -> Bytes:
        """(height, width, 3) the crop with the pixels of `field` moved.

        Args:
            grid: where the field lies.
            field: (h, w, 2) pixels from where a pixel is to where it comes from.
            seam: what is mixed of two sides.
        """
        out = self.photo.copy()
        left, top = grid.left, grid.top
        place = slice(top, top + field.shape[0]), slice(left, left + field.shape[1])
        part, at = out[place], self._at[place]
        height, width = at.shape[:2]
        for first in range(0, height, BAND):
            rows = slice(first, min(first + BAND, height))
            source = cv2.scaleAdd(field[rows, :width], float(self._times), at[rows])
            where = np.asarray(source, np.float32)
            if self._times == 1:
                part[rows] = read_finely(self._picture, where)
            elif self._behind is None:
                cv2.cvtColor(read(self._picture, where), cv2.COLOR_RGBA2RGB, dst=part[rows])
            else:
                four = read(self._picture, where)
                share: Bytes = four[..., 3]
                if self._slack:
                    share = _fastened(share, field[rows, :width], self._slack)
                _lay_over(four, share, self._behind[place][rows], part[rows])
        if seam is not None:
            self._mix(part, at, seam)
        return out

    def _mix(self, part: Bytes, at: Floats, seam: Seam) -> None:
        """Let the other side show in the pixels of a seam."""
        inside = (seam.rows < part.shape[0]) & (seam.columns < part.shape[1])
        places = seam.rows[inside], seam.columns[inside]
        if not len(places[0]):
            return
        where = at[places] + np.float32(self._times) * seam.field[inside]
        other = read(self._picture, where[None])[0, :, :3].astype(np.float32)
        own = part[places].astype(np.float32)
        part[places] = to_bytes(own + seam.share[inside, None] * (other - own))


def _fastened(share: Bytes, field: Floats, slack: float) -> Bytes:
    """How much of each pixel (height, width) goes along; all, where a field moves it by less."""
    few = np.ascontiguousarray(field[::FEW, ::FEW])
    loose = to_bytes(255 * (cv2.magnitude(*cv2.split(few)) / np.float32(slack) - np.float32(0.5)))
    loose = np.asarray(cv2.resize(loose, share.shape[::-1], interpolation=cv2.INTER_LINEAR))
    return np.asarray(255 - cv2.multiply(255 - share, loose, scale=1 / 255), np.uint8)


def _lay_over(four: Bytes, share: Bytes, behind: Bytes, out: Bytes) -> None:
    """Write a picture (height, width, 4) over another (…, 3), with a share of each pixel."""
    cv2.cvtColor(four, cv2.COLOR_RGBA2RGB, dst=out)
    left, top, width, height = cv2.boundingRect(255 - share)
    if not width:
        return
    place = slice(top, top + height), slice(left, left + width)
    part, known = np.ascontiguousarray(out[place]), np.ascontiguousarray(behind[place])
    ours = share[place].astype(np.float32) * np.float32(1 / 255)
    out[place] = cv2.blendLinear(part, known, ours, 1 - ours)


def _enlarged(photo: Bytes) -> tuple[Bytes, int]:
    """A photo (h, w, 3) as (times h, times w, 4), and how many times."""
    twice = _doubled(np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2RGBA)), _LANCZOS)
    if photo.shape[0] * photo.shape[1] < _LARGE:
        return _doubled(twice, _SHORT), 4
    return twice, 2


def _doubled(picture: Bytes, halfway: Floats) -> Bytes:
    """(2 height, 2 width, 4) a picture (height, width, 4: four channels read faster) enlarged.

    Args:
        picture: its pixels stay as they are, at even places.
        halfway: (even,) filter for the value between two pixels.
    """
    height, width = picture.shape[:2]
    middle = len(halfway) // 2 - 1
    border = cv2.BORDER_REPLICATE
    out = np.empty((2 * height, 2 * width, 4), np.uint8)
    out[::2, ::2] = picture
    out[::2, 1::2] = cv2.filter2D(picture, -1, halfway[None], anchor=(middle, 0), borderType=border)
    wide = np.ascontiguousarray(out[::2])
    out[1::2] = cv2.filter2D(wide, -1, halfway[:, None], anchor=(0, middle), borderType=border)
    return out


def pixel_field(
    grid: Grid, field: Floats, openings: list[tuple[Rims, Rims]]
) -> tuple[Floats, Seam | None]:
    """The field at pixel size, skin on each side of an opening following its own rim.

    Args:
        grid: the cells of the field.
        field: (rows, columns, 2) unsoftened; used up.
        openings: rims now, and where they take their pixels from.

    Returns:
        The field (h, w, 2), and the seam between its sides in all openings, if there are any.
    """
    upper, lower = (softened(side) for side in lay_aprons(field, grid, openings))
    out = enlarged(lower, grid.step)
    seams = []
    for now, start in openings:
        points = np.concatenate([now.upper, now.lower, start.upper, start.lower])
        part = part_around(points, 5 * grid.step, grid)
        if part.columns < 3 or part.rows < 3:
            continue
        left, top = part.left - grid.left, part.top - grid.top
        large = _enlarged_part(upper, (top, left), (part.rows, part.columns), grid.step)
        place = slice(top, top + large.shape[0]), slice(left, left + large.shape[1])
        seams.append(_joined(out[place], large, above(now, part), (top, left)))
    return out, Seam(*map(np.concatenate, zip(*seams, strict=True))) if seams else None


def _joined(below: Floats, above_: Floats, share: Bytes, corner: tuple[int, int]) -> Seam:
    """Write the upper side's field over the lower side's where more of it shows.

    Args:
        below: (h, w, 2) changed in place.
        above_: (h, w, 2).
        share: (h, w) how much of the upper side shows, 0..255.
        corner: row and column of the two in the whole field.
    """
    share = share[: below.shape[0], : below.shape[1]]
    rows, columns = np.nonzero((share > 0) & (share < 255))
    part = share[rows, columns, None]
    other = np.where(part > 127, below[rows, columns], above_[rows, columns])
    cv2.copyTo(above_, np.asarray(share > 127, np.uint8), below)
    less = np.minimum(part[:, 0], 255 - part[:, 0]) / np.float32(255)
    return Seam(rows + corner[0], columns + corner[1], other, less)


def _enlarged_part(
    field: Floats, corner: tuple[int, int], cells: tuple[int, int], times: int
) -> Floats:
    """A part of an enlarged field, just as it is within the whole.

    Args:
        field: (rows, columns, 2).
        corner: row and column of the part in the enlarged field.
        cells: how many rows and columns of the field it has.
        times: how much larger it is.
    """
    parts = []  # with a cell more on each side, which what lies at the edge is interpolated from
    for first, count in zip(corner, cells, strict=True):
        begin = first // times
        more = min(begin, 1)
        parts.append(
            (slice(begin - more, begin + count + 1), slice(more * times, (more + count) * times))
        )
    (rows, inner_rows), (columns, inner_columns) = parts
    return enlarged(field[rows, columns], times)[inner_rows, inner_columns]
