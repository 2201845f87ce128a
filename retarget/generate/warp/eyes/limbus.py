"""The limbus of a photo's irises: their edge towards the white.

A mesh assumes average irises. Those of one face are equally large, so an eye that shows its edge on
both sides gives the size of the other, which may look into a corner or lie in shade.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from retarget.flow.arrays import Bools, Bytes, Doubles, Floats
from retarget.generate.warp.paint import box_of, fill
from retarget.generate.warp.palette import white_tone
from retarget.generate.warp.rims import Rims

NOTHING = 25.0
"""Distance (RGB, 0..255) from white that is not evidence of an edge."""
ASIDE, WIDE = np.arange(-4, 5) / 10, np.arange(70, 155, 5) / 100
"""Search range of an iris: sideways offset and radius, both in usual radii."""
USUAL = 0.2
"""Radius of an iris in eye widths; a mesh makes it smaller in eyes that look sideways."""
DOUBT = 0.3
"""How much less an edge counts at an offset of one radius."""
ALIKE = 0.22
"""Standard deviation of the logarithm of irises' radii around the usual one."""

LEARN = 0.02
"""Least weight of a new picture of a clip in the average over them."""
CLEAR = 8.0
"""Radius in pixels from which an edge counts in full; that of a small iris is soft."""


@dataclass(frozen=True, slots=True, eq=False)
class EyePatch:
    """The part of a photo around one eye."""

    rims: Rims
    """The lids in the photo."""
    corner: tuple[int, int]
    """(left, top) of the patch in the photo."""
    pixels: Bytes
    """(h, w, 3)"""
    opening: Bytes
    """(h, w) 255 between the lids."""
    seen: Bools
    """(h, w) whether a pixel lies between the lids, their lashes left out."""
    centre: Floats
    """(2,) centre of the mesh's iris in the patch."""
    radius: float
    """Radius of the mesh's iris in pixels."""

    @classmethod
    def of(cls, photo: Bytes, rims: Rims, iris: Floats) -> EyePatch | None:
        """The patch of one eye; None where it lies outside the photo.

        Args:
            photo: (height, width, 3).
            rims: the lids.
            iris: (5, 2) the mesh's iris: centre and rim.
        """
        middle = rims.middle[len(rims.middle) // 2]
        reach = (0.55 * rims.width + 4) * np.array([1.25, 1.0], np.float32)
        box = box_of(np.stack([middle - reach, middle + reach]), 0, photo.shape)
        if box is None:
            return None
        corner = (box[1].start, box[0].start)
        pixels = photo[box]
        opening = np.zeros(pixels.shape[:2], np.uint8)
        fill(opening, rims.smooth.outline - np.array(corner, np.float32))
        lashes = max(1, round(0.02 * rims.width))
        seen = cv2.erode(opening, np.ones((3, 3), np.uint8), iterations=lashes) > 127
        radius = max(float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean()), 1.0)
        return cls(rims, corner, pixels, opening, seen, iris[0] - corner, radius)


class Limbus(NamedTuple):
    """The edge of an iris, a circle."""

    centre: Floats
    """(2,) in its eye's patch."""
    radius: float


class LastingSize:
    """What a clip's pictures so far tell about the size of its irises.

    Found anew in each picture, irises would flicker.
    """

    def __init__(self) -> None:
        self._told: Doubles = np.zeros(len(WIDE))
        self._pictures = 0

    def __call__(self, told: Doubles) -> Doubles:
        """(radii,) the running average of what the pictures tell, in their order."""
        self._pictures += 1
        self._told = self._told + max(LEARN, 1 / self._pictures) * (told - self._told)
        return self._told


def limbi(eyes: Sequence[EyePatch], lasting: LastingSize | None = None) -> list[Limbus]:
    """The irises of one face, all of the size whose edges are sharpest.

    A centre is moved only where both sides show an edge; without a clear edge the mesh's is kept,
    and so it is in a clip, in which it moves evenly.

    Args:
        eyes: of one picture.
        lasting: what the clip's pictures so far tell; None for a photo.
    """
    if not eyes:
        return []
    mesh, width = np.mean([(eye.radius, eye.rims.width) for eye in eyes], axis=0)
    usual = float(max(mesh, USUAL * width))
    sharp = [_sharpness(eye, usual) for eye in eyes]
    told = np.sum([np.log(np.maximum(one.max(axis=0), 1)) for one in sharp], axis=0)
    told *= min(usual / CLEAR, 1.0)
    if lasting is not None:
        told = lasting(told)
    size = int((told - 0.5 * (np.log(WIDE) / ALIKE) ** 2).argmax())
    radius = float(WIDE[size]) * usual
    if lasting is not None:
        return [Limbus(eye.centre, radius) for eye in eyes]
    out = []
    for eye, one in zip(eyes, sharp, strict=True):
        aside = ASIDE[one[:, size].argmax()] if one[:, size].max() > 1 else 0.0
        centre = np.asarray(eye.centre + aside * usual * eye.rims.along, np.float32)
        out.append(Limbus(centre, radius))
    return out


def _sharpness(eye: EyePatch, usual: float) -> Doubles:
    """(offsets, radii) sharpness of the edge at each circle; above 1 where there is one.

    Args:
        eye: the eye.
        usual: usual radius in pixels.
    """
    if not eye.seen.any():
        return np.zeros((len(ASIDE), len(WIDE)))
    rows, columns = np.nonzero(eye.seen)
    colours = eye.pixels[eye.seen].astype(np.float32)
    from_white = np.linalg.norm(colours - white_tone(colours), axis=1)
    off = np.stack([columns, rows], axis=1) - eye.centre
    along = eye.rims.along
    off = np.stack([off @ along, off @ (-along[1], along[0])])
    out = []
    for aside in ASIDE:
        x, y = off[0] - aside * usual, off[1]
        away, beside = np.hypot(x, y), np.abs(y) < 0.7 * np.abs(x)
        left, right = (
            _edges(from_white[side], away[side], WIDE * usual)
            for side in (beside & (x < 0), beside & (x > 0))
        )
        edges = np.fmin(left, right) if aside == 0 else np.minimum(left, right)
        out.append(np.nan_to_num(edges) * (1 - DOUBT * abs(aside)))
    return np.array(out)


def _edges(from_white: Floats, away: Floats, radii: Doubles) -> Doubles:
    """(n,) ratio of the distances from white inside and outside of each circle.

    A ratio, as the pupil's edge is a larger step, but not one to white. NaN where not visible.
    """
    half = np.maximum(0.15 * radii, 1.0)
    order = np.argsort(away)
    sums = np.concatenate([[0.0], np.cumsum(from_white[order], dtype=np.float64)])
    at = np.searchsorted(away[order], [radii - half, radii, radii + half])
    counts, totals = np.diff(at, axis=0), np.diff(sums[at], axis=0)
    inner, outer = totals / np.maximum(counts, 1) + NOTHING
    return np.where(counts.min(axis=0) < 4, np.nan, inner / outer)
