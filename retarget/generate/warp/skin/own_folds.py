"""Smooth the photo's own smile folds as its smile goes.

A photo that smiles has folds between cheek and lips in its pixels, and with the mouth at rest it
would still seem to smirk. Places darker than the skin on both sides are brightened to it in every
channel (a closing: Serra, "Image Analysis and Mathematical Morphology", 1982), which finds the fold
where it lies in this face. Pores and grain, which are finer, stay, except in the fold, whose
deepest line is as fine. Where lips close over teeth, the dark beside their corners is treated
alike. A moustache or stubble, which is dark between nose, lips and cheeks as well, stays: beside it
folds are brightened to its tone only.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Bytes, Floats
from retarget.generate.warp.paint import blurred, box_of, colours, fill, per_channel, ramp, to_bytes
from retarget.generate.warp.palette import LUMA

FOLDS_BY = {"mouthSmile": 0.7, "noseSneer": 0.6, "mouthUpperUp": 0.25, "mouthStretch": 0.2}
"""Blendshapes without their side, each with its share in these folds."""
FOLDING = (0.06, 0.5)
"""Decrease of that sum from the photo's between which the folds are smoothed."""
LINES = ((129, 203, 206, 216, 57), (358, 423, 426, 436, 287))
"""Mesh points from beside the nose to beside the mouth, on the person's right and left."""
INNER, OUTER = (-0.06, -0.15, -0.19, -0.15, -0.03), (0.05, 0.13, 0.18, 0.2, 0.2)
"""Eye distances outwards from these, between which the fold lies."""
CORNERS = ((92, 186, 61, 43), (322, 410, 291, 273))
CORNER_INNER, CORNER_OUTER = (-0.05, -0.06, -0.07, -0.05), (0.05, 0.08, 0.12, 0.12)
"""The same around the corners of the mouth, where closing lips leave the photo's dark corners
beside them."""
UPPER_LIP, CHEEKS = ((165, 167), (391, 393)), ((205, 50, 101), (425, 280, 330))
"""Ends of a line on the upper lip's skin, and points on the cheek, on the right and left."""
MOUSTACHE = (0.12, 0.24)
"""How much darker (logarithm) than the cheek the upper lip's skin is on both sides from none to a
moustache; only on one side it is a shadow."""
HAIRY, HAIRY_EDGE = ((-0.3,) * 5, (0.2,) * 5), 0.08
"""Where a moustache may lie, like `INNER` and `OUTER`, and the softness of that, like `EDGE`."""
KEPT = 0.6
"""Share of the grain in a fold that is kept there, as it is hair."""
EDGE, REACH = 0.035, 0.22
"""Softness (standard deviation) of that area's edge, and the margin examined, in eye distances."""
UNIT = 45.0
"""Pixels per eye distance at which folds are sought, as they are broad."""
GRAIN, WIDE, SOFT = 0.012, 0.11, 0.03
"""Eye distances: largest grain, largest width of a fold, and blur of the new tone."""
CORE, GONE = (0.08, 0.3), 0.95
"""Brightening of a fold (logarithm) between which its grain, including its deepest line, is
removed; and the most of it that is."""
MOST = 1.8
"""The largest brightening (logarithm) of the channel that needs most, the others in proportion:
skin's shadows lack blue and would turn amber if all channels were brightened alike."""


