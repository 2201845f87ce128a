"""Composite the driving mouth's interior between the photo's lips, relit to match the photo."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import sqrt

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Floats, Ints
from retarget.flow.ease import smoothstep
from retarget.flow.values import Face
from retarget.generate.warp.flow import draw_affine
from retarget.generate.warp.mouth.driving_light import Light
from retarget.generate.warp.mouth.upper_row import row_of_upper_teeth
from retarget.generate.warp.paint import averaged, box_of, per_channel, ramp, read
from retarget.generate.warp.palette import LUMA, luma
from retarget.generate.warp.rims import MOUTH, Rims, rims_of
from retarget.generate.warp.tones import LEAST_RED, Tones, redness_in, teeth_in

OPEN = (0.02, 0.045)
"""Gap of the driving lips, in eye distances, between which the interior fades in."""
RIM_SHADE, RIM_REACH = 0.45, 0.05
"""Darkening of the interior at the lips, and its reach in mouth widths."""
SHADE_TINT = (0.6, 1.5)
"""Range of the share of that darkening's logarithm that a channel takes."""
EDGE = 4.0
"""Pixels around the opening into which its edge is replicated."""
LIP_RED, LIP_BRIGHT = (0.55, 0.8), (0.2, 0.45)
"""Redness and brightness, relative to the lips, between which a pixel fades into lip."""
LIP_DEEP, LIP_DEEP_WIDE = (0.15, 0.35), (0.05, 0.1)
"""Depth in mouth widths, in a pursed and in a wide opening, between which lip fades out: farther in
is tongue, which is as red."""
TOOTH_DEEP = (0.18, 0.28)
"""Depth in the opening, in mouth widths, between which teeth fade out: pale pixels deeper in are
wet tongue."""
TOOTH_GAP, BETWEEN, GUM = 0.03, (0.5, 0.7), (0.05, 0.3)
"""Averaging distance in mouth widths; the share of teeth in it between which a pixel becomes tooth,
as the gap between two teeth may be as red as lips; and between which lip fades out into gum, which
in the red of lips would be a hard fringe around teeth."""
FINE = 0.8
"""Scale (drawn pixels per driving pixel) below which the driving picture is blurred first."""
GONE = 0.85
"""How completely the upper teeth must end for the part below them to be shown."""
ENOUGH = 0.65
"""The most of the driving mouth that its upper teeth may fill: below them would be a sliver of lip,
which would be stretched into streaks."""
LIP_BRIGHTEST, LIP_RELIEF = 1.2, 0.8
"""Brightness relative to the driving lips that maps to the photo's lips, which show no gloss; and
the exponent of the shade below it."""
LIP_GLOW = 0.35
"""How much green and blue lips lose in their own shade, which is red: yellowish lips would turn
green."""
LIP_TURNED_IN = 0.15
"""Darkening of lip inside a wide mouth: its inner side is unlit, mostly already so in the driving
picture; more would line the mouth with a dark stroke.
In a pursed mouth, and where lip reaches far in, it is the lip's front, lit as lips are."""
LIP_LIT = (0.65, 0.9)
"""Brightness relative to the lips between which a pixel may be the lips' front: a tongue lies in
shade."""
LIP_RING, LIP_FRONT = (0.03, 0.09), (0.4, 0.8)
"""Range of depth, in mouth widths, in which the share of lip pixels is measured; and the shares
between which they count as the lips' front."""


def openness(face: Face) -> float:
    """Visibility of the driving mouth's interior, 0..1."""
    return smoothstep(*OPEN, rims_of(face.points, MOUTH).gap / face.eye_distance)


@dataclass(frozen=True, slots=True, eq=False)
class Below:
    """The photo's own upper teeth, below which the part below the driving teeth is shown."""

    places: Floats
    """(n,) where they end, from the upper rim (0) to the lower rim (1)."""
    much: float
    """0..1 how far they replace the driving teeth."""


