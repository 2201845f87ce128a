"""Lips that close over a mouth that is open in the photo.

The mesh's lips there include teeth and, towards the corners, the dark beside them. Both are left
out (lip_ends.py finds how far), and the dark line between touching lips, which such a photo does
not show, is drawn.
"""

from __future__ import annotations

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Floats
from retarget.flow.ease import smoothstep
from retarget.generate.warp.paint import blurred, box_of, per_channel, stroke, to_bytes
from retarget.generate.warp.palette import luma
from retarget.generate.warp.rims import Rims, curved

AGAPE = (0.04, 0.12)
"""Gap of the photo's lips in mouth widths between which this fades in."""
NARROWER = (0.15, 0.45)
"""Decrease in width relative to the photo's between which a mouth counts as drawn in."""
ROWS = np.array([landmarks.UPPER_LIP_ROWS, landmarks.LOWER_LIP_ROWS])
LEFT_OUT = np.array([1, 1, 0.7, 0.5, 0.35, 0.35, 0.35, 0.5, 0.7, 1, 1], np.float32)
"""Share of a lip that is left out, from one corner of the mouth to the other."""
IN_A_BOW = np.array([0, 1, 0.5, 0, 0, 0, 0, 0, 0.5, 1, 0], np.float32)
"""How far the line in which they meet approaches an arc through its middle and corners."""
UNFOLDED = (0.14, 0.18, 0.2, 0.2)
"""Least distance of each row of skin below the lower lip from the row above, relative to the height
from lip to chin: in the mesh of a gaping mouth these rows may lie within the lip, which would be
drawn twice."""
_BELOW_ROWS = (*landmarks.BELOW_LIP_ROWS, *landmarks.CHIN_ROWS[:2])
BELOW = np.concatenate([np.array(row) for row in _BELOW_ROWS])
BELOW_COLUMNS = np.concatenate([np.arange(len(row)) + 5 - len(row) // 2 for row in _BELOW_ROWS])
BELOW_LEAST = np.repeat(np.cumsum(UNFOLDED), [len(row) for row in _BELOW_ROWS]).astype(np.float32)
"""The points of these rows, the column of the lip above each, and its least distance."""
MEET = (0.0, 0.06)
"""Gap in mouth widths between which the line between the lips fades out."""
LINE_WIDTH, LINE_SOFT, LINE_DARK = 0.016, 0.012, 0.5
"""Thickness of that line and standard deviation of its blur, in mouth widths; its darkening."""


def closing(photo: Rims, now: Rims) -> float:
    """How far a mouth that is open in the photo has closed: 0 as in the photo, 1 shut."""
    shut = 1 - max(now.gap, 0.0) / max(photo.gap, 1.0)
    return max(shut, 0.0) * smoothstep(*AGAPE, photo.gap / photo.width)


def gathering(photo: Rims, now: Rims) -> float:
    """As `closing`, but also for lips that stay open and become narrower than in the photo.

    The dark beside the photo's teeth would otherwise lie beside the mouth.
    """
    narrow = smoothstep(*NARROWER, 1 - now.width / photo.width)
    return max(closing(photo, now), narrow * smoothstep(*AGAPE, photo.gap / photo.width))


def into_a_bow(photo: Rims, now: Rims) -> Floats:
    """How far closing lips move down beside their corners, so that they meet without a hook.

    The corners of bared teeth stay up where the mouth was not open.

    Args:
        photo: the opening in the photo.
        now: the opening now.

    Returns:
        (11,) pixels.
    """
    much = closing(photo, now)
    if much == 0:
        return np.zeros(len(IN_A_BOW), np.float32)
    from_middle = now.middle - now.middle_of_corners
    across = from_middle @ now.along / np.float32(now.width / 2)
    bow = 1 - np.square(across)
    bows, line = np.stack([bow, bow * across], axis=1), from_middle @ now.down
    form = np.linalg.lstsq(bows[2:-2], line[2:-2], rcond=None)[0]
    return np.asarray(np.float32(much) * IN_A_BOW * (bows @ form - line), np.float32)


def lips_backed(source: Floats, photo: Rims, much: float, beside: Floats) -> None:
    """Let closing lips take their skin from a little farther away from the opening.

    Args:
        source: (576, 2) sources of the mesh's pixels, changed in place.
        photo: the opening in the photo.
        much: 0 open as in the photo, 1 shut or drawn in.
        beside: (2, 4, 11, 2) pixels by which their rows shift when shut.
    """
    if much == 0:
        return
    share = np.float32(much) * LEFT_OUT[:, None]
    source[ROWS[:, 1:]] += share * (source[ROWS[:, :1]] - source[ROWS[:, 1:]])
    source[ROWS] += np.float32(much) * beside
    lip = source[ROWS[1, 0]] @ photo.down
    height = max(float(source[landmarks.CHIN] @ photo.down - lip[5]), 0.0)
    short = lip[BELOW_COLUMNS] + np.float32(height) * BELOW_LEAST - source[BELOW] @ photo.down
    source[BELOW] += np.float32(much) * np.maximum(short, 0)[:, None] * photo.down


def draw_lip_line(out: Bytes, photo: Rims, now: Rims, lip: Floats) -> None:
    """Darken the line in which the lips meet by how far they have closed.

    Args:
        out: the warped crop, changed in place.
        photo: the opening in the photo.
        now: the opening now.
        lip: (3,) colour of the lips, which tints the line.
    """
    much = closing(photo, now) * (1 - smoothstep(*MEET, now.gap / now.width))
    line = curved(now.middle, 3)
    box = box_of(line, 0.05 * now.width + 2, out.shape)
    if much <= 0 or box is None:
        return
    patch = out[box]
    mask = np.zeros(patch.shape[:2], np.uint8)
    corner = np.array([box[1].start, box[0].start], np.float32)
    stroke(mask, line - corner, LINE_WIDTH * now.width)
    share = per_channel(blurred(mask, LINE_SOFT * now.width) * np.float32(much / 255))
    patch[...] = to_bytes(patch * (1 - share * (1 - _left(lip))))


def between_lips(lip: Floats) -> Floats:
    """(3,) the colour of that line for a lip colour."""
    return lip * _left(lip)


def _left(lip: Floats) -> Floats:
    """(3,) factor of each channel in that line."""
    out: Floats = np.float32(1 - LINE_DARK) * np.sqrt(lip / np.float32(max(luma(lip), 1.0)))
    return out