class OwnFolds:
    """Smooths the folds of one photo's smile.

    Args:
        own: (52,) the photo's own expression.
        photo: (height, width, 3) RGB.
        points: (468 or more, 2 or 3) its mesh in the photo.
    """

    def __init__(self, own: Floats, photo: Bytes, points: Floats) -> None:
        self._by = np.stack([_weights(side) for side in ("Right", "Left")])
        self._own = self._by @ np.maximum(own, 0)
        self._moustache = _moustache(photo, points[:, :2])

    def smooth(self, out: Bytes, points: Floats, weights: Floats, closing: float) -> None:
        """Smooth a warped crop, in place.

        Args:
            out: (height, width, 3).
            points: (468 or more, 2 or 3) its mesh.
            weights: (52,) the expression it shows.
            closing: 0..1 how far lips that the photo shows open have closed.
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
        hair = [
            (_beside(points[list(line), :2], HAIRY, way), tone)
            for line, way, tone in zip(LINES, (-across, across), self._moustache, strict=False)
        ]
        _smooth(out, areas, float(np.hypot(*across)), np.concatenate(shares), hair)


def _beside(line: Floats, ends: Sequence[Sequence[float]], way: Floats) -> Floats:
    """(2n, 2) outline of the band between two distances outwards from a line, in eye distances."""
    inner, outer = (line + np.array(end, np.float32)[:, None] * way for end in ends)
    return np.concatenate([inner, outer[::-1]])


def _weights(side: str) -> Floats:
    """(52,) share of each blendshape in the fold on one side."""
    out = np.zeros(blendshapes.COUNT, np.float32)
    for name, share in FOLDS_BY.items():
        out[blendshapes.index(name + side)] = share
    return out


def _moustache(photo: Bytes, points: Floats) -> Sequence[Floats]:
    """(3,) tone, as a logarithm, of hair on the right and the left of the upper lip, if any."""
    along = np.linspace(0, 1, 9, dtype=np.float32)[:, None]
    lip = [points[first] + along * (points[last] - points[first]) for first, last in UPPER_LIP]
    cheeks = [points[list(cheek)] for cheek in CHEEKS]
    hair, skin = (
        np.stack([np.median(_logarithm(colours(photo, at)), axis=0) for at in sides])
        for sides in (lip, cheeks)
    )
    much = ramp(MOUSTACHE, ((skin - hair) @ LUMA).min())
    return list(hair + (1 - much) * np.maximum(skin - hair, 0)) if much > 0 else ()


def _logarithm(colour: Floats) -> Floats:
    """Logarithm of a colour, in which black counts as a little light."""
    return np.asarray(np.log(colour + np.float32(8)), np.float32)


def _smooth(
    out: Bytes,
    areas: Sequence[Floats],
    unit: float,
    much: Floats,
    hair: Sequence[tuple[Floats, Floats]],
) -> None:
    """Brighten dark places between lighter skin, in place.

    Args:
        out: (height, width, 3).
        areas: (n, 2) each, where.
        unit: pixels between the outer eye corners.
        much: 0..1 how much of it in each area.
        hair: areas (n, 2) where it stays as dark as a tone (3,).
    """
    box = box_of(np.concatenate(areas), REACH * unit, out.shape)
    if box is None:
        return
    patch = out[box]
    height, width = patch.shape[:2]
    scale = min(1.0, UNIT / max(unit, 1.0))
    size, unit = (max(3, round(width * scale)), max(3, round(height * scale))), unit * scale
    small = cv2.resize(patch, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    broad = blurred(small, max(GRAIN * unit, 0.5))
    tone = _logarithm(broad)
    side = 2 * max(1, round(WIDE * unit)) + 1
    square = np.ones((side, side), np.uint8)  # separable, unlike a disc
    border = cv2.BORDER_REPLICATE
    closed = np.asarray(
        cv2.morphologyEx(tone, cv2.MORPH_CLOSE, square, borderType=border), np.float32
    )
    corner, times = (box[1].start, box[0].start), np.divide(size, (width, height), dtype=np.float32)
    hairs = [_soft(size, (area - corner) * times, HAIRY_EDGE * unit) for area, _ in hair]
    for share, (_, darkest) in zip(hairs, hair, strict=True):
        closed -= per_channel(share) * np.maximum(closed - darkest, 0)
    lack = np.maximum(blurred(closed, SOFT * unit) - tone, 0)
    lack *= per_channel(np.minimum(MOST / np.maximum(_largest(lack), np.float32(MOST)), 1))
    mask = np.zeros(size[::-1], np.uint8)
    for area, share in zip(areas, much.tolist(), strict=True):
        fill(mask, (area - corner) * times, value=round(255 * share))
    lack *= per_channel(blurred(mask.astype(np.float32), EDGE * unit) / np.float32(255))
    gain = cv2.resize(cv2.exp(lack), (width, height), interpolation=cv2.INTER_LINEAR)
    deepest = np.float32(GONE) * ramp(CORE, _largest(lack))
    for share in hairs:
        deepest *= 1 - np.float32(KEPT) * share
    core = cv2.resize(deepest, (width, height), interpolation=cv2.INTER_LINEAR)
    even = cv2.resize(to_bytes(broad), (width, height), interpolation=cv2.INTER_LINEAR)
    evened = cv2.blendLinear(np.ascontiguousarray(patch), even, 1 - core, core)
    patch[...] = cv2.multiply(evened, gain, dtype=cv2.CV_8U)


def _soft(size: tuple[int, int], area: Floats, edge: float) -> Floats:
    """(h, w) 1 in an area (n, 2), 0 outside of its soft edge."""
    mask = np.zeros(size[::-1], np.uint8)
    fill(mask, area, value=255)
    return blurred(mask.astype(np.float32), edge) / np.float32(255)


def _largest(picture: Floats) -> Floats:
    """(h, w) the largest channel of each pixel."""
    first, second, third = cv2.split(picture)  # numpy is slow on so short an axis
    return np.asarray(cv2.max(cv2.max(first, second), third), np.float32)
