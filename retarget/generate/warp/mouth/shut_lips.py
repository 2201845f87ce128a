"""Lips that close over a mouth that is open in the photo.

The mesh's lips there include teeth and, towards the corners, the dark beside them. Both are left
out (shape/lip_ends.py finds how far), and the dark line between touching lips, which such a photo
does not show, is drawn.
"""

from __future__ import annotations

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Floats
from retarget.flow.ease import smoothstep
from retarget.generate.warp.paint import blurred, box_of, per_channel, stroke, to_bytes
from retarget.generate.warp.palette import luma
from retarget.generate.warp.rims import LIP_ROWS, Rims, curved
from retarget.generate.warp.shape.closing import closing
from retarget.generate.warp.shape.form import UNFOLDED

LEFT_OUT = np.array([1, 1, 0.7, 0.5, 0.35, 0.35, 0.35, 0.5, 0.7, 1, 1], np.float32)
"""Share of a lip that is left out, from one corner of the mouth to the other."""
_BELOW_ROWS = (*landmarks.BELOW_LIP_ROWS, *landmarks.CHIN_ROWS[:2])
BELOW = np.concatenate([np.array(row) for row in _BELOW_ROWS])
BELOW_COLUMNS = np.concatenate([np.arange(len(row)) + 5 - len(row) // 2 for row in _BELOW_ROWS])
BELOW_LEAST = np.repeat(np.cumsum(UNFOLDED), [len(row) for row in _BELOW_ROWS]).astype(np.float32)
"""The points of these rows, the column of the lip above each, and its least distance."""
MEET = (0.0, 0.06)
"""Gap in mouth widths between which the line between the lips fades out."""
LINE_WIDTH, LINE_SOFT, LINE_DARK = 0.016, 0.012, 0.5
"""Thickness of that line and standard deviation of its blur, in mouth widths; its darkening."""


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
    source[LIP_ROWS[:, 1:]] += share * (source[LIP_ROWS[:, :1]] - source[LIP_ROWS[:, 1:]])
    source[LIP_ROWS] += np.float32(much) * beside
    lip = source[LIP_ROWS[1, 0]] @ photo.down
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
