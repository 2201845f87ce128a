"""The dark line of the upper lashes, taken from the photo and drawn along the moved lid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Floats
from retarget.generate.warp.eyes.lid_skin import LidSkin
from retarget.generate.warp.paint import blurred, box_of, fill, per_channel, ramp, read
from retarget.generate.warp.rims import Rims, curved

FINE = 3
"""Supersampling factor in each direction."""
WIDTH = 0.045
"""Thickness of the line of a shut eye in eye widths."""
ABOVE, BELOW = 0.24, 0.02
"""Search range for lashes above and below the upper rim, in eye widths."""
FARTHEST = 0.1
"""Largest height above the mesh's rim at which lashes begin, in eye widths."""
BESIDE_IRIS = (0.12, 0.28), (0.72, 0.88)
"""Ranges along the rim, 0..1, below which there is usually no iris."""
ROOT, TIP = 0.05, 0.13
"""Heights above the rim in eye widths between which lashes fade out; lower ones include paint."""
TAPERED = (0.6, 1.15)
"""Shares of that between which they taper off."""
COARSEST = 0.02
"""Largest row spacing in eye widths, also for an eye of few pixels."""
CORNER = 0.06
"""Eye widths beyond the corners over which the line fades, as the photo's own lashes are there."""
DARKEST = 0.9
"""Largest share of the skin's light that lashes absorb."""


@dataclass(frozen=True, slots=True)
class _Band:
    """Absorption by the lashes along the straightened rim."""

    taken: Floats
    """(rows, columns, 3) 0..1; rows go down, columns from the left corner to the right one, and
    `beside` more on each side."""
    beside: int
    row: float
    """Row spacing in eye widths; the last `BELOW` eye widths lie below the rim."""


class Lashes:
    """The upper lashes of one eye of a photo, measured on first use.

    Args:
        photo: (height, width, 3).
        rims: the rims of the eye in its pixels.
        skin: the skin of its shut lid.
    """

    def __init__(self, photo: Bytes, rims: Rims, skin: LidSkin) -> None:
        self._photo, self._rims, self._skin = photo, rims, skin

    @cached_property
    def _band(self) -> _Band | None:
        rims = self._rims
        box = box_of(rims.upper, 1.5 * ABOVE * rims.width + 2, self._photo.shape)
        found = self._skin.at(rims, box) if box else None
        if box is None or found is None:
            return None
        taken = 1 - self._photo[box] / np.maximum(found[0], 1)
        taken = np.clip(taken, 0, DARKEST).astype(np.float32)
        rim = curved(rims.upper, 3) - np.array([box[1].start, box[0].start], np.float32)
        return _straightened(taken, rim, np.float32(rims.width) * rims.down)

    def darken(self, lit: Floats, rim: Floats, now: Rims, much: Floats, down: float) -> None:
        """Draw the lashes along a rim.

        Args:
            lit: (h, w, 3) changed in place.
            rim: (n, 2) in the pixels of `lit`, from picture left to right.
            now: the moved lids.
            much: (h, w) 0..1 their opacity.
            down: 0..1 how far they have turned down, away from the lid.
        """
        band = self._band
        if band is None:
            return
        y, x = np.mgrid[: lit.shape[0], : lit.shape[1]].astype(np.float32)
        place = x * now.along[0] + y * now.along[1]
        along, beside = rim @ now.along, np.float32(CORNER * now.width)
        last = band.taken.shape[1] - 1
        columns = np.interp(
            place,
            np.concatenate([along[:1] - beside, along, along[-1:] + beside]),
            np.concatenate([[0], np.linspace(band.beside, last - band.beside, len(rim)), [last]]),
        )
        away = x * now.down[0] + y * now.down[1] - np.interp(place, along, rim @ now.down)
        rows = (away / now.width + ABOVE) / band.row
        at = np.stack([columns, rows], axis=2).astype(np.float32)
        lit *= 1 - per_channel(much) * read(_turned(band, down), at)


