"""An eye as two layers, an eyeball without its iris and a whole iris, behind moving lids."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retarget.flow.arrays import Bools, Bytes, Doubles, Floats
from retarget.generate.warp.paint import averaged, blurred, box_of, fill, placed, to_bytes
from retarget.generate.warp.palette import LUMA, luma, redness
from retarget.generate.warp.rims import Rims

SAME_GAZE = 0.06
"""Eye widths of iris movement until nothing of the photo's own gaze is added."""
WIDER = 0.12
"""Eye widths that lids part beyond the photo's until nothing of its lid's shadow is left."""
FARTHEST_ALONG = 0.28
"""Eye widths between an iris and the middle of its eye at most."""
IN_SIGHT = 0.8
"""Radii of the iris, at least, between its centre and the corner it looks to."""
FARTHEST_UP, FARTHEST_DOWN = 0.13, 0.14
"""Eye widths that an iris moves at most."""
SHADOW, SHADOW_DEPTH, SHADOW_OPEN = 0.06, 0.45, 0.35
"""Eye widths that the shadow of a lowered lid reaches, how dark it is, and how much of it lies
under an open lid where the photo's own was lost."""
SHADOW_WIDTH = 60.0
"""Pixels of an eye's width that are enough for its shadow, which is soft; more cost far more."""
UNSHADED = 0.7
"""How far what is made up of the white goes over to its tone."""
BARE, MOST_LIT = 1.15, 1.25
"""How bright white is against the skin around it in an eye that looks aside, measured on four faces
(1.1 to 1.3), and by how much more it may be lit than the photo's narrow strips of it are."""
PALE = 0.35
"""The same of its hue, in the logarithm of red against blue."""
UNSEEN, GUESSED, PALER = 0.4, 0.9, 0.35
"""How bright against the skin around it what is taken for white is at least (0.5 and more on thirty
photos): below are lashes and iris of an eye in a slit, with laughter; how bright white is drawn
there; and the power of the skin's tint that it has."""
AMID = 0.06
"""Eye widths from the lids within which white lies in their shade."""
LIMBUS = 25.0
"""Distance (RGB, 0..255) from white that says nothing of where an iris ends."""
ASIDE, WIDE = np.arange(-4, 5) / 10, np.arange(80, 155, 5) / 100
"""Where an iris is looked for: aside from the mesh's, in the mesh's radii, and how wide it is."""
DOUBT = 0.3
"""How much less an edge counts that lies a radius aside."""
WET = 0.07
"""Eye widths above the lower rim, as the mesh has it, where the lid's wet edge may still lie."""
ENOUGH = 12
"""Pixels of an iris from which they tell its colours."""
LIKE = 40.0
"""Distance (RGB, 0..255) up to which a pixel there is taken for one of the iris all the same."""
STILL = 0.05
"""Pixels below which nothing is drawn anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Eyeball:
    """One eye of the photo, taken apart."""

    corner: tuple[int, int]
    """(left, top) of the pictures in the crop."""
    white: Bytes
    """(h, w, 3) the eyeball without iris, also where lids hide it."""
    iris: Bytes
    """(h, w, 4) the whole iris where the photo has it, premultiplied by its coverage (last)."""
    rest: Floats
    """(h, w, 3) what the two leave of the photo's eye; added while it looks as it does there."""
    rims: Rims
    """The photo's lids."""
    looks: float
    """Eye widths between the middle of the eye and the photo's iris, along the eye."""
    reach: float
    """The same at most for an iris that turned aside."""
    tone: Floats
    """(3,) how bright and what colour white is in this light, 0..255."""
    guessed: bool
    """Whether the photo shows no white."""


