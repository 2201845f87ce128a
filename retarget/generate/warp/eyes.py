"""An eye as two layers, an eyeball without its iris and a whole iris, behind moving lids."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retarget.generate.warp.mesh import Bools, Bytes, Doubles, Floats
from retarget.generate.warp.rims import Rims, covered

SAME_GAZE = 0.06
"""Eye widths of iris movement until nothing of the photo's own gaze is added."""
FARTHEST_ASIDE, FARTHEST_DOWN, FARTHEST_UP = 0.24, 0.14, 0.13
"""Eye widths that an iris moves at most."""
SHADOW = 0.06
"""Eye widths that a lid's shadow reaches."""


@dataclass(frozen=True, slots=True)
class Eyeball:
    """One eye of the photo, taken apart."""

    left: int
    top: int
    white: Bytes
    """(h, w, 3) the eyeball without iris, also where lids hide it."""
    iris: Bytes
    """(h, w, 4) the whole iris where the photo has it, premultiplied by its coverage (last)."""
    rest: Floats
    """(h, w, 3) what the two leave of the photo's eye: added while the eye looks as it does there."""
    rims: Rims
    centre: Floats
    """(2,) of the iris."""
    radius: float
    white_tone: Floats
    """(3,) how bright and what colour white is in this light."""


def take_apart(photo: Bytes, rims: Rims, iris_points: Floats) -> Eyeball:
    """Separate the eyeball from the iris and complete what the lids hide of both.

    Args:
        photo: (height, width, 3).
        rims: the lids.
        iris_points: (5, 2) the iris: centre and rim.
    """
    centre = iris_points[0]
    radius = float(np.linalg.norm(iris_points[1:] - centre, axis=1).mean())
    reach = 0.55 * rims.width + 4
    middle = rims.middle[len(rims.middle) // 2]
    low = np.floor(middle - reach * np.array([1.25, 1.0])).astype(int)
    high = np.ceil(middle + reach * np.array([1.25, 1.0])).astype(int)
    left, top = (int(v) for v in np.maximum(low, 0))
    right, bottom = (int(v) for v in np.minimum(high, photo.shape[1::-1]))
    patch = photo[top:bottom, left:right]
    shape = patch.shape[:2]
    seen = covered(rims.smooth().outline, (left, top), shape, 0.0)
    seen = cv2.erode(seen, None, iterations=max(1, round(0.02 * rims.width))) > 127
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    away = np.hypot(x - centre[0], y - centre[1])
    white_seen = seen & (away > 1.15 * radius)
    if white_seen.sum() < 4:
        white_seen = seen | (covered(rims.outline, (left, top), shape, 0.0) > 0)
    white = _spread(patch, white_seen, rims.width)
    bright = patch[white_seen].astype(np.float32)
    tone = np.percentile(bright, 75, axis=0).astype(np.float32)
    iris_seen = seen & (away < 1.25 * radius)
    profile = _radial(patch, iris_seen, away, radius)
    whole = profile[np.minimum(away.astype(int), len(profile) - 1)]
    trust = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), max(0.6, 0.015 * rims.width))
    trust = np.clip(2 * trust - 1, 0, 1)[..., None]
    colour = trust * patch + (1 - trust) * whole
    soft = max(0.12 * radius, 0.8)
    alpha = np.clip((radius + 0.5 * soft - away) / soft, 0, 1)
    iris = np.dstack([colour * alpha[..., None], 255 * alpha])
    iris = np.rint(iris).astype(np.uint8)
    rest = patch - (white * (1 - iris[..., 3:] / 255.0) + iris[..., :3])
    open_ = covered(rims.smooth().outline, (left, top), shape, 0.6)[..., None] / 255.0
    rest = (rest * open_).astype(np.float32)
    return Eyeball(left, top, white, iris, rest, rims, centre, radius, tone)


def _spread(patch: Bytes, seen: Bools, width: float) -> Bytes:
    """The seen pixels as they are, and around them ever wider averages of them.

    Args:
        patch: (h, w, 3).
        seen: (h, w) which of its pixels to keep.
        width: of the eye in pixels; what is made up is smooth, so a small picture will do for it.
    """
    height, wide = patch.shape[:2]
    scale = min(1.0, 40.0 / width)
    small = (max(2, round(wide * scale)), max(2, round(height * scale)))
    weight = seen.astype(np.float32)
    four = np.dstack([patch * weight[..., None], weight]).astype(np.float32)
    four = cv2.resize(four, small, interpolation=cv2.INTER_AREA)
    sigma = max(0.05 * width * scale, 0.7)
    out = np.zeros((*four.shape[:2], 3), np.float32)
    left = np.ones(four.shape[:2], np.bool_)
    while left.any() and sigma < 4 * max(small):
        mean = cv2.GaussianBlur(four, (0, 0), sigma)
        fill = left & (mean[..., 3] > 0.05)
        out[fill] = mean[fill, :3] / mean[fill, 3:]
        left &= ~fill
        sigma *= 1.6
    out = cv2.GaussianBlur(out, (0, 0), 1.0)
    large = cv2.resize(out, (wide, height), interpolation=cv2.INTER_LINEAR)
    keep = cv2.GaussianBlur(weight, (0, 0), 1.0)[..., None]
    return np.clip(np.rint(keep * patch + (1 - keep) * large), 0, 255).astype(np.uint8)


