"""Teeth and tongue for a photo that shows none.

Two arches of teeth of common human size stand behind the lips, drawn once for the photo in its own
pose and light. The upper arch belongs to the skull and the lower one to the jaw, so an opening
mouth uncovers them as a real one does. Sizes are in head units (about 90 mm).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Doubles, Floats
from retarget.flow.face_model import at_rest
from retarget.flow.values import Identity
from retarget.generate.warp.paint import blurred, box_of, fill, stroke, to_bytes
from retarget.generate.warp.palette import Palette
from retarget.generate.warp.rims import MOUTH, rims_of

UPPER = ((0.093, 1.0), (0.072, 0.90), (0.080, 0.98), (0.075, 0.84), (0.070, 0.78), (0.090, 0.72))
LOWER = ((0.058, 0.95), (0.064, 0.97), (0.074, 1.0), (0.075, 0.86), (0.072, 0.80), (0.090, 0.74))
"""Teeth from the middle outwards: width along the arch, length relative to `TOOTH`."""
TOOTH = 0.112
"""Length of the longest tooth."""
UPPER_EDGE, LOWER_EDGE = 0.034, 0.008
"""Distance of the middle teeth's edges below the line between resting lips, jaw closed."""
ARCH = 2.1
"""Curvature of an arch: depth = ARCH · (distance from the middle)²."""
GUM_PARTS, GUM_ENDS = 24, 3.0
"""Number of strips in which a gum is shaded, and the steepness of its ends, which taper so that it
is not a box in a wider mouth."""
TONGUE_BACK = 0.45
"""Share of the jaw's movement that the back of the tongue takes part in: if it moved with the jaw,
a wide mouth would be empty."""
BEHIND_LIPS = 0.05
FINE = 3
"""Supersampling factor in each direction."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """An RGBA picture placed in the crop."""

    corner: tuple[int, int]
    """(left, top) in the crop."""
    rgba: Bytes
    """(h, w, 4) premultiplied by alpha, which comes last."""


class Dentist:
    """Draws the arches of one photo.

    Args:
        identity: the photo.
        points: (478, 3) its mesh in pixels of the crop.
        palette: the colours.
    """

    def __init__(self, identity: Identity, points: Floats, palette: Palette) -> None:
        self._palette, self._pose = palette, identity.pose
        self._shift = (identity.face.points - points)[0].astype(np.float64)
        self._pixels = FINE * identity.pose.scale  # per head unit
        rest = at_rest(identity)
        line = rims_of(rest, MOUTH).middle[5]
        depth = float(rest[[13, 14], 2].mean()) + BEHIND_LIPS
        self._middle = np.array([line[0], line[1], depth])

    @property
    def upper_edge(self) -> Floats:
        """(2,) the middle of the upper teeth's edge in pixels of the crop."""
        out: Floats = self._project(np.array([[0.0, UPPER_EDGE, 0.0]]))[0]
        return out

    def upper(self) -> Layer:
        """The upper teeth with their gum."""
        return self._arch(UPPER, UPPER_EDGE, -1.0)

    def lower(self) -> Layer:
        """The lower teeth with their gum, jaw closed."""
        return self._arch(LOWER, LOWER_EDGE, 1.0)

    def tongue(self) -> Layer:
        """The tongue at rest behind the lower teeth, jaw closed."""
        angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        oval = np.stack([0.19 * np.cos(angle), 0.05 + 0.10 * np.sin(angle), 0 * angle + 0.1], 1)
        outline = self._project(oval)
        corner, mask = _blank(outline)
        fill(mask, _drawn(outline, corner))
        soft = blurred(mask, 0.035 * self._pixels).astype(np.float32) / 255
        back, front = _drawn(self._tongue_ends(), corner)
        way = (front - back) / float((front - back) @ (front - back))
        rows, columns = np.indices(mask.shape, np.float32)
        outwards = (columns - back[0]) * way[0] + (rows - back[1]) * way[1]
        bright = (0.45 + 0.55 * soft**1.5) * (1 - 0.5 * (1 - outwards) ** 2)
        groove = np.zeros_like(mask)
        ends = self._project(np.array([[0, -0.04, 0.1], [0, 0.14, 0.1]]))
        stroke(groove, _drawn(ends, corner), 0.012 * self._pixels)
        bright *= 1 - 0.18 * blurred(groove, 0.012 * self._pixels).astype(np.float32) / 255
        colour = self._palette.tongue * bright[..., None]
        return self._finished(corner, colour, blurred(mask, FINE))

    def tongue_place(self, skull: Doubles, jaw: Floats) -> Doubles:
        """(2, 3) where the tongue goes as the head and, by `jaw` (2,), the jaw move."""
        back, tip = self._tongue_ends()
        along = np.outer((1 - TONGUE_BACK) * jaw, tip - back) / float((tip - back) @ (tip - back))
        linear = skull[:, :2] @ (np.eye(2) + along)
        start = skull[:, 2] + skull[:, :2] @ (TONGUE_BACK * jaw - along @ back)
        return np.concatenate([linear, start[:, None]], axis=1)

    def _tongue_ends(self) -> Floats:
        """(2, 2) the back and the tip of the tongue in pixels of the crop, jaw closed."""
        return self._project(np.array([[0, -0.05, 0.1], [0, 0.15, 0.1]]))

    def _arch(self, teeth: Sequence[tuple[float, float]], edge: float, root: float) -> Layer:
        """One arch, its teeth (width, length) from the middle outwards, roots up (-1) or down."""
        ends = np.concatenate([[0.0], np.cumsum([width for width, _ in teeth])])
        reach = ends[-1] * np.linspace(-1, 1, GUM_PARTS + 1)
        top, bottom = edge + 0.55 * root * TOOTH, edge + 1.7 * root * TOOTH
        gum = self._strip(reach, top, bottom)
        corner, mask = _blank(np.concatenate([gum, self._strip(reach, edge, edge)]))
        colour = np.zeros((*mask.shape, 3), np.float32)
        for part in pairwise(reach):
            one = np.zeros_like(mask)
            fill(one, _drawn(self._strip(np.array(part), top, bottom), corner))
            lit = _facing(float(np.mean(part)))
            colour[one > 0] = np.float32(0.8 * lit) * self._palette.gum
            there = min(GUM_ENDS * (1 - abs(np.mean(part)) / ends[-1]), 1.0)
            mask = np.maximum(mask, (there * one).astype(np.uint8))
        for n in reversed(range(len(teeth))):
            for side in (-1.0, 1.0):
                shape = self._tooth(side * ends[n : n + 2], edge, root * teeth[n][1])
                self._paint(colour, mask, _drawn(shape, corner), float(ends[n : n + 2].mean()))
        return self._finished(corner, colour, mask)

    def _tooth(self, span: Doubles, edge: float, root: float) -> Floats:
        """(n, 2) pixels: the outline of a tooth between two places along the arch."""
        angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        across = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.5
        up = 0.5 - 0.5 * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.42
        half = 0.5 * (span[1] - span[0])
        along = span.mean() + half * across * (1 - 0.08 * up)
        rise = np.sign(root) * 0.010 * (np.abs(along) / 0.2) ** 2  # edges recede to the sides
        return self._project(_bent(along, edge + root * TOOTH * up + rise))

    def _paint(self, colour: Floats, mask: Bytes, outline: Floats, middle: float) -> None:
        """Paint one tooth, rounded, and darker the farther back it stands."""
        soft = 0.012 * self._pixels
        box = box_of(outline, 3 * soft, mask.shape)
        if box is None:
            return
        one = np.zeros_like(mask[box])
        fill(one, outline - np.array([box[1].start, box[0].start], np.float32))
        round_ = np.clip(1.6 * blurred(one, soft)[..., None] / np.float32(255) - 0.6, 0, 1)
        tooth = self._palette.tooth * (np.float32(_facing(middle)) * (0.84 + 0.16 * round_))
        colour[box] += one[..., None] / np.float32(255) * (tooth - colour[box])
        mask[box] = np.maximum(mask[box], one)

    def _strip(self, along: Doubles, top: float, bottom: float) -> Floats:
        """(2n, 2) pixels: the outline of a band along the arch, through places (n,) along it."""
        there, back = (
            _bent(way, np.full(len(way), down))
            for way, down in ((along, top), (along[::-1], bottom))
        )
        return self._project(np.concatenate([there, back]))

    def _project(self, around: Doubles) -> Floats:
        """(n, 3) head units around the middle of the lips as (n, 2) pixels of the crop."""
        picture = self._pose.to_picture(self._middle + around) - self._shift
        return np.asarray(picture[:, :2], np.float32)

    def _finished(self, corner: tuple[int, int], colour: Floats, mask: Bytes) -> Layer:
        alpha = mask.astype(np.float32)[..., None] / 255
        both = np.concatenate([colour * alpha, 255 * alpha], axis=2)
        size = (mask.shape[1] // FINE, mask.shape[0] // FINE)
        small = np.asarray(cv2.resize(both, size, interpolation=cv2.INTER_AREA), np.float32)
        soft = blurred(small, max(0.4, 0.0035 * self._pose.scale))
        return Layer(corner, to_bytes(soft))


def _facing(along: float) -> float:
    """0..1 light on a tooth at this place of an arch, which turns away to the sides."""
    return min(max(1.05 - 5.5 * along**2, 0.38), 1.0)


def _bent(along: Doubles, down: Doubles) -> Doubles:
    """Places along the arch and below the lip line as (n, 3) relative to the middle."""
    across = 0.42 * np.tanh(along / 0.42)
    return np.stack([across, down, ARCH * across**2], axis=1)


def _blank(outline: Floats) -> tuple[tuple[int, int], Bytes]:
    """An empty mask that holds an outline, `FINE` times as large, and its corner in the crop."""
    low = np.floor(outline.min(axis=0)).astype(int) - 3
    width, height = np.ceil(outline.max(axis=0)).astype(int) + 4 - low
    return (int(low[0]), int(low[1])), np.zeros((height * FINE, width * FINE), np.uint8)


def _drawn(outline: Floats, corner: tuple[int, int]) -> Floats:
    """Pixels of the crop as pixels of a mask of `_blank`."""
    return (outline - np.array(corner, np.float32) + np.float32(0.5)) * FINE - np.float32(0.5)
