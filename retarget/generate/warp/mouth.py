"""The inside of the mouth, drawn between the lips.

Where it comes from, the better first: the photo's own mouth where that is open, the driving
frame's where its pixels are at hand and its mouth is open, a drawn set of teeth otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retarget.flow import landmarks
from retarget.flow.values import FaceRequest, Identity, TrackedFrame
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.contact import smoothstep
from retarget.generate.warp.displace import Moved
from retarget.generate.warp.flow import draw_affine
from retarget.generate.warp.mesh import Bytes, Doubles, Floats
from retarget.generate.warp.rims import MOUTH, Rims, covered, rims_of
from retarget.generate.warp.teeth import LUMA, Dentist, Layer, Palette, luma

TONE_POINTS = np.array([
    50, 101, 36, 205, 187, 207, 216, 206, 203, 280, 330, 266, 425, 411, 427, 436, 426, 423,
    2, 164, 175, 199, 200, 201, 421, 194, 418, 117, 118, 346, 347,
])  # fmt: skip
"""Cheeks, upper lip and chin: where skin shows the light that falls on the mouth."""


LIP_OVER_TEETH = 0.015
"""Head units by which the lower lip may sink below where the chin takes it."""


def skin_tone(rgb: Bytes, points: Floats) -> Floats:
    """(3,) the median colour of the skin around the mouth, 0..255."""
    at = np.rint(points[TONE_POINTS, :2]).astype(int)
    at = np.clip(at, 0, (rgb.shape[1] - 1, rgb.shape[0] - 1))
    out: Floats = np.median(rgb[at[:, 1], at[:, 0]].astype(np.float32), axis=0)
    return out


@dataclass(frozen=True, slots=True)
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
        chroma = np.clip(ratio / max(bright, 1e-3), 0.72, 1.3)
        colour = min(1.0, 2.0 * _colourful(identity) / max(_colourful(driving), 0.02))
        gain = (min(bright, 1.2) * chroma).astype(np.float32)
        return cls(gain, colour, float(identity.max()) + 10.0)

    def __call__(self, rgb: Bytes) -> Floats:
        """(h, w, 3) driving colours in the identity's light."""
        lit = np.minimum(rgb * self.gain, self.ceiling)
        if self.colour < 1:
            grey = (lit @ LUMA)[..., None]
            lit = grey + self.colour * (lit - grey)
        return lit


def _colourful(rgb: Floats) -> float:
    """How far a colour is from grey, 0..1."""
    return float((rgb.max() - rgb.min()) / max(float(rgb.max()), 1.0))


def strip_map(box: tuple[int, int, int, int], now: Rims, then: Rims, margin: float) -> Floats:
    """Where each pixel of a box comes from when one opening is laid on another.

    Args:
        box: pixels (left, top, right, bottom).
        now: the opening to fill.
        then: the opening to take from.
        margin: pixels around the opening that repeat its edge.
    """
    left, top, right, bottom = box
    out = margin * now.down
    rows = [now.upper - out, now.upper, now.lower, now.lower + out]
    values = np.concatenate([then.upper, then.upper, then.lower, then.lower])
    n = len(now.upper)
    i = np.arange(n - 1)
    strip = np.concatenate([np.stack([i, i + 1, i + n], 1), np.stack([i + 1, i + n, i + n + 1], 1)])
    field = np.zeros((bottom - top, right - left, 2), np.float32)
    corners = (np.concatenate(rows) - np.array([left, top], np.float32)).astype(np.float32)
    triangles = np.concatenate([strip, strip + 2 * n, strip + n])
    draw_affine(field, corners, triangles, values.astype(np.float32), slack=0.02)
    return field


def shrunk(rims: Rims, across: float, along: float) -> Rims:
    """The opening made narrower, to leave out what of the lips the mesh took for inside."""
    centre = rims.middle.mean(axis=0)
    middle = rims.middle
    upper, lower = (middle + across * (r - middle) for r in (rims.upper, rims.lower))
    return Rims(centre + along * (upper - centre), centre + along * (lower - centre))