class DrivingInside:
    """The driving mouth's interior, mapped between the lips of a photo.

    Args:
        rgb: the driving frame.
        face: its mesh.
        white: (3,) colour of the white of its eyes, if known.
        box: rows and columns of the crop to fill.
        now: the photo's lips, in pixels of the crop.
        below: the part of the opening that the photo's own upper teeth fill, if any.
    """

    def __init__(
        self, rgb: Bytes, face: Face, *, white: Floats | None, box: tuple[slice, slice], now: Rims,
        below: Below | None = None,
    ) -> None:  # fmt: skip
        self._now = now
        self._tones = Tones.of(rgb, face.points, white)
        rims = rims_of(face.points, MOUTH)
        self._wide = smoothstep(0.26, 0.42, rims.width / face.eye_distance)
        hole = _shrunk(  # of a pursed mouth the mesh includes more lip
            rims, 0.80 + 0.12 * self._wide, 0.72 + 0.26 * self._wide
        ).smooth
        starts = (now, hole)
        if below is not None:
            theirs = row_of_upper_teeth(rgb, hole, self._tones, until=GONE)
            theirs = below.much * np.minimum(theirs, np.maximum(below.places, ENOUGH))
            starts = (now.without_upper(below.places), hole.without_upper(theirs))
        shown = now.width / max(hole.width, 1.0)
        self._raw = _read_as_small(rgb, _strip_map(box, now, *starts), hole.outline, shown)

    def lit(self, tones: Tones, tooth: Floats, depth: Floats, lip: Floats) -> tuple[Floats, Floats]:
        """The interior in the photo's light, and where it is the front of a lip.

        Args:
            tones: the photo's tones.
            tooth: (3,) colour of the identity's teeth.
            depth: (h, w) pixels from the nearest lip.
            lip: (h, w, 3) the colour of the photo's lips above and below, or of all of them (3,).

        Returns:
            (h, w, 3) colours and (h, w) 0..1.
        """
        raw, driving = self._raw, self._tones
        depth = depth / np.float32(self._now.width)
        light = Light.between(driving, tones, tooth)
        inside = light(raw)
        np.minimum(inside[..., 2], _bluest(tones) * inside[..., 1], out=inside[..., 2])
        teeth, beside = self._teeth(depth)
        if teeth.any():
            inside += per_channel(teeth) * (light.on_teeth(raw, teeth) - inside)
        shade = np.minimum(depth / np.float32(RIM_REACH), 1) * np.float32(RIM_SHADE)
        lit = per_channel(shade + np.float32(1 - RIM_SHADE))
        inside *= lit ** _warm(tones.lip)
        bright = raw @ LUMA
        lips, turned_in = self._lips(bright, depth)
        lips *= (1 - teeth) * (1 - ramp(GUM, beside))
        bright = bright / np.float32(max(luma(driving.lip), 8.0))
        relief = np.minimum(bright / np.float32(LIP_BRIGHTEST), 1) ** np.float32(LIP_RELIEF)
        redder = tones.inner_lip - tones.lip
        inwards = per_channel(turned_in)
        shown = per_channel(relief) * (lip + inwards * redder)
        glow = np.float32(LIP_GLOW * light.colour) * (1 - turned_in) * np.maximum(1 - bright, 0)
        shown[..., 1:] *= 1 - glow[..., None]
        shown *= 1 - inwards * (1 - np.float32(1 - LIP_TURNED_IN) * np.sqrt(lit))
        inside += per_channel(lips) * (shown - inside)
        return inside, lips * (1 - turned_in)

    def _teeth(self, depth: Floats) -> tuple[Floats, Floats]:
        """(h, w) 0..1 each: teeth including the shade between two, and the share of teeth nearby.

        Args:
            depth: (h, w) from the nearest lip, in mouth widths.
        """
        teeth = teeth_in(self._raw, self._tones)
        beside = averaged(teeth, TOOTH_GAP * self._now.width)
        teeth = np.maximum(teeth, ramp(BETWEEN, beside))
        seen = 1 - ramp(TOOTH_DEEP, depth)
        return teeth * seen, beside * seen

    def _lips(self, bright: Floats, depth: Floats) -> tuple[Floats, Floats]:
        """(h, w) 0..1 each: lip, and how far it is turned in.

        A rounded mouth's inner contour in the mesh runs on the lips, not along the hole.

        Args:
            bright: (h, w) brightness of the driving pixels.
            depth: (h, w) from the nearest lip, in mouth widths.
        """
        lip = self._tones.lip
        lip_bright = np.maximum(lip @ LUMA, np.float32(1))
        lip_red = redness_in(lip, lip_bright)
        if lip_red < LEAST_RED:
            return np.zeros_like(bright), np.ones_like(bright)
        lips = ramp(LIP_RED, redness_in(self._raw, bright) / lip_red)
        lips *= ramp(LIP_BRIGHT, bright / lip_bright)
        front = _front(lips * ramp(LIP_LIT, bright / lip_bright), depth, self._now.width)
        turned_in = np.float32(self._wide) * (1 - front)
        deep, deep_wide = ramp(LIP_DEEP, depth), ramp(LIP_DEEP_WIDE, depth)
        lips *= 1 - deep - turned_in * (deep_wide - deep)
        return lips, turned_in


