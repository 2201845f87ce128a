"""Lips that close over a mouth that is open in the photo.

What a mesh takes for lip there holds teeth, and towards the corners the dark beside them. Both are
left out (lip_ends.py finds how far), and the dark line between lips that touch, which no such photo
shows, is drawn.
"""

from __future__ import annotations

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Floats
from retarget.flow.ease import smoothstep
from retarget.generate.warp.paint import blurred, box_of, stroke, thrice, to_bytes
from retarget.generate.warp.palette import luma
from retarget.generate.warp.rims import Rims, curved

AGAPE = (0.04, 0.12)
"""Gap of the photo's lips, in mouth widths, from which on and at which this is done."""
NARROWER = (0.15, 0.45)
"""How much narrower than in the photo, in its width, a mouth begins to be drawn in, and is."""
ROWS = np.array([landmarks.UPPER_LIP_ROWS, landmarks.LOWER_LIP_ROWS])
LEFT_OUT = np.array([1, 1, 0.7, 0.5, 0.35, 0.35, 0.35, 0.5, 0.7, 1, 1], np.float32)
"""Which share of a lip holds something else, from one corner of the mouth to the other."""
IN_A_BOW = np.array([0, 1, 0.5, 0, 0, 0, 0, 0, 0.5, 1, 0], np.float32)
"""How nearly the line in which they meet comes to a bow through its middle and its corners."""
UNFOLDED = (0.14, 0.18, 0.2, 0.2)
"""How far at least each row of skin below the lower lip lies below the one above it, in the height
from lip to chin: in the mesh of a mouth that gapes they may lie within the lip, which would be
drawn once more below it."""
_BELOW_ROWS = (*landmarks.BELOW_LIP_ROWS, *landmarks.CHIN_ROWS[:2])
BELOW = np.concatenate([np.array(row) for row in _BELOW_ROWS])
BELOW_COLUMNS = np.concatenate([np.arange(len(row)) + 5 - len(row) // 2 for row in _BELOW_ROWS])
BELOW_LEAST = np.repeat(np.cumsum(UNFOLDED), [len(row) for row in _BELOW_ROWS]).astype(np.float32)
"""The points of these rows, which column of the lip each lies below, and how far at least."""
MEET = (0.0, 0.06)
"""Gap, in mouth widths, at which the line between the lips is whole and from which on it is not."""
LINE_WIDTH, LINE_SOFT, LINE_DARK = 0.016, 0.012, 0.5
"""Thickness of that line and deviation of its blur, in mouth widths; how much darker it is."""


def closing(photo: Rims, now: Rims) -> float:
    """0 as open as in a photo, or in one that is shut, to 1: shut where the photo gapes."""
    shut = 1 - max(now.gap, 0.0) / max(photo.gap, 1.0)
    return max(shut, 0.0) * smoothstep(*AGAPE, photo.gap / photo.width)


def gathering(photo: Rims, now: Rims) -> float:
    """As `closing`; also for lips that stay open and are drawn in from where the photo bares them.

    The dark beside its teeth would lie beside the mouth.
    """
    narrow = smoothstep(*NARROWER, 1 - now.width / photo.width)
    return max(closing(photo, now), narrow * smoothstep(*AGAPE, photo.gap / photo.width))


def into_a_bow(photo: Rims, now: Rims) -> Floats:
    """How far down lips that close go beside their corners, to meet without a hook.

    The corners of teeth that are bared stay up where nothing of the opening was.

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
    """Let lips that close take their skin a little away from the opening.

    Args:
        source: (576, 2) where the mesh takes its pixels from, changed in place.
        photo: the opening in the photo.
        much: 0 open as in the photo, 1 shut or drawn in.
        beside: (2, 4, 11, 2) pixels by which their rows give way, shut.
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
    """Darken the line in which the lips meet, as much as they have closed.

    Args:
        out: the moved crop, changed in place.
        photo: the opening in the photo.
        now: the opening now.
        lip: (3,) colour of the lips: light comes through them.
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
    share = thrice(blurred(mask, LINE_SOFT * now.width) * np.float32(much / 255))
    patch[...] = to_bytes(patch * (1 - share * (1 - _left(lip))))


def between_lips(lip: Floats) -> Floats:
    """(3,) the colour of that line in lips of this colour."""
    return lip * _left(lip)


def _left(lip: Floats) -> Floats:
    """(3,) what is left of each channel in that line."""
    out: Floats = np.float32(1 - LINE_DARK) * np.sqrt(lip / np.float32(max(luma(lip), 1.0)))
    return out
