"""Lips that close over a mouth that is open in the photo.

What a mesh takes for lip there holds teeth, and towards the corners the dark beside them. Both are
left out, and the dark line between lips that touch, which no such photo shows, is drawn.
"""

from __future__ import annotations

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Floats
from retarget.flow.ease import smoothstep
from retarget.generate.warp.paint import blurred, box_of, stroke, to_bytes
from retarget.generate.warp.rims import Rims, curved

AGAPE = (0.04, 0.12)
"""Gap of the photo's lips, in mouth widths, from which on and at which this is done."""
_ROWS = np.array([landmarks.UPPER_LIP_ROWS, landmarks.LOWER_LIP_ROWS])
LEFT_OUT = np.array([1, 1, 0.7, 0.5, 0.35, 0.35, 0.35, 0.5, 0.7, 1, 1], np.float32)
"""Which share of a lip holds something else, from one corner of the mouth to the other."""
MEET = (0.0, 0.06)
"""Gap, in mouth widths, at which the line between the lips is whole and from which on it is not."""
LINE_WIDTH, LINE_SOFT, LINE_DARK = 0.016, 0.012, 0.5
"""Thickness of that line and deviation of its blur, in mouth widths; how much darker it is."""


def closing(photo: Rims, now: Rims) -> float:
    """0 as open as in a photo, or in one that is shut, to 1: shut where the photo gapes."""
    shut = 1 - max(now.gap, 0.0) / max(photo.gap, 1.0)
    return max(shut, 0.0) * smoothstep(*AGAPE, photo.gap / photo.width)


def lips_backed(source: Floats, much: float) -> None:
    """Let lips that close take their skin a little away from the opening.

    Args:
        source: (576, 2) where the mesh takes its pixels from, changed in place.
        much: 0 open, 1 shut.
    """
    if much > 0:
        share = np.float32(much) * LEFT_OUT[:, None]
        source[_ROWS[:, 1:]] += share * (source[_ROWS[:, :1]] - source[_ROWS[:, 1:]])


def draw_lip_line(out: Bytes, photo: Rims, now: Rims) -> None:
    """Darken the line in which the lips meet, as much as they have closed.

    Args:
        out: the moved crop, changed in place.
        photo: the opening in the photo.
        now: the opening now.
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
    dark = blurred(mask, LINE_SOFT * now.width)[..., None] * np.float32(LINE_DARK * much / 255)
    patch[...] = to_bytes(patch * (1 - dark))
