"""The inside of the mouth, drawn between the lips."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retarget.flow.values import FaceRequest, Identity, TrackedFrame
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.contact import smoothstep
from retarget.generate.warp.displace import Moved
from retarget.generate.warp.flow import draw_affine
from retarget.generate.warp.mesh import Bytes, Floats
from retarget.generate.warp.rims import MOUTH, Rims, covered, rims_of

TONE_POINTS = np.array([
    50, 101, 36, 205, 187, 207, 216, 206, 203, 280, 330, 266, 425, 411, 427, 436, 426, 423,
    2, 164, 175, 199, 200, 201, 421, 194, 418, 117, 118, 346, 347,
])  # fmt: skip
"""Cheeks, upper lip and chin: where skin shows the light that falls on the mouth."""


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
    ceiling: float
    """Brightest value a tooth may take."""

    @classmethod
    def between(cls, driving: Floats, identity: Floats) -> Light:
        """From two skin tones; at most a little brighter, and never another colour."""
        ratio = identity / np.maximum(driving, 8.0)
        bright = float(ratio @ [0.299, 0.587, 0.114])
        chroma = np.clip(ratio / max(bright, 1e-3), 0.88, 1.12)
        return cls((min(bright, 1.2) * chroma).astype(np.float32), float(identity.max()) + 10.0)


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


class DrivingMouth:
    """Lays the driving mouth's inside between the identity's lips."""

    def __init__(self, tone: Floats, unit: float) -> None:
        self._tone, self._unit = tone, unit

    def draw(self, out: Bytes, now: Rims, tracked: TrackedFrame, share: float) -> None:
        """Draw into `out` between the rims `now` (pixels of `out`), `share` of it opaque."""
        if tracked.face is None:
            return
        height, width = out.shape[:2]
        fine = now.smooth()
        outline = fine.outline
        low = np.floor(outline.min(axis=0) - 4).astype(int)
        high = np.ceil(outline.max(axis=0) + 5).astype(int)
        left, top = (int(v) for v in np.maximum(low, 0))
        right, bottom = (int(v) for v in np.minimum(high, (width, height)))
        if right - left < 2 or bottom - top < 2:
            return
        then = shrunk(rims_of(tracked.face.points, MOUTH), 0.92, 0.98).smooth()
        where = strip_map((left, top, right, bottom), fine, then, 4.0)
        inside = cv2.remap(
            tracked.frame.rgb, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        light = Light.between(skin_tone(tracked.frame.rgb, tracked.face.points), self._tone)
        shape = (bottom - top, right - left)
        solid = covered(outline, (left, top), shape, 0.0)
        depth = cv2.distanceTransform((solid > 127).astype(np.uint8), cv2.DIST_L2, 3)
        shade = np.clip(depth / (0.05 * now.width), 0, 1) * 0.45 + 0.55
        colour = np.minimum(inside * light.gain, light.ceiling) * shade[..., None]
        alpha = covered(outline, (left, top), shape, 0.5 + 0.006 * now.width).astype(np.float32)
        alpha *= share / 255
        patch = out[top:bottom, left:right]
        mixed = patch + alpha[..., None] * (colour - patch)
        patch[...] = np.rint(mixed).astype(np.uint8)


class Mouth:
    """What is seen between the lips of one photo."""

    def __init__(
        self, identity: Identity, photo: Bytes, points: Floats, settings: WarpSettings
    ) -> None:
        self._points, self._unit = points, identity.face.eye_distance
        self._settings = settings
        self._driven = DrivingMouth(skin_tone(photo, points), self._unit)
        self._photo = rims_of(points, MOUTH)

    def draw(self, out: Bytes, moved: Moved, request: FaceRequest) -> None:
        """Draw it into the moved crop."""
        driving = request.driving
        now = rims_of(moved.points, MOUTH)
        if np.abs(now.outline - self._photo.outline).max() < 0.05:
            return
        if driving is None or driving.tracked is None or driving.tracked.face is None:
            return
        share = smoothstep(0.012, 0.032, now.gap / self._unit)
        if share > 0:
            self._driven.draw(out, now, driving.tracked, share)