@dataclass(frozen=True, slots=True)
class Hole:
    """The opening between the lips on one frame, in pixels of the crop."""

    rims: Rims
    left: int
    top: int
    depth: Floats
    """(height, width) pixels from the nearest lip, 0 outside."""
    alpha: Floats
    """(height, width) how much of a pixel is inside, 0..1."""

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the crop."""
        height, width = self.depth.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.depth.shape[1], self.depth.shape[0]

    @classmethod
    def between(cls, rims: Rims, shape: tuple[int, ...]) -> Hole | None:
        """None where nothing can be seen."""
        fine = rims.smooth()
        outline = fine.outline
        low = np.maximum(np.floor(outline.min(axis=0) - 4), 0).astype(int)
        high = np.minimum(np.ceil(outline.max(axis=0) + 5), shape[1::-1]).astype(int)
        width, height = (int(v) for v in high - low)
        if width < 3 or height < 3:
            return None
        left, top = int(low[0]), int(low[1])
        solid = covered(outline, (left, top), (height, width), 0.0)
        depth = cv2.distanceTransform((solid > 127).astype(np.uint8), cv2.DIST_L2, 3)
        soft = 0.4 + 0.006 * rims.width
        alpha = cv2.GaussianBlur(solid, (0, 0), soft).astype(np.float32) / 255
        return cls(fine, left, top, depth, alpha)


class Mouth:
    """What is seen between the lips of one photo.

    Args:
        identity: the photo.
        photo: (height, width, 3) its crop.
        points: (478, 3) its mesh in pixels of the crop.
        white: (3,) colour of the white of its eyes.
        settings: where the inside may come from.
    """

    def __init__(
        self,
        identity: Identity,
        photo: Bytes,
        points: Floats,
        white: Floats,
        settings: WarpSettings,
    ) -> None:
        self._points, self._unit = points, identity.face.eye_distance
        self._settings = settings
        self._tone = skin_tone(photo, points)
        lips = np.concatenate(
            [points[[37, 0, 267, 84, 17, 314]], points[[82, 13, 312, 87, 14, 317]]]
        )
        lip = _median(photo, (lips[:6] * 0.55 + lips[6:] * 0.45)[:, :2])
        self._palette = Palette.of(self._tone, lip, white)
        dentist = Dentist(identity, points, self._palette)
        self._upper, self._lower, self._tongue = dentist.upper(), dentist.lower(), dentist.tongue()
        self._photo = rims_of(points, MOUTH)
        shut = rims_of(identity.rest.head[: landmarks.MESH_COUNT], MOUTH).gap
        self._photo_gap = self._photo.gap / self._unit
        self._own_share = smoothstep(
            0.025, 0.05, self._photo_gap - min(shut, identity.rest.lip_gap)
        )
        self._own = _own_inside(photo, self._photo, self._unit) if self._own_share > 0 else None
        from_rest = identity.face.points - identity.pose.to_picture(identity.rest.head)
        self._rest_jaw = from_rest[[landmarks.CHIN, 148, 377, 175], :2].mean(0).astype(np.float32)
        self._rest_lip = from_rest[[87, 14, 317], :2].mean(0).astype(np.float32)

    def draw(self, out: Bytes, moved: Moved, request: FaceRequest) -> None:
        """Draw it into the moved crop."""
        now = rims_of(moved.points, MOUTH)
        if now.differs(self._photo) < 0.05:
            return
        base = 0.0 if self._own is not None else max(self._photo_gap, 0.0)
        share = smoothstep(0.002, 0.016, now.gap / self._unit - base)
        hole = Hole.between(now, out.shape) if share > 0 else None
        if hole is None:
            return
        inside = self._drawn(hole, moved)
        driven = self._driven_share(request)
        if driven > 0:
            assert request.driving is not None and request.driving.tracked is not None
            inside += driven * (self._from_driving(hole, request.driving.tracked) - inside)
        patch = out[hole.box]
        mixed = patch + (share * hole.alpha)[..., None] * (inside - patch)
        patch[...] = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)

    def _drawn(self, hole: Hole, moved: Moved) -> Floats:
        """(height, width, 3) teeth and tongue, or the photo's own."""
        jaw = self._jaw(moved)
        with_jaw = moved.skull.copy()
        with_jaw[:, 2] += moved.skull[:, :2] @ jaw
        flesh = np.exp(hole.depth / (-0.08 * hole.rims.width))[..., None]  # cheeks behind the lips
        inside = self._palette.cavity + flesh * (0.5 * self._palette.gum - self._palette.cavity)
        lit = np.clip(hole.depth / (0.06 * hole.rims.width), 0, 1)[..., None]
        for layer, place in (
            (self._tongue, with_jaw),
            (self._lower, with_jaw),
            (self._upper, moved.skull),
        ):
            if layer is self._upper and self._own is not None:
                continue
            _lay(inside, layer, place, hole)
        inside *= 0.55 + 0.45 * lit
        if self._own is not None:
            own = moved.skull.copy()
            _lay(inside, self._own, own, hole, self._own_share)
        return inside

    def _jaw(self, moved: Moved) -> Floats:
        """(2,) how far the jaw is from where it rests, in the photo's pose.

        The chin's skin lags behind the bone; lower teeth that stood far above the lower lip would
        show it.
        """
        lip = moved.expression[[87, 14, 317]].mean(axis=0) + self._rest_lip
        chin = moved.jaw + self._rest_jaw
        down = self._photo.down
        behind = float((lip - chin) @ down) - LIP_OVER_TEETH * self._unit
        return chin + max(behind, 0.0) * down

    def _driven_share(self, request: FaceRequest) -> float:
        """0..1 how much of the inside the driving frame gives."""
        tracked = request.driving.tracked if request.driving is not None else None
        if not self._settings.driving_mouth or tracked is None or tracked.face is None:
            return 0.0
        gap = rims_of(tracked.face.points, MOUTH).gap / tracked.face.eye_distance
        return (1 - self._own_share) * smoothstep(0.02, 0.045, gap)

    def _from_driving(self, hole: Hole, tracked: TrackedFrame) -> Floats:
        """(height, width, 3) the driving mouth's inside in the photo's light."""
        assert tracked.face is not None
        points, rgb = tracked.face.points, tracked.frame.rgb
        then = rims_of(points, MOUTH)
        wide = smoothstep(0.26, 0.42, then.width / tracked.face.eye_distance)
        then = shrunk(then, 0.80 + 0.12 * wide, 0.72 + 0.26 * wide).smooth()  # pursed: more lip
        height, width = hole.depth.shape
        box = (hole.left, hole.top, hole.left + width, hole.top + height)
        where = strip_map(box, hole.rims, then, 4.0)
        inside = cv2.remap(rgb, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
        light = Light.between(skin_tone(rgb, points), self._tone)
        shade = np.clip(hole.depth / (0.05 * hole.rims.width), 0, 1) * 0.45 + 0.55
        out: Floats = light(inside) * shade[..., None]
        return out


def _median(rgb: Bytes, points: Floats) -> Floats:
    at = np.clip(np.rint(points).astype(int), 0, (rgb.shape[1] - 1, rgb.shape[0] - 1))
    out: Floats = np.median(rgb[at[:, 1], at[:, 0]].astype(np.float32), axis=0)
    return out


def _own_inside(photo: Bytes, rims: Rims, unit: float) -> Layer:
    """The inside of the photo's open mouth, feathered at the lips."""
    margin = 0.04 * unit + 2
    low = np.maximum(np.floor(rims.outline.min(axis=0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(rims.outline.max(axis=0) + margin), photo.shape[1::-1]).astype(int)
    patch = photo[low[1] : high[1], low[0] : high[0]]
    shape = (patch.shape[0], patch.shape[1])
    alpha = covered(rims.smooth().outline, (int(low[0]), int(low[1])), shape, 0.004 * unit + 0.4)
    rgba = np.dstack([patch * (alpha[..., None] / 255), alpha])
    return Layer(int(low[0]), int(low[1]), np.rint(rgba).astype(np.uint8))


def _lay(inside: Floats, layer: Layer, place: Doubles, hole: Hole, share: float = 1.0) -> None:
    """Lay a layer that moves by `place` over what is in the hole."""
    to_hole = place.copy()
    to_hole[:, 2] += place[:, :2] @ (layer.left, layer.top) - (hole.left, hole.top)
    drawn = cv2.warpAffine(layer.rgba, to_hole, hole.size, flags=cv2.INTER_LINEAR).astype(
        np.float32
    )
    inside *= 1 - share * drawn[..., 3:] / 255
    inside += share * drawn[..., :3]