def take_apart(photo: Bytes, rims: Rims, iris: Floats, skin: Floats) -> Eyeball | None:
    """Separate the eyeball from the iris and complete what the lids hide of both.

    Args:
        photo: (height, width, 3).
        rims: the lids.
        iris: (5, 2) the iris: centre and rim.
        skin: (3,) around the eye.

    Returns:
        None where the eye lies outside the photo.
    """
    middle = rims.middle[len(rims.middle) // 2]
    reach = (0.55 * rims.width + 4) * np.array([1.25, 1.0], np.float32)
    box = box_of(np.stack([middle - reach, middle + reach]), 0, photo.shape)
    if box is None:
        return None
    patch = photo[box]
    corner = (box[1].start, box[0].start)
    outline = rims.smooth.outline - np.array(corner, np.float32)
    open_ = np.zeros(patch.shape[:2], np.uint8)
    fill(open_, outline)
    margin = max(1, round(0.02 * rims.width))  # lashes
    seen = cv2.erode(open_, np.ones((3, 3), np.uint8), iterations=margin) > 127
    dry = seen & (cv2.erode(open_, _way(rims.down, WET * rims.width)) > 127)
    centre = iris[0] - corner
    radius = max(float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean()), 1.0)
    y, x = np.mgrid[: patch.shape[0], : patch.shape[1]].astype(np.float32)
    centre, radius = _limbus(patch, seen, centre, radius, rims.along)
    away = np.hypot(x - centre[0], y - centre[1])
    white, tone = _white(patch, seen, away > 1.15 * radius, rims.width)
    guessed = luma(tone) < UNSEEN * luma(skin)
    if guessed:
        tone = _guessed(skin)
        white = np.broadcast_to(to_bytes(tone), patch.shape)
    sprite = _whole_iris(patch, seen, dry, away, radius)
    drawn = white * (1 - sprite[..., 3:] / 255.0) + sprite[..., :3]
    inside = blurred(open_, 0.6)[..., None] / 255.0
    rest = ((patch - drawn) * inside).astype(np.float32)
    looks = float((centre + corner - rims.middle_of_corners) @ rims.along) / rims.width
    to_corner = max(0.5 - IN_SIGHT * radius / rims.width, 0.0)
    most = min(FARTHEST_ALONG, to_corner)
    return Eyeball(corner, white, sprite, rest, rims, looks, most, tone, guessed)


def _white(patch: Bytes, seen: Bools, outside: Bools, width: float) -> tuple[Bytes, Floats]:
    """(h, w, 3) the eyeball without iris, and the tone (3,) of its white.

    Args:
        patch: (h, w, 3).
        seen: (h, w) pixels of the open eye.
        outside: (h, w) pixels that no iris reaches.
        width: of the eye in pixels.
    """
    white = seen & outside
    if white.sum() < 4:
        white = seen if seen.any() else np.ones_like(seen)
    tone = white_tone(patch[white].astype(np.float32))
    return _spread(patch, white, width, tone), tone


def _guessed(skin: Floats) -> Floats:
    """(3,) the white of eyes in skin of this colour."""
    bright = max(luma(skin), 1.0)
    tint = (np.maximum(skin, 1) / np.float32(bright)) ** np.float32(PALER)
    return np.asarray(tint * np.float32(GUESSED * bright / luma(tint)), np.float32)


def _way(direction: Floats, length: float) -> Bytes:
    """(n, n) 1 on a line of `length` pixels from its middle in a direction (2,)."""
    reach = max(1, round(length))
    out = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    end = np.rint(reach * (1 + direction)).astype(int).tolist()
    cv2.line(out, (reach, reach), end, (1,))
    return out


def white_tone(seen: Floats) -> Floats:
    """(3,) the tone of white, from visible pixels (n, 3) of which many lie in shadow."""
    bright = seen @ LUMA
    out: Floats = np.median(seen[bright >= np.percentile(bright, 75)], axis=0)
    return out


