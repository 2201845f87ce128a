"""Draw the interior of the mouth between the lips.

Sources, in order of preference: the photo's own mouth where it is open, as far as it reaches; the
driving frame's, if its pixels are available and its mouth is open; else drawn teeth. Below the
photo's own upper teeth the driving mouth continues as below its own upper teeth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Bytes, Doubles, Floats
from retarget.flow.ease import smoothstep
from retarget.flow.face_model import at_rest
from retarget.flow.values import FaceRequest, Identity
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.eye_white import eye_white
from retarget.generate.warp.mouth.driving_mouth import Below, DrivingInside, openness
from retarget.generate.warp.mouth.hole import Hole, lay
from retarget.generate.warp.mouth.kept_mouth import KeptMouth, opened_by, toothy_by
from retarget.generate.warp.mouth.lip_corners import draw_lip_corners
from retarget.generate.warp.mouth.lip_tint import LipTint
from retarget.generate.warp.mouth.mouth_light import fall_across, grain_of, shaded_aside, with_grain
from retarget.generate.warp.mouth.own_mouth import BESIDE, OwnInside
from retarget.generate.warp.mouth.parting import Parting
from retarget.generate.warp.mouth.shut_lips import between_lips, draw_lip_line
from retarget.generate.warp.mouth.teeth import Dentist, Layer
from retarget.generate.warp.mouth.tongue_out import draw_tongue_out
from retarget.generate.warp.paint import per_channel, ramp, to_bytes
from retarget.generate.warp.palette import Palette, luma
from retarget.generate.warp.rims import MOUTH, Rims, rims_of
from retarget.generate.warp.shape.closing import gathering
from retarget.generate.warp.shape.displace import Moved
from retarget.generate.warp.tones import Tones, lips_along

LIP_OVER_TEETH = 0.015
"""Head units by which the lower lip may lie below where the chin's movement puts it."""
LIP_SHADE, LIP_REACH = 0.32, 0.05
"""Darkening of drawn teeth at the lips, and its reach in mouth widths."""
SLIT = (0.02, 0.06)
"""Lip gap in mouth widths between which the interior's own brightness replaces that of the line
between touching lips: in a slit, light comes through the lips."""
CHIN = [landmarks.CHIN, 148, 377, 175]
LOWER_RIM = [87, 14, 317]
TONGUE_OUT = blendshapes.index("tongueOut")


class _Theirs(NamedTuple):
    """What a driving frame shows between its lips, mapped to one opening."""

    share: float
    """Share of it that is used, 0..1: 0 where the driving mouth is too little open."""
    inside: Floats
    """(h, w, 3)"""
    front: Floats
    """(h, w, 1) 0..1 where the front of a lip covers what is behind."""
    fall: float = 0.0
    """Change of light across the mouth; see `fall_across`."""


class _UpperRow(NamedTuple):
    """The drawn upper teeth."""

    place: Doubles
    """(2, 3) affine map to the crop."""
    share: Floats | np.float32 = np.float32(1)
    """Opacity, 0..1, (h, w, 1) or one for all."""


