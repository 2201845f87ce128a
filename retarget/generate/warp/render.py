"""Sample the photo's pixels by a displacement field.

A photo is kept at four times its size, interpolated once with a long filter. Sampling that linearly
is several times cheaper than sampling the photo with a cubic filter each time. Every fourth of its
pixels is the photo's own, so pixels that do not move are unchanged. A picture that is shown once,
such as a frame of a clip, is sampled with a cubic filter directly.
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
"""The same for a picture that has been enlarged already and has no finer detail."""
_LARGE = 1_300_000
"""Pixels of a crop from which it is enlarged twice only: four times would take 80 megabytes."""
FEW = 4
"""Step in pixels at which movement is examined where it varies slowly."""


class Seam(NamedTuple):
    """Pixels on the line where two rims meet, which show a mixture of both sides."""

    rows: Ints
    columns: Ints
    """(n,) place within the field."""
    field: Floats
    """(n, 2) displacement in pixels to the source on the other side."""
    share: Floats
    """(n,) share of the other side, 0..1/2."""


class Canvas:
    """The crop of a photo, prepared for warping.

    Args:
        photo: (height, width, 3) RGB.
        passing: whether it is warped only once, which is faster than enlarging it.
        backdrop: the still background; None for a passing picture.
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
        """(height, width, 3) the crop warped by a field.

        Args:
            grid: the cells of the field.
            field: (h, w, 2) displacement in pixels from each pixel to its source.
            seam: pixels that mix two sides.
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
        """Mix the other side into the pixels of a seam."""
        inside = (seam.rows < part.shape[0]) & (seam.columns < part.shape[1])
        places = seam.rows[inside], seam.columns[inside]
        if not len(places[0]):
            return
        where = at[places] + np.float32(self._times) * seam.field[inside]
        other = read(self._picture, where[None])[0, :, :3].astype(np.float32)
        own = part[places].astype(np.float32)
        part[places] = to_bytes(own + seam.share[inside, None] * (other - own))


def _fastened(share: Bytes, field: Floats, slack: float) -> Bytes:
    """Share of each pixel (height, width) that moves; 255 where it moves less than `slack`."""
    few = np.ascontiguousarray(field[::FEW, ::FEW])
    loose = to_bytes(255 * (cv2.magnitude(*cv2.split(few)) / np.float32(slack) - np.float32(0.5)))
    loose = np.asarray(cv2.resize(loose, share.shape[::-1], interpolation=cv2.INTER_LINEAR))
    return np.asarray(255 - cv2.multiply(255 - share, loose, scale=1 / 255), np.uint8)


def _lay_over(four: Bytes, share: Bytes, behind: Bytes, out: Bytes) -> None:
    """Blend a picture (height, width, 4) over `behind` (…, 3) by the share of each pixel."""
    cv2.cvtColor(four, cv2.COLOR_RGBA2RGB, dst=out)
    left, top, width, height = cv2.boundingRect(255 - share)
    if not width:
        return
    place = slice(top, top + height), slice(left, left + width)
    part, known = np.ascontiguousarray(out[place]), np.ascontiguousarray(behind[place])
    ours = share[place].astype(np.float32) * np.float32(1 / 255)
    out[place] = cv2.blendLinear(part, known, ours, 1 - ours)


def _enlarged(photo: Bytes) -> tuple[Bytes, int]:
    """A photo (h, w, 3) enlarged to (times h, times w, 4), and the factor."""
    twice = _doubled(np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2RGBA)), _LANCZOS)
    if photo.shape[0] * photo.shape[1] < _LARGE:
        return _doubled(twice, _SHORT), 4
    return twice, 2


def _doubled(picture: Bytes, halfway: Floats) -> Bytes:
    """(2 height, 2 width, 4) a picture (height, width, 4) enlarged; four channels are faster.

    Args:
        picture: its pixels are kept at even places.
        halfway: filter of even length for the value between two pixels.
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
    """The field at full size; skin on each side of an opening follows its own rim.

    Args:
        grid: the cells of the field.
        field: (rows, columns, 2) unsmoothed; changed.
        openings: moved rims, each with its source.

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
    """Write the upper side's field over the lower side's where its share is larger.

    Args:
        below: (h, w, 2) changed in place.
        above_: (h, w, 2).
        share: (h, w) share of the upper side, 0..255.
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
    """A part of an enlarged field, equal to that part of the whole.

    Args:
        field: (rows, columns, 2).
        corner: row and column of the part in the enlarged field.
        cells: its rows and columns in the field.
        times: enlargement.
    """
    parts = []  # with one more cell on each side, needed to interpolate the edge
    for first, count in zip(corner, cells, strict=True):
        begin = first // times
        more = min(begin, 1)
        parts.append(
            (slice(begin - more, begin + count + 1), slice(more * times, (more + count) * times))
        )
    (rows, inner_rows), (columns, inner_columns) = parts
    return enlarged(field[rows, columns], times)[inner_rows, inner_columns]