def _limbus(
    patch: Bytes, seen: Bools, centre: Floats, radius: float, along: Floats
) -> tuple[Floats, float]:
    """Centre (2,) and radius of the iris where its edge towards the white is sharpest.

    A mesh knows ordinary irises. Both sides have to show an edge for the centre to be moved; where
    hardly any edge is seen the mesh's own circle is kept.

    Args:
        patch: (h, w, 3).
        seen: (h, w) pixels of the open eye.
        centre: (2,) and
        radius: as the mesh has them.
        along: (2,) of length 1, from one corner of the eye to the other.
    """
    if not seen.any():
        return centre, radius
    rows, columns = np.nonzero(seen)
    colours = patch[seen].astype(np.float32)
    from_white = np.linalg.norm(colours - white_tone(colours), axis=1)
    best, found = 1.0, (centre, radius)
    off = np.stack([columns, rows], axis=1) - centre
    off = np.stack([off @ along, off @ (-along[1], along[0])])
    for aside in ASIDE:
        x, y = off[0] - aside * radius, off[1]
        away, beside = np.hypot(x, y), np.abs(y) < 0.7 * np.abs(x)
        left, right = (
            _edges(from_white[side], away[side], WIDE * radius)
            for side in (beside & (x < 0), beside & (x > 0))
        )
        edges = np.fmin(left, right) if aside == 0 else np.minimum(left, right)
        sharp = np.nan_to_num(edges) * (1 - DOUBT * (abs(aside) + np.abs(WIDE - 1)))
        if sharp.max() > best:
            moved = np.asarray(centre + aside * radius * along, np.float32)
            best, found = float(sharp.max()), (moved, float(WIDE[sharp.argmax()]) * radius)
    return found


def _edges(from_white: Floats, away: Floats, radii: Doubles) -> Doubles:
    """(n,) how many times nearer to white it is outside of each circle than inside.

    A ratio, for the pupil's edge is a larger step, but not one to white. NaN where it is not seen.
    """
    half = np.maximum(0.15 * radii, 1.0)
    order = np.argsort(away)
    sums = np.concatenate([[0.0], np.cumsum(from_white[order], dtype=np.float64)])
    at = np.searchsorted(away[order], [radii - half, radii, radii + half])
    counts, totals = np.diff(at, axis=0), np.diff(sums[at], axis=0)
    inner, outer = totals / np.maximum(counts, 1) + LIMBUS
    return np.where(counts.min(axis=0) < 4, np.nan, inner / outer)


def _whole_iris(patch: Bytes, seen: Bools, dry: Bools, away: Floats, radius: float) -> Bytes:
    """(h, w, 4) premultiplied: the iris as it is where seen, its radial median where not.

    Args:
        patch: (h, w, 3).
        seen: (h, w) pixels of the open eye.
        dry: (h, w) those of them that cannot be the wet edge of the lower lid.
        away: (h, w) pixels from the centre.
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
    """The seen pixels as they are, and around them ever wider averages of them.

    What is seen of the white is often its shaded edge, so the rest is drawn nearer to its tone.

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


def lost(ball: Eyeball, shift: Floats) -> float:
    """How much of what the photo shows beside white and iris an eye that turned has lost, 0..1.

    That is its lid's shadow, and the lower half of the line of its lashes.

    Args:
        ball: the photo's eye.
        shift: (2,) pixels of iris movement.
    """
    return min(float(np.hypot(*shift)) / (SAME_GAZE * ball.rims.width), 1.0)


def bare_below_lid(ball: Eyeball, now: Rims, shift: Floats) -> float:
    """How much of the shadow and of the lash line of its lid an eye has lost, 0..1.

    That is where it turned, or opened wider: white that the photo does not show comes to light.
    """
    wider = (now.gap - ball.rims.gap) / (WIDER * ball.rims.width)
    return min(max(lost(ball, shift), wider), 1.0)


def lit_when_bare(tone: Floats, skin: Floats) -> Floats:
    """(3,) by how much white is brighter where an iris leaves it bare than in a photo's strips.

    Eyes that look straight ahead show white in the shade of lids and lashes only, dim and reddish.

    Args:
        tone: (3,) of those strips, 0..255.
        skin: (3,) around the eye.
    """
    lit = min(max(BARE * luma(skin) / max(luma(tone), 1.0), 1.0), MOST_LIT)
    shaded = (lit - 1) / (MOST_LIT - 1)
    redder = 0.5 * shaded * max(float(redness(tone) - PALE * redness(skin)), 0.0)
    out: Floats = np.float32(lit) * np.exp(np.array([-redder / 2, 0, redder / 2], np.float32))
    return out