def _straightened(taken: Floats, rim: Floats, across: Floats) -> _Band:
    """The absorption along a rim, resampled into straight rows.

    Args:
        taken: (h, w, 3) absorbed share of the light, 0..1.
        rim: (n, 2) in its pixels.
        across: (2,) towards the chin, with the length of the eye's width.
    """
    count = max(round(float(np.hypot(*across))), 8)
    knots, along = np.arange(len(rim)), np.linspace(0, len(rim) - 1, count)
    line = np.stack([np.interp(along, knots, rim[:, k]) for k in (0, 1)], axis=1)
    row = min(1 / count, COARSEST)
    off = np.arange(-ABOVE, BELOW, row, dtype=np.float32)[:, None, None]

    def seen_from(begins: Floats) -> Floats:
        return read(taken, (line + (off - begins[:, None]) * across).astype(np.float32))

    by_mesh = seen_from(np.zeros(count, np.float32)).mean(axis=2)
    seen = seen_from(_begins(by_mesh, off[:, 0, 0]))
    # The shade of a deep-set eye remains on a shut lid and is not part of its lashes.
    shade = seen[off[:, 0, 0] < -ROOT].min(axis=0)[None]
    shade = cv2.blur(shade, (2 * (count // 8) + 1, 1), borderType=cv2.BORDER_REPLICATE)
    beside = max(round(CORNER * count), 1)
    ends = np.pad(np.ones(count, np.float32), beside, mode="linear_ramp")
    lashes = np.pad(np.maximum(seen - shade, 0), ((0, 0), (beside, beside), (0, 0)), "edge")
    return _Band(lashes * ends[:, None], beside, row)


def _begins(taken: Floats, off: Floats) -> Floats:
    """(columns,) eye widths by which lashes begin above the mesh's rim.

    White often lies between the two; an iris, which is also dark, is left out.

    Args:
        taken: (rows, columns) absorbed share of the light, 0..1.
        off: (rows,) eye widths down from the mesh's rim.
    """
    count = taken.shape[1]
    near = (off > -FARTHEST) & (off < 0)
    dark = taken[near] > 0.5 * taken[near].max(axis=0)
    lowest = -off[near][len(dark) - 1 - dark[::-1].argmax(axis=0)]
    sides = [slice(int(a * count), int(b * count)) for a, b in BESIDE_IRIS]
    found = [np.median(lowest[side]) for side in sides]
    middle = [0.5 * (a + b) * count for a, b in BESIDE_IRIS]
    return np.interp(np.arange(count), middle, found).astype(np.float32)


def _turned(band: _Band, down: float) -> Floats:
    """(rows, columns, 3) the absorption by lashes that have turned down."""
    above = ABOVE - np.float32(band.row) * np.arange(len(band.taken), dtype=np.float32)
    tip = TIP + (ROOT - TIP) * down
    left = ramp((TAPERED[1] * tip, TAPERED[0] * tip), above) * ramp((-BELOW, 0.0), above)
    return band.taken * left[:, None, None]


def hanging(
    rim: Floats, shape: tuple[int, ...], thick: tuple[Floats, Floats], soft: float
) -> Floats:
    """(h, w) 0..1 a soft band along the rim of a shut eye, thickest in its middle.

    Args:
        rim: (n, 2) in pixels.
        shape: of the mask.
        thick: (2,) each: across the line, and how far lashes hang down from it, in pixels.
        soft: deviation of its edge in pixels.
    """
    bow = np.sin(np.linspace(0, np.pi, len(rim), dtype=np.float32))[:, None]
    half = (np.float32(0.2) + np.float32(0.3) * bow) * thick[0]
    below = rim + half + bow * thick[1]
    fine = np.zeros((shape[0] * FINE, shape[1] * FINE), np.uint8)  # thinner than pixels are
    fill(fine, np.concatenate([rim - half, below[::-1]]) * FINE + np.float32(FINE / 2 - 0.5))
    mask = cv2.resize(fine, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return blurred(np.asarray(mask, np.uint8), soft).astype(np.float32) / 255