def _bluest(tones: Tones) -> np.float32:
    """The most blue that flesh may have, relative to its green: little above skin and lips.

    A tongue that is pale in a dim clip would otherwise be lilac in a bright photo.
    """
    return np.float32(sqrt(max(float(c[2] / max(c[1], 1)) for c in (tones.skin, tones.lip))))


def _warm(lip: Floats) -> Floats:
    """(3,) exponents by which a shade near lips, which scatter red, darkens red less than blue."""
    return np.clip(luma(lip) / np.maximum(lip, 1), *SHADE_TINT).astype(np.float32)


def _front(lips: Floats, depth: Floats, width: float) -> Floats:
    """(h, w) 0..1 where lips (h, w) reach so far in that their front is visible.

    Args:
        lips: 0..1 how much each pixel looks like the front of a lip.
        depth: (h, w) from the nearest lip, in mouth widths.
        width: of the mouth in pixels.
    """
    low, high = LIP_RING
    ring = ((depth > low) & (depth < high)).astype(np.float32)
    near = averaged(np.stack([ring, ring * lips], axis=-1), high * width)
    return ramp(LIP_FRONT, near[..., 1] / np.maximum(near[..., 0], np.float32(1e-3)))


def _shrunk(rims: Rims, across: float, along: float) -> Rims:
    """The opening, narrowed to leave out lip that the mesh includes."""
    middle = rims.middle
    centre = middle.mean(axis=0)
    upper, lower = (
        centre + np.float32(along) * (middle + np.float32(across) * (rim - middle) - centre)
        for rim in (rims.upper, rims.lower)
    )
    return Rims(upper, lower)


def _read_as_small(rgb: Bytes, where: Floats, outline: Floats, shown: float) -> Bytes:
    """(h, w, 3) a picture sampled at (h, w, 2), blurred first where it is scaled down.

    Otherwise edges of teeth would be jagged.

    Args:
        rgb: (height, width, 3).
        where: places in its pixels.
        outline: (n, 2) around the part that is needed.
        shown: scale, drawn pixels per pixel of it.
    """
    box = box_of(outline, 2 / max(shown, 0.1), rgb.shape)
    if shown > FINE or box is None:
        return read(rgb, where)
    patch = rgb[box]
    there = np.array(patch.shape[1::-1], np.float32)
    width, height = (max(round(shown * size), 1) for size in there.tolist())
    small = cv2.resize(patch, (width, height), interpolation=cv2.INTER_AREA)
    corner = np.array([box[1].start, box[0].start], np.float32) - np.float32(0.5)
    scale = np.array([width, height], np.float32) / there
    return read(np.asarray(small, np.uint8), (where - corner) * scale - np.float32(0.5))


def _strip_map(box: tuple[slice, slice], lips: Rims, now: Rims, then: Rims) -> Floats:
    """(h, w, 2) the source of each pixel of a box when one opening is mapped to another.

    Args:
        box: rows and columns.
        lips: the whole opening.
        now: the opening, or its part below the upper teeth.
        then: the source, in the same way.
    """
    out, aside = np.float32(EDGE) * now.down, np.float32(EDGE) * now.along
    rows, columns = box
    top, bottom = (  # also outwards at the sides, which are upright in a pursed mouth
        line + (2 * (line - now.middle_of_corners) @ now.along / now.width)[:, None] * aside
        for line in (lips.upper, lips.lower)
    )
    here = (top - out, now.upper, now.lower, bottom + out)
    there = (then.upper, then.upper, then.lower, then.lower)
    corners = np.concatenate([np.concatenate([r[:1] - aside, r, r[-1:] + aside]) for r in here])
    corners -= np.array([columns.start, rows.start], np.float32)
    values = np.concatenate([np.concatenate([r[:1], r, r[-1:]]) for r in there])
    size = rows.stop - rows.start, columns.stop - columns.start
    field = np.broadcast_to(then.middle_of_corners, (*size, 2)).astype(np.float32)
    draw_affine(field, corners, _strips(len(now.upper) + 2), values, slack=0.02)
    return field


@cache
def _strips(count: int) -> Ints:
    """Triangles between four rows of points: the two outer strips, then the middle one."""
    i = np.arange(count - 1)
    first, second = (
        np.stack([i, i + 1, i + count], 1),
        np.stack([i + 1, i + count, i + count + 1], 1),
    )
    strip = np.concatenate([first, second])
    return np.concatenate([strip, strip + 2 * count, strip + count])
