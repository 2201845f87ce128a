"""Split an eye of the photo into an eyeball without iris and a complete iris."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retarget.flow.arrays import Bools, Bytes, Floats
from retarget.generate.warp.eyes.limbus import EyePatch, Limbus
from retarget.generate.warp.paint import averaged, blurred, to_bytes
from retarget.generate.warp.palette import LUMA, luma, white_tone
from retarget.generate.warp.rims import Rims

FARTHEST_ALONG = 0.28
"""Largest distance of an iris from the middle of its eye, in eye widths."""
IN_SIGHT = 0.8
"""Smallest distance from the iris centre to the corner it looks towards, in iris radii."""
UNSHADED = 0.7
"""How far filled-in sclera is blended towards its mean tone, 0..1."""
UNSEEN, GUESSED, PALER = 0.4, 0.9, 0.35
"""Brightness relative to the skin below which supposed white is lashes and iris of narrow, laughing
eyes (0.5 and more on thirty photos); the brightness of white that is drawn there; and the exponent
of the skin's tint in it."""
WET = 0.07
"""Height of the lid's wet edge above the mesh's lower rim, in eye widths."""
ENOUGH = 12
"""Pixels of an iris needed to estimate its colours."""
LASHED = 0.5
"""Brightness relative to the white below which pixels are lashes or paint on the lids' edges."""
LIKE = 40.0
"""Distance (RGB, 0..255) up to which a pixel at the wet edge still counts as iris."""


@dataclass(frozen=True, slots=True, eq=False)
class Eyeball:
    """One eye of the photo, split into layers."""

    corner: tuple[int, int]
    """(left, top) of the pictures in the crop."""
    white: Bytes
    """(h, w, 3) the eyeball without iris, completed behind the lids."""
    iris: Bytes
    """(h, w, 4) the whole iris at its place in the photo, premultiplied by its coverage (last)."""
    rest: Floats
    """(h, w, 3) the photo's eye minus the two layers; added while the gaze is the photo's."""
    rims: Rims
    """The photo's lids."""
    looks: float
    """Position of the photo's iris along the eye, in eye widths from its middle."""
    reach: float
    """Largest such distance for an iris turned aside, in eye widths."""
    tone: Floats
    """(3,) colour of white in this light, 0..255."""


def take_apart(eye: EyePatch, limbus: Limbus, skin: Floats) -> Eyeball:
    """Separate the eyeball from the iris and complete what the lids hide of both.

    Args:
        eye: the eye in the photo.
        limbus: where its iris ends.
        skin: (3,) colour around the eye.
    """
    rims, patch, corner, seen = eye.rims, eye.pixels, eye.corner, eye.seen
    wet = line_towards(rims.down, WET * rims.width)
    dry = seen & (cv2.erode(eye.opening, wet) > 127)
    centre, radius = limbus
    y, x = np.mgrid[: patch.shape[0], : patch.shape[1]].astype(np.float32)
    away = np.hypot(x - centre[0], y - centre[1])
    white, tone = _white(patch, seen, away > 1.15 * radius, rims.width)
    if luma(tone) < UNSEEN * luma(skin):
        tone = _guessed(skin)
        white = np.broadcast_to(to_bytes(tone), patch.shape)
    sprite = _whole_iris(patch, seen, dry, away, radius)
    drawn = white * (1 - sprite[..., 3:] / 255.0) + sprite[..., :3]
    inside = blurred(eye.opening, 0.6)[..., None] / 255.0
    rest = ((patch - drawn) * inside).astype(np.float32)
    looks = float((centre + corner - rims.middle_of_corners) @ rims.along) / rims.width
    to_corner = max(0.5 - IN_SIGHT * radius / rims.width, 0.0)
    most = min(FARTHEST_ALONG, to_corner)
    return Eyeball(corner, white, sprite, rest, rims, looks, most, tone)


def _white(patch: Bytes, seen: Bools, outside: Bools, width: float) -> tuple[Bytes, Floats]:
    """(h, w, 3) the eyeball without iris, and the tone (3,) of its white.

    Args:
        patch: (h, w, 3).
        seen: (h, w) whether a pixel belongs to the open eye.
        outside: (h, w) whether a pixel is beyond any iris.
        width: of the eye in pixels.
    """
    white = seen & outside
    if white.sum() < 4:
        white = seen if seen.any() else np.ones_like(seen)
    tone = white_tone(patch[white].astype(np.float32))
    lit = patch @ LUMA > LASHED * luma(tone)
    return _spread(patch, white & lit, width, tone), tone