def _radial(patch: Bytes, seen: Bools, away: Floats, radius: float) -> Floats:
    """(n, 3) the median colour at each whole distance from the centre."""
    count = int(np.ceil(1.3 * radius)) + 2
    out = np.zeros((count, 3), np.float32)
    known = np.zeros(count, bool)
    for k in range(count):
        ring = seen & (np.abs(away - k) < 0.8)
        if ring.sum() >= 2:
            out[k], known[k] = np.median(patch[ring], axis=0), True
    if not known.any():
        return np.full((count, 3), 40, np.float32)
    index = np.flatnonzero(known)
    for c in range(3):
        out[:, c] = np.interp(np.arange(count), index, out[index, c])
    return out


def draw_eye(out: Bytes, ball: Eyeball, now: Rims, shift: Floats) -> None:
    """Draw the eyeball between the lids.

    Args:
        out: changed in place.
        ball: the photo's eye.
        now: where the lids are.
        shift: (2,) pixels of iris movement, before the head's own.
    """
    still = now.differs(ball.rims) < 0.05
    if still and np.abs(shift).max() < 0.05:
        return
    outline = now.smooth().outline
    low = np.floor(outline.min(axis=0) - 2).astype(int)
    high = np.ceil(outline.max(axis=0) + 3).astype(int)
    left, top = (int(v) for v in np.maximum(low, 0))
    right, bottom = (int(v) for v in np.minimum(high, out.shape[1::-1]))
    if right - left < 2 or bottom - top < 2 or now.gap < 0.25:
        return
    shape = (bottom - top, right - left)
    shift = (
        np.clip(
            shift / ball.rims.width,
            (-FARTHEST_ASIDE, -FARTHEST_UP),
            (FARTHEST_ASIDE, FARTHEST_DOWN),
        )
        * ball.rims.width
    )
    turn = _between(ball.rims, now)
    to_box = np.array([[1, 0, -left], [0, 1, -top]], np.float64)
    place = _chain(to_box, turn, np.array([[1, 0, ball.left], [0, 1, ball.top]], np.float64))
    shifted = _chain(
        to_box,
        turn,
        np.array([[1, 0, ball.left + shift[0]], [0, 1, ball.top + shift[1]]], np.float64),
    )
    size = (shape[1], shape[0])
    white = cv2.warpAffine(
        ball.white, place, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    iris = cv2.warpAffine(ball.iris, shifted, size, flags=cv2.INTER_CUBIC).astype(np.float32)
    eye = white * (1 - iris[..., 3:] / 255) + iris[..., :3]
    same = 1 - float(np.linalg.norm(shift)) / (SAME_GAZE * ball.rims.width)
    if same > 0:
        eye += same * cv2.warpAffine(ball.rest, place, size, flags=cv2.INTER_LINEAR)
    opening = covered(outline, (left, top), shape, 0.3 + 0.012 * now.width).astype(np.float32) / 255
    eye *= _lid_shadow(opening, ball, now)[..., None]
    patch = out[top:bottom, left:right]
    mixed = patch + opening[..., None] * (eye - patch)
    patch[...] = np.clip(np.rint(mixed), 0, 255)


def _lid_shadow(opening: Floats, ball: Eyeball, now: Rims) -> Floats:
    """(height, width) factor: a lid that comes down brings its shadow along."""
    down = float(np.clip(1 - max(now.gap, 0.0) / max(ball.rims.gap, 1.0), 0.0, 1.0))
    reach = SHADOW * now.width
    rows = opening.shape[0]
    step = min(max(1, round(reach)), rows)
    lowered = np.zeros_like(opening)
    lowered[step:] = opening[: rows - step]
    lowered = cv2.blur(lowered, (1, 2 * step + 1), borderType=cv2.BORDER_REPLICATE)
    out: Floats = 1 - 0.45 * down * (1 - lowered)
    return out


def _between(photo: Rims, now: Rims) -> Doubles:
    """(2, 3) similarity from the photo's eye corners to where they are now."""
    a, b = photo.upper[[0, -1]].astype(np.float64), now.upper[[0, -1]].astype(np.float64)
    da, db = a[1] - a[0], b[1] - b[0]
    ratio = complex(*db) / complex(*da)
    linear = np.array([[ratio.real, -ratio.imag], [ratio.imag, ratio.real]])
    return np.hstack([linear, (b.mean(0) - linear @ a.mean(0))[:, None]])


def _chain(*maps: Doubles) -> Doubles:
    """Affine maps (2, 3), the last one first."""
    out = np.eye(3)
    for m in maps:
        out = out @ np.vstack([m, [0, 0, 1]])
    return out[:2]
