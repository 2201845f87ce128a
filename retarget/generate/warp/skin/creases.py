"""Draw the skin folds (creases) of an expression and their shading.

A photo that is only warped keeps smooth skin between knitted brows and beside a wide smile, which
makes the expression look weaker. Each crease is a thin dark line with a soft shadow on the bulge
beside it and a highlight where the bulge rises; blendshape weights set its depth. The photo's own
creases stay in its pixels; only folds beyond its own expression are drawn.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Floats
from retarget.flow.ease import smoothstep
from retarget.generate.warp.paint import blurred, box_of, colours, fill, per_channel, ramp
from retarget.generate.warp.palette import LUMA, SKIN_POINTS
from retarget.generate.warp.skin.crease_lines import crease_lines

FOLDING = (0.06, 0.66)
"""Weighted sum of blendshapes between which a fold grows from none to full depth; fitting noise
stays below the first."""
LEAST = 0.03
"""Depth relative to a full fold below which a crease is not drawn."""
FINE = 2.0
"""Crease width in pixels below which it is supersampled."""
TINT, TINTED = np.array([0.72, 1.05, 1.25], np.float32), 0.2
"""RGB factors of a shadow's log brightness, since skin scatters red; and the skin's chroma at which
they apply in full: less in a faded photo, not at all in a grey one."""
TINT_LEAST, TINT_MOST = np.array([0.5, 0.9, 1.0]), np.array([1.0, 1.2, 1.65])
SHADED = (0.1, 0.3)
"""Drop of log brightness from lit to dark skin between which the tint measured in the photo fades
in: shadows in paint and on film are browner or greyer than on skin."""
OFF_TONE, OFF_HUE = (0.35, 0.75), (0.15, 0.35)
"""Difference from skin in log brightness and in log colour between which a place stops counting as
skin (hair, cloth, the frame of glasses)."""
GRAIN = 0.012 * np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)], np.float32)
"""Sampling offsets around a place, in eye distances: averaging removes pores and cracks."""
EDGEWISE = (0.2, 0.4)
"""Distance from nose bridge to outer eye corner, in eye distances, between which creases on that
side fade in as the skin turns from edge-on to the viewer; frontal is 0.5."""


class Layer(NamedTuple):
    """One layer of a crease's shading."""

    share: float
    """Share of the crease's darkness; negative is a highlight."""
    off: float
    """Offset towards the bulge, in crease widths."""


SHARP, SOFT = 0.4, 1.2
"""Standard deviation of the blur of the line and of the shading beside it, in crease widths."""
LINE = (Layer(0.55, 0.0),)
BESIDE = (Layer(0.5, 0.7), Layer(-0.32, 2.4))


class Creases:
    """Draws the creases of one photo.

    Args:
        photo: (height, width, 3) crop of the photo.
        points: (478, 3) its mesh, in its pixels.
        own: (52,) the photo's own expression.
        strength: crease depth; 1 as on an average face, 0 none.
    """

    def __init__(self, photo: Bytes, points: Floats, own: Floats, strength: float) -> None:
        lines = crease_lines()
        self._own = np.maximum(own, 0).astype(np.float32)
        tone = _Tone(photo, points)
        self.tint = tone.shadow
        """(3,) RGB factors of the photo's shadows, as `TINT`."""
        skin = tone.skin(lines.along @ points[lines.points, :2])
        depth = lines.depth * np.concatenate([_eroded(skin[part]) for part in lines.parts])
        deepest = np.array([depth[part].max() for part in lines.parts], np.float32)
        self._deepest = np.float32(strength) * deepest
        self._half = np.empty_like(depth)
        """(n,) half the crease width at each place, in eye distances."""
        for width, inside in lines.areas:
            for part, most in zip(lines.parts[inside], deepest[inside], strict=True):
                self._half[part] = np.float32(0.5 * width) * depth[part] / max(most, 1e-3)

    def draw(self, out: Bytes, points: Floats, weights: Floats, share: Floats | float) -> None:
        """Draw the creases on a warped crop, in place.

        Args:
            out: (height, width, 3).
            points: (468 or more, 2 or 3) its mesh.
            weights: (52,) the expression it shows.
            share: factor on depth, 0..1, for all lines or (lines,) for each.
        """
        lines = crease_lines()
        folded = ramp(FOLDING, lines.by @ np.maximum(weights - self._own, 0))
        deep = np.asarray(share, np.float32) * self._deepest * folded
        if not (deep > LEAST).any():
            return
        axes = _Axes.of(points)
        dark = np.where(deep > LEAST, deep * axes.openness[lines.side] * lines.dark, 0)
        outlines, bulges = self._outlines(points, axes), lines.bulge @ axes.both
        for width, inside in lines.areas:
            folds = [
                _Fold(outlines[k], bulges[k], float(dark[k]))
                for k in range(inside.start, inside.stop)
                if dark[k] > 0
            ]
            if folds:
                _shade(out, folds, width * axes.unit, self.tint)

    def _outlines(self, points: Floats, axes: _Axes) -> list[Floats]:
        """(2n, 2) closed outline of every line in pixels, half its width to each side."""
        lines = crease_lines()
        mesh = points[lines.points, :2]
        at, way = lines.along @ mesh, lines.way @ mesh
        length = np.hypot(way[:, 0], way[:, 1]) + np.float32(1e-6)
        half = (self._half * np.float32(axes.unit) / length)[:, None]
        side = half * np.stack([-way[:, 1], way[:, 0]], axis=1)
        one, other = at + side, at - side
        return [np.concatenate([one[part], other[part][::-1]]) for part in lines.parts]