def _guessed(skin: Floats) -> Floats:
    """(3,) a guess of the eyes' white from the colour of the skin (3,)."""
    bright = max(luma(skin), 1.0)
    tint = (np.maximum(skin, 1) / np.float32(bright)) ** np.float32(PALER)
    return np.asarray(tint * np.float32(GUESSED * bright / luma(tint)), np.float32)


def line_towards(direction: Floats, length: float) -> Bytes:
    """(n, n) 1 on a line of `length` pixels from its middle in a direction (2,)."""
    reach = max(1, round(length))
    out = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    end = np.rint(reach * (1 + direction)).astype(int).tolist()
    cv2.line(out, (reach, reach), end, (1,))
    return out


def _whole_iris(patch: Bytes, seen: Bools, dry: Bools, away: Floats, radius: float) -> Bytes:
    """(h, w, 4) premultiplied: the iris where visible, its radial median elsewhere.

    Args:
        patch: (h, w, 3).
        seen: (h, w) whether a pixel belongs to the open eye.
        dry: (h, w) those that cannot be the wet edge of the lower lid.
        away: (h, w) distance from the centre in pixels.
        radius: of the iris in pixels.
    """
    disc = away < radius
    told = dry if (dry & disc).sum() >= ENOUGH else seen
    profile = _radial(patch, told & (away < 1.25 * radius), away, radius)
    whole = profile[np.minimum(away.astype(int), len(profile) - 1)]
    like = np.linalg.norm(patch - whole, axis=2) < LIKE
    trust = blurred((told | (seen & like)).astype(np.float32), max(0.6, 0.1 * radius))
    trust = np.clip(2 * trust - 1, 0, 1)[..., None]
    colour = trust * patch + (1 - trust) * whole
    soft = max(0.12 * radius, 0.8)
    alpha = np.clip((radius + 0.5 * soft - away) / soft, 0, 1)
    return to_bytes(np.dstack([colour * alpha[..., None], 255 * alpha]))


def _spread(patch: Bytes, seen: Bools, width: float, tone: Floats) -> Bytes:
    """The visible pixels, extended outwards by ever wider averages of them.

    The visible white is often its shaded edge, so the extension is blended towards its tone.

    Args:
        patch: (h, w, 3).
        seen: (h, w) which of its pixels to keep.
        width: of the eye in pixels; what is made up is smooth, so a small picture will do for it.
        tone: (3,) how bright white is.
    """
    height, wide = patch.shape[:2]
    scale = min(1.0, 40.0 / width)
    small = (max(2, round(wide * scale)), max(2, round(height * scale)))
    weight = seen.astype(np.float32)
    four = np.dstack([patch * weight[..., None], weight])
    four = np.asarray(cv2.resize(four, small, interpolation=cv2.INTER_AREA), np.float32)
    sigma = max(0.05 * width * scale, 0.7)
    out = np.zeros((*four.shape[:2], 3), np.float32)
    left = np.ones(four.shape[:2], np.bool_)
    while left.any() and sigma < 4 * max(small):
        mean = averaged(four, sigma)
        fill_now = left & (mean[..., 3] > 0.02)
        out[fill_now] = mean[fill_now, :3] / mean[fill_now, 3:]
        left &= ~fill_now
        sigma *= 1.6
    out[left] = tone
    out += np.float32(UNSHADED) * (tone - out)
    large = cv2.resize(blurred(out, 1.0), (wide, height), interpolation=cv2.INTER_LINEAR)
    keep = blurred(weight, 1.0)[..., None]
    return to_bytes(keep * patch + (1 - keep) * large)


def _radial(patch: Bytes, seen: Bools, away: Floats, radius: float) -> Floats:
    """(n, 3) the median colour at each whole distance from the centre."""
    count = int(np.ceil(1.3 * radius)) + 2
    out = np.zeros((count, 3), np.float32)
    known = []
    for k in range(count):
        ring = seen & (np.abs(away - k) < 0.8)
        if ring.sum() >= 2:
            out[k] = np.median(patch[ring], axis=0)
            known.append(k)
    if not known:
        return np.full((count, 3), 40, np.float32)
    for c in range(3):
        out[:, c] = np.interp(np.arange(count), known, out[known, c])
    return out
