"""Draw both layers of an eye, eyeball and iris, behind moving lids."""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Doubles, Floats
from retarget.generate.warp.eyes.eyeball import Eyeball, line_towards
from retarget.generate.warp.paint import blurred, box_of, fill, per_channel, placed, to_bytes
from retarget.generate.warp.palette import luma, redness
from retarget.generate.warp.rims import Rims

SAME_GAZE = 0.06
"""Iris movement, in eye widths, at which the photo's own residual has faded out."""
WIDER = 0.12
"""Opening beyond the photo's, in eye widths, at which its lid shadow has gone."""
FARTHEST_UP, FARTHEST_DOWN = 0.13, 0.14
"""Largest iris movement up and down, in eye widths."""
SHADOW, SHADOW_DEPTH, SHADOW_OPEN = 0.06, 0.45, 0.35
"""Reach of a lowered lid's shadow in eye widths, its darkness, and the share of it drawn under an
open lid where the photo's own shadow was lost."""
SHADOW_WIDTH = 60.0
"""Eye width in pixels at which the soft shadow is computed; larger eyes would cost far more."""
BARE, MOST_LIT = 1.15, 1.25
"""Brightness of white relative to the skin around an eye that looks sideways, measured on four
faces (1.1 to 1.3), and the largest factor by which it is brightened over the photo's narrow
strips."""
PALE = 0.35
"""The same for hue: log ratio of red to blue, relative to the skin's."""
AMID = 0.06
"""Standard deviation in eye widths of the blur that shades sclera towards the lids."""
STILL = 0.05
"""Movement in pixels below which nothing is redrawn."""


def bare_below_lid(ball: Eyeball, now: Rims, shift: Floats) -> float:
    """How much of its lid's shadow and lower lash line an eye has lost, 0..1.

    An eye that turns or opens wider bares white that the photo does not show.

    Args:
        ball: the photo's eye.
        now: the moved lids.
        shift: (2,) movement of the iris in pixels.
    """
    turned = float(np.hypot(*shift)) / (SAME_GAZE * ball.rims.width)
    wider = (now.gap - ball.rims.gap) / (WIDER * ball.rims.width)
    return min(max(turned, wider, 0.0), 1.0)


def lit_when_bare(tone: Floats, skin: Floats) -> Floats:
    """(3,) factors by which bared white is brighter than the photo's visible strips.

    Eyes that look straight ahead show white only in the shade of lids and lashes, dim and reddish.

    Args:
        tone: (3,) colour of those strips, 0..255.
        skin: (3,) colour around the eye.
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
        now: the moved lids.
        shift: (2,) movement of the iris in pixels, relative to the eye's corners.
        lit: (3,) factors of bared white; see `lit_when_bare`.
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
    bare = bare_below_lid(ball, now, shift)
    place = _between(ball, now, corner)
    opening = np.zeros((rows, columns), np.uint8)
    fill(opening, outline - np.array(corner, np.float32))
    eye = placed(ball.white, place, (columns, rows), repeat=True).astype(np.float32)
    if bare > 0:
        middle = per_channel(blurred(opening, AMID * now.width) / np.float32(255))
        eye *= 1 + np.float32(bare) * middle * (lit - 1)
    shifted = place.copy()
    shifted[:, 2] += place[:, :2] @ shift
    iris = placed(ball.iris, shifted, (columns, rows)).astype(np.float32)
    eye = eye * per_channel(1 - iris[..., 3] / 255) + iris[..., :3]
    if bare < 1:
        eye += np.float32(1 - bare) * placed(ball.rest, place, (columns, rows))
    alpha = blurred(opening, 0.3 + 0.012 * now.width).astype(np.float32) / 255
    eye *= per_channel(_lid_shadow(alpha, ball, now, bare))
    patch[...] = to_bytes(patch + per_channel(alpha) * (eye - patch))


def _within_reach(ball: Eyeball, shift: Floats) -> Floats:
    """Limit a movement (2,) of the iris in pixels to an eye's range.

    The photo's own sideways gaze counts in that range.
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
    """(h, w) factor of the shadow that a lowered lid casts."""
    down = min(1 - max(now.gap, 0.0) / max(ball.rims.gap, 1.0), 1.0)
    down = max(down, SHADOW_OPEN * bare)
    height, width = opening.shape
    scale = min(1.0, SHADOW_WIDTH / now.width)
    small = (max(1, round(scale * width)), max(1, round(scale * height)))
    above = line_towards(-now.down, 2 * SHADOW * scale * now.width).astype(np.float32)
    lowered = cv2.filter2D(
        cv2.resize(opening, small, interpolation=cv2.INTER_AREA),
        -1, above / above.sum(), borderType=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    lowered = cv2.resize(lowered, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(1 - np.float32(SHADOW_DEPTH * down) * (1 - lowered), np.float32)


def _between(ball: Eyeball, now: Rims, corner: tuple[int, int]) -> Doubles:
    """(2, 3) map from the eye's pictures to a box at `corner`, by the similarity of the corners."""
    (ax, ay), (bx, by) = ball.rims.upper[0].tolist(), ball.rims.upper[-1].tolist()
    (cx, cy), (dx, dy) = now.upper[0].tolist(), now.upper[-1].tolist()
    turn = complex(dx - cx, dy - cy) / complex(bx - ax, by - ay)
    start = complex(cx - corner[0], cy - corner[1])
    start += turn * complex(ball.corner[0] - ax, ball.corner[1] - ay)
    return np.array([[turn.real, -turn.imag, start.real], [turn.imag, turn.real, start.imag]])