def draw_eye(out: Bytes, ball: Eyeball, now: Rims, shift: Floats, lit: Floats) -> None:
    """Draw the eyeball between the lids.

    Args:
        out: the crop, changed in place.
        ball: the photo's eye.
        now: where the lids are.
        shift: (2,) pixels of iris movement, beside that of the eye's corners.
        lit: (3,) by how much white that lies bare is brighter than the photo's.
    """
    if now.gap < 0.25 or (now.differs(ball.rims) < STILL and np.abs(shift).max() < STILL):
        return
    outline = now.smooth.outline
    box = box_of(outline, 2, out.shape)
    if box is None:
        return
    patch = out[box]
    rows, columns = patch.shape[:2]
    corner = (box[1].start, box[0].start)
    shift = _within_reach(ball, shift)
    gone = bare_below_lid(ball, now, shift) if ball.guessed else lost(ball, shift)
    place = _between(ball, now, corner)
    opening = np.zeros((rows, columns), np.uint8)
    fill(opening, outline - np.array(corner, np.float32))
    eye = placed(ball.white, place, (columns, rows), repeat=True).astype(np.float32)
    if gone > 0:
        middle = blurred(opening, AMID * now.width)[..., None] / np.float32(255)
        eye *= 1 + np.float32(gone) * middle * (lit - 1)
    shifted = place.copy()
    shifted[:, 2] += place[:, :2] @ shift
    iris = placed(ball.iris, shifted, (columns, rows)).astype(np.float32)
    eye = eye * (1 - iris[..., 3:] / 255) + iris[..., :3]
    if gone < 1:
        eye += np.float32(1 - gone) * placed(ball.rest, place, (columns, rows))
    alpha = blurred(opening, 0.3 + 0.012 * now.width).astype(np.float32) / 255
    bare = bare_below_lid(ball, now, shift)
    eye *= _lid_shadow(alpha, ball, now, bare)[..., None]
    patch[...] = to_bytes(patch + alpha[..., None] * (eye - patch))


def _within_reach(ball: Eyeball, shift: Floats) -> Floats:
    """A movement (2,) of the iris in pixels, no further than an eye turns.

    A photo may look aside already, and what is asked comes on top of that.
    """
    rims = ball.rims
    along, down = float(shift @ rims.along) / rims.width, float(shift @ rims.down) / rims.width
    left = min(-ball.reach - ball.looks, 0.0)
    right = max(ball.reach - ball.looks, 0.0)
    along = min(max(along, left), right)
    down = min(max(down, -FARTHEST_UP), FARTHEST_DOWN)
    out: Floats = np.float32(rims.width) * (along * rims.along + down * rims.down)
    return out


def _lid_shadow(opening: Floats, ball: Eyeball, now: Rims, bare: float) -> Floats:
    """(h, w) factor: a lid that comes down brings its shadow along."""
    down = min(1 - max(now.gap, 0.0) / max(ball.rims.gap, 1.0), 1.0)
    down = max(down, SHADOW_OPEN * bare)
    height, width = opening.shape
    scale = min(1.0, SHADOW_WIDTH / now.width)
    small = (max(1, round(scale * width)), max(1, round(scale * height)))
    above = _way(-now.down, 2 * SHADOW * scale * now.width).astype(np.float32)
    lowered = cv2.filter2D(
        cv2.resize(opening, small, interpolation=cv2.INTER_AREA),
        -1, above / above.sum(), borderType=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    lowered = cv2.resize(lowered, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(1 - np.float32(SHADOW_DEPTH * down) * (1 - lowered), np.float32)


def _between(ball: Eyeball, now: Rims, corner: tuple[int, int]) -> Doubles:
    """(2, 3) from the eye's pictures to a box at `corner`, by the similarity of the lid corners."""
    (ax, ay), (bx, by) = ball.rims.upper[0].tolist(), ball.rims.upper[-1].tolist()
    (cx, cy), (dx, dy) = now.upper[0].tolist(), now.upper[-1].tolist()
    turn = complex(dx - cx, dy - cy) / complex(bx - ax, by - ay)
    start = complex(cx - corner[0], cy - corner[1])
    start += turn * complex(ball.corner[0] - ax, ball.corner[1] - ay)
    return np.array([[turn.real, -turn.imag, start.real], [turn.imag, turn.real, start.imag]])