class _Fold(NamedTuple):
    """A crease at one moment."""

    outline: Floats
    """(n, 2) pixels."""
    bulge: Floats
    """(2,) offset of the bulge beside it, in crease widths."""
    dark: float
    """Log darkening at its deepest place, positive."""


class _Axes(NamedTuple):
    """How a face lies in a picture."""

    both: Floats
    """(2, 2) unit vectors towards the person's left and the chin."""
    unit: float
    """Pixels between the outer corners of the eyes."""
    openness: Floats
    """(3,) how far skin faces the viewer, 0..1: middle, left, right, so that a side (0, 1, -1) is
    its index."""

    @classmethod
    def of(cls, points: Floats) -> _Axes:
        right, left = points[list(landmarks.EYE_OUTER_CORNERS), :2]
        x, y = (left - right).tolist()
        unit = max(math.hypot(x, y), 1e-3)
        both = np.array([(x, y), (-y, x)], np.float32) / np.float32(unit)
        bridge = float((points[landmarks.NOSE_BRIDGE, :2] - right) @ both[0]) / unit
        sides = [smoothstep(*EDGEWISE, share) for share in (1 - bridge, bridge)]
        return cls(both, unit, np.array([1.0, *sides], np.float32))


def _shade(out: Bytes, folds: list[_Fold], width: float, tint: Floats) -> None:
    """Draw a group of neighbouring creases, in place.

    Args:
        out: (height, width, 3).
        folds: the creases.
        width: of each, in pixels.
        tint: (3,) shares of a shadow's logarithm.
    """
    box = box_of(np.concatenate([fold.outline for fold in folds]), 5 * width + 2, out.shape)
    if box is None:
        return
    corner = np.array([box[1].start, box[0].start], np.float32)
    size = (box[1].stop - box[1].start, box[0].stop - box[0].start)
    darkest = max(fold.dark for fold in folds)
    times = min(4, max(1, round(FINE / max(width, 0.1))))
    middle = np.float32((times - 1) / 2) - times * corner
    drawn = [
        _Fold(
            times * fold.outline + middle,
            np.float32(times * width) * fold.bulge,
            fold.dark / darkest,
        )
        for fold in folds
    ]
    shade = np.zeros(size[::-1], np.float32)
    for layers, soft in ((LINE, SHARP), (BESIDE, SOFT)):
        whole = np.float32(np.hypot(1, 2.5 * soft))  # 1 in the middle of a line one width wide
        shade += whole * _laid(layers, soft * width * times, drawn, size, times)
    ratio = np.exp(per_channel(np.float32(-darkest) * shade) * tint)
    out[box] = cv2.multiply(out[box], ratio, dtype=cv2.CV_8U)


