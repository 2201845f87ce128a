"""The photo's own folds beside its smile, smoothed as far as the smile goes.

A photo that smiles keeps the folds between cheek and lips in its pixels, and with its mouth at rest
it still seems to smirk. What is darker there than the skin on both sides of it is made as bright,
in every colour (a closing: Serra, "Image Analysis and Mathematical Morphology", 1982), so the fold
is found where it is in this face. Pores and grain, which are finer, stay; save in the fold, whose
deepest line is as fine. Where lips close over teeth, so is the dark beside their corners.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Bytes, Floats
from retarget.generate.warp.paint import blurred, box_of, fill, ramp, thrice, to_bytes

FOLDS_BY = {"mouthSmile": 0.7, "noseSneer": 0.6, "mouthUpperUp": 0.25, "mouthStretch": 0.2}
"""Blendshapes without their side, and how much of these folds each makes."""
FOLDING = (0.06, 0.5)
"""How much less of that than in the photo from which on and at which the folds are smoothed."""
LINES = ((129, 203, 206, 216, 57), (358, 423, 426, 436, 287))
"""Mesh points from beside the nose to beside the mouth, on the person's right and left."""
INNER, OUTER = (-0.06, -0.15, -0.19, -0.15, -0.03), (0.05, 0.13, 0.18, 0.2, 0.2)
"""Eye distances outwards from these, between which the fold lies."""
CORNERS = ((92, 186, 61, 43), (322, 410, 291, 273))
CORNER_INNER, CORNER_OUTER = (-0.05, -0.06, -0.07, -0.05), (0.05, 0.08, 0.12, 0.12)
"""Mesh points around the corners of the mouth, and the place around these, in the same way: lips
that close leave the dark that the photo has there beside them."""
EDGE, REACH = 0.035, 0.22
"""Deviation of the edge of that place, and how far around it is looked at, in eye distances."""
UNIT = 45.0
"""Pixels to an eye distance at which folds are looked for: they are broad."""
GRAIN, WIDE, SOFT = 0.012, 0.11, 0.03
"""Eye distances: what is finer is grain; how wide a fold is at most; deviation of the new tone."""
CORE, GONE = (0.08, 0.3), 0.95
"""Logarithms by which a fold is lit from which on something and at which all but a little is left
out of what is as fine as grain: the deepest line within a fold is."""
MOST = 1.8
"""Logarithm by which a fold is lit at most in that of its channels that lacks most, the others as
much less as they lack: skin's shadows lack blue, and lit alike they would be amber stains."""


class OwnFolds:
    """Smooths the folds of one photo's smile.

    Args:
        own: (52,) the photo's own expression.
    """

    def __init__(self, own: Floats) -> None:
        self._by = np.stack([_weights(side) for side in ("Right", "Left")])
        self._own = self._by @ np.maximum(own, 0)

    def smooth(self, out: Bytes, points: Floats, weights: Floats, closing: float) -> None:
        """Smooth a moved crop, in place.

        Args:
            out: (height, width, 3).
            points: (468 or more, 2 or 3) where its mesh lies now.
            weights: (52,) the expression it shows.
            closing: 0..1 how far lips that are open in the photo have closed.
        """
        much = ramp(FOLDING, self._own - self._by @ np.maximum(weights, 0))
        if not much.any():
            return
        right, left = points[list(landmarks.EYE_OUTER_CORNERS), :2]
        across = left - right
        areas, shares = [], []
        corners, lines = (CORNERS, CORNER_INNER, CORNER_OUTER), (LINES, INNER, OUTER)
        for (places, *ends), share in ((corners, closing), (lines, 1.0)):
            if share > 0:
                areas += [
                    _beside(points[list(place), :2], ends, way)
                    for place, way in zip(places, (-across, across), strict=True)
                ]
                shares.append(np.float32(share) * much)
        _smooth(out, areas, float(np.hypot(*across)), np.concatenate(shares))


def _beside(line: Floats, ends: Sequence[Sequence[float]], way: Floats) -> Floats:
    """(2n, 2) outline of what lies between two ends, in eye distances outwards from a line."""
    inner, outer = (line + np.array(end, np.float32)[:, None] * way for end in ends)
    return np.concatenate([inner, outer[::-1]])


def _weights(side: str) -> Floats:
    """(52,) how much of the fold on one side each blendshape makes."""
    out = np.zeros(blendshapes.COUNT, np.float32)
    for name, share in FOLDS_BY.items():
        out[blendshapes.index(name + side)] = share
    return out


def _smooth(out: Bytes, areas: Sequence[Floats], unit: float, much: Floats) -> None:
    """Light what is dark between lighter skin in areas (n, 2), in place, each as much as said."""
    box = box_of(np.concatenate(areas), REACH * unit, out.shape)
    if box is None:
        return
    patch = out[box]
    height, width = patch.shape[:2]
    scale = min(1.0, UNIT / max(unit, 1.0))
    size, unit = (max(3, round(width * scale)), max(3, round(height * scale))), unit * scale
    small = cv2.resize(patch, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    broad = blurred(small, max(GRAIN * unit, 0.5))
    tone = np.log(broad + np.float32(8))
    side = 2 * max(1, round(WIDE * unit)) + 1
    square = np.ones((side, side), np.uint8)  # which is done row by row, unlike a disc
    closed = cv2.morphologyEx(tone, cv2.MORPH_CLOSE, square, borderType=cv2.BORDER_REPLICATE)
    lack = np.maximum(blurred(np.asarray(closed, np.float32), SOFT * unit) - tone, 0)
    lack *= thrice(np.minimum(MOST / np.maximum(_largest(lack), np.float32(MOST)), 1))
    mask = np.zeros(size[::-1], np.uint8)
    corner, times = (box[1].start, box[0].start), np.divide(size, (width, height), dtype=np.float32)
    for area, share in zip(areas, much.tolist(), strict=True):
        fill(mask, (area - corner) * times, value=round(255 * share))
    lack *= thrice(blurred(mask.astype(np.float32), EDGE * unit) / np.float32(255))
    gain = cv2.resize(cv2.exp(lack), (width, height), interpolation=cv2.INTER_LINEAR)
    deepest = np.float32(GONE) * ramp(CORE, _largest(lack))
    core = cv2.resize(deepest, (width, height), interpolation=cv2.INTER_LINEAR)
    even = cv2.resize(to_bytes(broad), (width, height), interpolation=cv2.INTER_LINEAR)
    evened = cv2.blendLinear(np.ascontiguousarray(patch), even, 1 - core, core)
    patch[...] = cv2.multiply(evened, gain, dtype=cv2.CV_8U)


def _largest(picture: Floats) -> Floats:
    """(h, w) the largest of the three channels of each pixel."""
    first, second, third = cv2.split(picture)  # numpy reduces so short an axis one by one
    return np.asarray(cv2.max(cv2.max(first, second), third), np.float32)
