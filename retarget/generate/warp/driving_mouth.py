"""The inside of the driving mouth, laid between the photo's lips in the photo's light."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from retarget.flow.values import Face
from retarget.generate.warp.contact import smoothstep
from retarget.generate.warp.flow import draw_affine
from retarget.generate.warp.mesh import Bytes, Floats, Ints
from retarget.generate.warp.paint import colours, read
from retarget.generate.warp.palette import LUMA, luma
from retarget.generate.warp.rims import MOUTH, Rims, rims_of

TONE_POINTS = np.array([
    50, 101, 36, 205, 187, 207, 216, 206, 203, 280, 330, 266, 425, 411, 427, 436, 426, 423,
    2, 164, 175, 199, 200, 201, 421, 194, 418, 117, 118, 346, 347,
])  # fmt: skip
"""Cheeks, upper lip and chin: where skin shows the light that falls on the mouth."""
OPEN = (0.02, 0.045)
"""Gap of the driving lips, in eye distances, from which and at which its inside is worth taking."""
BRIGHTEST_GAIN = 1.2
TINT = (0.72, 1.3)
"""How far a colour channel may be changed beside the brightness."""
ABOVE_SKIN = 10.0
"""How much brighter than the brightest channel of the skin a tooth may get."""
RIM_SHADE, RIM_REACH = 0.45, 0.05
"""How much darker the inside is at the lips, and over which share of the mouth's width."""
EDGE = 4.0
"""Pixels around the opening that repeat its edge."""


def skin_tone(rgb: Bytes, points: Floats) -> Floats:
    """(3,) the median colour of the skin around the mouth, 0..255."""
    out: Floats = np.median(colours(rgb, points[TONE_POINTS, :2]), axis=0)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """How driving colours become those of the identity's light."""

    gain: Floats
    """(3,)"""
    colour: float
    """0..1 how much of what is still colourful stays so: nothing in a grey photo."""
    ceiling: float
    """Brightest value a tooth may take."""

    @classmethod
    def between(cls, driving: Floats, identity: Floats) -> Light:
        """From two skin tones; at most a little brighter."""
        ratio = identity / np.maximum(driving, 8.0)
        bright = luma(identity) / max(luma(driving), 8.0)
        chroma = np.clip(ratio / max(bright, 1e-3), *TINT)
        colour = min(1.0, 2.0 * _colourful(identity) / max(_colourful(driving), 0.02))
        gain = (min(bright, BRIGHTEST_GAIN) * chroma).astype(np.float32)
        return cls(gain, colour, float(identity.max()) + ABOVE_SKIN)

    def __call__(self, rgb: Bytes) -> Floats:
        """(h, w, 3) driving colours in the identity's light."""
        lit: Floats = np.minimum(rgb * self.gain, np.float32(self.ceiling))
        if self.colour < 1:
            grey = (lit @ LUMA)[..., None]
            lit = grey + np.float32(self.colour) * (lit - grey)
        return lit


def _colourful(rgb: Floats) -> float:
    """How far a colour is from grey, 0..1."""
    return float((rgb.max() - rgb.min()) / max(float(rgb.max()), 1.0))


def openness(face: Face) -> float:
    """0..1 how much of a driving mouth's inside can be seen."""
    return smoothstep(*OPEN, rims_of(face.points, MOUTH).gap / face.eye_distance)


def inside_of(
    rgb: Bytes, face: Face, *, tone: Floats, box: tuple[slice, slice], now: Rims, depth: Floats
) -> Floats:
    """(h, w, 3) the driving mouth's inside as the photo would show it.

    Args:
        rgb: the driving frame.
        face: its mesh.
        tone: (3,) the identity's skin.
        box: rows and columns of the crop to fill.
        now: the identity's lips, in pixels of the crop.
        depth: (h, w) pixels from the nearest lip.
    """
    then = rims_of(face.points, MOUTH)
    wide = smoothstep(0.26, 0.42, then.width / face.eye_distance)
    then = _shrunk(then, 0.80 + 0.12 * wide, 0.72 + 0.26 * wide)  # a pursed mesh holds more lip
    where = _strip_map(box, now, then.smooth())
    light = Light.between(skin_tone(rgb, face.points), tone)
    shade = np.minimum(depth / np.float32(RIM_REACH * now.width), 1) * np.float32(RIM_SHADE)
    return light(read(rgb, where)) * (shade + np.float32(1 - RIM_SHADE))[..., None]


def _shrunk(rims: Rims, across: float, along: float) -> Rims:
    """The opening made narrower, to leave out what of the lips the mesh took for inside."""
    middle = rims.middle
    centre = middle.mean(axis=0)
    upper, lower = (
        centre + np.float32(along) * (middle + np.float32(across) * (rim - middle) - centre)
        for rim in (rims.upper, rims.lower)
    )
    return Rims(upper, lower)


def _strip_map(box: tuple[slice, slice], now: Rims, then: Rims) -> Floats:
    """(h, w, 2) where each pixel of a box comes from when one opening is laid on another."""
    out = np.float32(EDGE) * now.down
    aside = np.array([out[1], -out[0]], np.float32)
    rows, columns = box
    here = (now.upper - out, now.upper, now.lower, now.lower + out)
    there = (then.upper, then.upper, then.lower, then.lower)
    corners = np.concatenate([np.concatenate([r[:1] - aside, r, r[-1:] + aside]) for r in here])
    corners -= np.array([columns.start, rows.start], np.float32)
    values = np.concatenate([np.concatenate([r[:1], r, r[-1:]]) for r in there])
    field = np.zeros((rows.stop - rows.start, columns.stop - columns.start, 2), np.float32)
    draw_affine(field, corners, _strips(len(now.upper) + 2), values, slack=0.02)
    return field


@cache
def _strips(count: int) -> Ints:
    """Triangles between four rows of points: the outer two strips, then the middle one."""
    i = np.arange(count - 1)
    first, second = (
        np.stack([i, i + 1, i + count], 1),
        np.stack([i + 1, i + count, i + count + 1], 1),
    )
    strip = np.concatenate([first, second])
    return np.concatenate([strip, strip + 2 * count, strip + count])