def _laid(
    layers: tuple[Layer, ...], soft: float, drawn: list[_Fold], size: tuple[int, int], times: int
) -> Floats:
    """(h, w) sum of layers with the same blur.

    Args:
        layers: the layers to add up.
        soft: standard deviation of their blur in supersampled pixels.
        drawn: the creases in such pixels, darkness relative to the darkest.
        size: (w, h) pixels.
        times: supersampling factor.
    """
    shape = (size[1] * times, size[0] * times)
    total = np.zeros(shape, np.float32)
    for layer in layers:
        mask = np.zeros(shape, np.uint8)
        for fold in drawn:
            at = fold.outline + np.float32(layer.off) * fold.bulge
            fill(mask, at, value=round(255 * fold.dark))
        total += np.float32(layer.share / 255) * mask
    total = blurred(total, soft)
    if times > 1:
        total = np.asarray(cv2.resize(total, size, interpolation=cv2.INTER_AREA), np.float32)
    return total


def _eroded(values: Floats) -> Floats:
    """(n,) values along a line, eroded by one place so that a crease ends before hair."""
    wide = np.pad(values, 1, mode="edge")
    return np.asarray(np.minimum(np.minimum(wide[:-2], wide[2:]), values), np.float32)


class _Tone:
    """Which places of a photo are skin, by their tone and colour.

    Tone varies across a face with the light, so log brightness is fitted by a plane.
    """

    def __init__(self, photo: Bytes, points: Floats) -> None:
        right, left = points[list(landmarks.EYE_OUTER_CORNERS), :2]
        self._photo, self._around = photo, GRAIN * np.linalg.norm(left - right)
        at = points[SKIN_POINTS, :2]
        self._centre, self._unit = at.mean(axis=0), max(float(at.std()), 1.0)
        tone, hue = self._read(at)
        self.shadow = _shadow(tone, hue)
        """(3,) tint of its shadows, as `TINT`."""
        self._plane = np.linalg.lstsq(self._terms(at), tone, rcond=None)[0]
        self._hue = np.median(hue, axis=0)

    def skin(self, at: Floats) -> Floats:
        """(n,) likelihood that places (n, 2) are skin, 0..1."""
        tone, hue = self._read(at)
        off_tone = np.abs(tone - self._terms(at) @ self._plane).astype(np.float32)
        off_hue = np.abs(hue - self._hue).max(axis=1).astype(np.float32)
        return (1 - ramp(OFF_TONE, off_tone)) * (1 - ramp(OFF_HUE, off_hue))

    def _read(self, at: Floats) -> tuple[Floats, Floats]:
        """Log brightness (n,), and log of red and blue relative to it (n, 2)."""
        near = [colours(self._photo, at + step) for step in self._around]
        seen = np.log(np.mean(near, axis=0) + 8)
        tone = seen @ LUMA
        return tone, seen[:, [0, 2]] - tone[:, None]

    def _terms(self, at: Floats) -> Floats:
        """(n, 3) terms of the plane: 1, and centred places in units of the face."""
        near = (at - self._centre) / self._unit
        return np.concatenate([np.ones((len(near), 1)), near], axis=1)


def _shadow(tone: Floats, hue: Floats) -> Floats:
    """(3,) tint of shadows on skin, from its lit and dark places.

    Args:
        tone: (n,) logarithms of brightness.
        hue: (n, 2) logarithms of red and blue relative to it.
    """
    # In daylight the logarithm of skin's red is about 0.4 above that of its blue.
    colourful = float(np.ptp(np.median(hue, axis=0)))
    usual = 1 + min(1.0, colourful / TINTED) * (TINT - 1)
    order, many = np.argsort(tone), len(tone) // 4
    fall = float(tone[order[-many:]].mean() - tone[order[:many]].mean())
    if fall <= SHADED[0]:
        return np.asarray(usual, np.float32)
    red, blue = (hue[order[-many:]].mean(axis=0) - hue[order[:many]].mean(axis=0)) / fall + 1
    green = (1 - LUMA[0] * red - LUMA[2] * blue) / LUMA[1]
    seen = np.clip([red, green, blue], TINT_LEAST, TINT_MOST)
    return np.asarray(usual + smoothstep(*SHADED, fall) * (seen - usual), np.float32)