class Mouth:
    """Draws the interior between the lips of one photo.

    Args:
        identity: the photo.
        photo: (height, width, 3) its crop.
        points: (478, 3) its mesh in pixels of the crop.
        white: (3,) colour of the white of its eyes.
        settings: which sources may be used.
    """

    def __init__(
        self, identity: Identity, photo: Bytes, points: Floats, *, white: Floats,
        settings: WarpSettings,
    ) -> None:  # fmt: skip
        self._settings, self._unit = settings, identity.face.eye_distance
        self._tones = Tones.of(photo, points, eye_white(photo, points))
        self._palette = Palette.of(self._tones.skin, self._tones.lip, white)
        self._lips = LipTint(photo, points)
        self._dentist = Dentist(identity, points, self._palette)
        self._photo = rims_of(points, MOUTH)
        self._lip_along = lips_along(photo, points, self._tones.lip)
        self._fall = fall_across(photo, points, self._photo)
        self._grain = grain_of(photo, points, self._unit)
        gap = self._photo.gap / self._unit
        teeth, tooth = self._tones.teeth(photo, self._photo.smooth.outline)
        opened = opened_by(identity, gap)
        if tooth is not None and min(opened, toothy_by(teeth)) == 1:
            self._tones = replace(self._tones, tooth=tooth)
            self._palette = replace(self._palette, tooth=tooth)
        gum = np.float32(0.8) * self._palette.gum
        self._kept = KeptMouth.of(
            photo, self._photo, self._tones, unit=self._unit, opened=opened, teeth=teeth, gum=gum
        )
        self._parting = Parting.of(identity, gap, self._kept.worth)
        from_rest = identity.face.points - identity.pose.to_picture(at_rest(identity))
        self._rest_jaw = from_rest[CHIN, :2].mean(axis=0).astype(np.float32)
        self._rest_lip = from_rest[LOWER_RIM, :2].mean(axis=0).astype(np.float32)

    @cached_property
    def _teeth(self) -> tuple[Layer, Layer, Layer]:
        """Tongue, lower and upper teeth; drawn when first needed, as many videos never do."""
        return self._dentist.tongue(), self._dentist.lower(), self._dentist.upper()

    def draw(
        self, out: Bytes, now: Rims, moved: Moved, request: FaceRequest, white: Floats | None
    ) -> None:
        """Draw the interior into the warped crop.

        Args:
            out: the crop, changed in place.
            now: the moved lips.
            moved: the displacements.
            request: the request.
            white: (3,) white of the driving eyes, if known.
        """
        if now.differs(self._photo) > 0.05:
            self._lips.draw(out, moved.points, gathering(self._photo, now))
            draw_lip_line(out, self._photo, now, self._tones.lip)
            self._draw_inside(out, now, moved, request, white)
        tongue = float(request.expression.weights[TONGUE_OUT])
        if tongue > 0.05:
            draw_tongue_out(out, now, self._palette.tongue, tongue, self._unit)

    def _draw_inside(
        self, out: Bytes, now: Rims, moved: Moved, request: FaceRequest, white: Floats | None
    ) -> None:
        seen = self._parting.seen(now, moved.expression, self._unit)
        hole = Hole.between(now, out.shape) if seen > 0 else None
        if hole is None:
            return
        draw_lip_corners(out, now, self._photo, self._tones.lip)
        inside = self._inside(hole, now, moved, partial(self._theirs, hole, request, white))
        slit = 1 - smoothstep(*SLIT, now.gap / now.width)
        inside += np.float32(slit) * (between_lips(self._tones.lip) - inside)
        patch = out[hole.box]
        alpha = per_channel(np.float32(seen) * hole.alpha)
        patch[...] = to_bytes(patch + alpha * (inside - patch))

    def _inside(
        self, hole: Hole, now: Rims, moved: Moved, theirs: Callable[[Below | None], _Theirs | None]
    ) -> Floats:
        """(h, w, 3) the photo's own interior as far as it is kept, over the other sources."""
        own, kept = self._kept.inside, self._kept.between(now, moved.expression)
        if own is None or kept.share == 0:
            return self._others(hole, moved, theirs(None), _UpperRow(moved.skull))
        below = None
        if kept.upper > 0:
            edge = own.edge(moved.skull, kept.slid, now.gap)
            below = Below(kept.upper * hole.rims.place_across(edge), kept.upper)
        seen = theirs(below)
        row = _UpperRow(moved.skull)
        if seen is None:  # else no teeth are drawn
            row = self._row_beside(own, hole, moved, kept.upper)
        mine = self._others(hole, moved, seen, row)
        lip = moved.expression[LOWER_RIM].mean(axis=0)
        front = np.float32(0) if seen is None else seen.front
        layers = own.placed(moved.skull, lip, kept.hidden, kept.slid, now.gap)
        for layer, place, share, covered in layers:
            lay(mine, layer, place, hole, np.float32(share) * (1 - np.float32(covered) * front))
        if kept.share == 1:
            return mine
        # Not blended one over the other, as flesh would show through between them.
        seen = seen if below is None else theirs(None)
        inside = self._others(hole, moved, seen, _UpperRow(moved.skull))
        return inside + np.float32(kept.share) * (mine - inside)

    def _row_beside(self, own: OwnInside, hole: Hole, moved: Moved, upper: float) -> _UpperRow:
        """The drawn teeth that continue the photo's own row to the sides, at its height."""
        if upper == 0:
            return _UpperRow(moved.skull)
        turn, start = moved.skull[:, :2], moved.skull[:, 2]
        photo = self._photo
        opening = Rims(
            *(np.asarray(rim @ turn.T + start, np.float32) for rim in (photo.upper, photo.lower))
        )
        beside = ramp(BESIDE, np.abs(opening.place_along(hole.box)))[..., None]
        to_own = (own.end[len(own.end) // 2] - self._dentist.upper_edge) @ own.down
        place = moved.skull.copy()
        place[:, 2] += turn @ (np.float32(upper * to_own) * own.down)
        return _UpperRow(place, 1 - np.float32(upper) * (1 - beside))

    def _others(self, hole: Hole, moved: Moved, theirs: _Theirs | None, upper: _UpperRow) -> Floats:
        """(h, w, 3) the interior from the driving frame and drawn teeth.

        For a driving mouth that is almost shut no teeth are drawn: they would flash up whenever it
        closes.

        Args:
            hole: the opening.
            moved: the displacements.
            theirs: the driving frame's interior, drawn over flesh.
            upper: the upper teeth, if drawn.
        """
        return self._light(self._unlit(hole, moved, theirs, upper), hole, theirs)

    def _light(self, inside: Floats, hole: Hole, theirs: _Theirs | None) -> Floats:
        """(h, w, 3) the interior with the photo's light and grain."""
        fall = 0.0 if theirs is None else theirs.share * theirs.fall
        inside = shaded_aside(inside, hole.place, self._fall, fall)
        if self._grain is not None:
            inside = with_grain(inside, self._grain, hole.corner, luma(self._tones.skin))
        return inside

    def _unlit(self, hole: Hole, moved: Moved, theirs: _Theirs | None, upper: _UpperRow) -> Floats:
        if theirs is None:
            return self._drawn(hole, moved, upper)
        if theirs.share == 1:
            return theirs.inside.copy()
        flesh = self._drawn(hole, moved, None)
        if theirs.share == 0:
            return flesh
        return flesh + np.float32(theirs.share) * (theirs.inside - flesh)

    def _drawn(self, hole: Hole, moved: Moved, upper: _UpperRow | None) -> Floats:
        """(h, w, 3) flesh with tongue and teeth; None: flesh only."""
        flesh = np.exp(hole.depth / np.float32(-0.08 * hole.rims.width))[..., None]
        cavity = self._palette.cavity
        inside = cavity + flesh * (np.float32(0.5) * self._palette.gum - cavity)
        if upper is not None:
            jaw = self._jaw(moved)
            tongue, lower_row, upper_row = self._teeth
            lay(inside, tongue, self._dentist.tongue_place(moved.skull, jaw), hole)
            with_jaw = moved.skull.copy()
            with_jaw[:, 2] += moved.skull[:, :2] @ jaw
            lay(inside, lower_row, with_jaw, hole)
            lay(inside, upper_row, upper.place, hole, upper.share)
        lit = np.minimum(hole.depth / np.float32(LIP_REACH * hole.rims.width), 1)
        inside *= per_channel(np.float32(LIP_SHADE) * lit + np.float32(1 - LIP_SHADE))
        return np.asarray(inside, np.float32)

    def _jaw(self, moved: Moved) -> Floats:
        """(2,) displacement of the jaw from rest, in the photo's pose.

        The chin's skin lags behind the bone, so lower teeth that followed it could stand far above
        the lower lip.
        """
        lip = moved.expression[LOWER_RIM].mean(axis=0) + self._rest_lip
        chin = moved.jaw + self._rest_jaw
        down = self._photo.down
        behind = float((lip - chin) @ down) - LIP_OVER_TEETH * self._unit
        return np.asarray(chin + max(behind, 0.0) * down, np.float32)

    def _theirs(
        self, hole: Hole, request: FaceRequest, white: Floats | None, below: Below | None
    ) -> _Theirs | None:
        """The driving frame's interior; None where its pixels cannot be used."""
        tracked = request.driving.tracked if request.driving is not None else None
        if not self._settings.driving_mouth or tracked is None or tracked.face is None:
            return None
        frame, face = tracked.frame, tracked.face
        share = openness(face)
        if share == 0:
            none = np.zeros((*hole.depth.shape, 1), np.float32)
            return _Theirs(0.0, none, none)
        theirs = DrivingInside(
            frame.rgb, face, white=white, box=hole.box, now=hole.rims, below=below
        )
        lip = self._lip_at(hole.place)
        inside, front = theirs.lit(self._tones, self._palette.tooth, hole.depth, lip)
        fall = fall_across(frame.rgb, face.points, rims_of(face.points, MOUTH))
        return _Theirs(share, inside, np.float32(share) * front[..., None], fall)

    def _lip_at(self, place: Floats) -> Floats:
        """(h, w, 3) the colour of the lips at places (h, w) along them, in mouth widths."""
        ends = np.linspace(-0.4, 0.4, len(self._lip_along))
        seen = [np.interp(place, ends, channel) for channel in self._lip_along.T]
        return np.stack(seen, axis=2).astype(np.float32)
