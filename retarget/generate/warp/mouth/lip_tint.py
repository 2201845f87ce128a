"""The red of lips that close over a mouth that is open in the photo.

Stretched thin in the photo, little of the mesh's lips is red: closed as they are, they would be a
line in the skin. Beside teeth hardly any of it is lip, and what is there is stretched into stripes
and dark ends, so towards the corners the colour is evened out and made like that of the middle.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Floats
from retarget.generate.warp.paint import (
    averaged,
    blurred,
    box_of,
    colours,
    fill,
    per_channel,
    ramp,
    to_bytes,
)
from retarget.generate.warp.palette import LUMA, luma
from retarget.generate.warp.rims import LIP_ROWS, Rims
from retarget.generate.warp.tones import Tones, redness_in

REDDEST, LIT, MOSTLY_LIT = 0.4, 0.55, 0.6
"""Share of a photo's lips, the reddest, that is surely lip; brightness relative to the skin below
which lip lies in shade; and the lit share of a lip below which the lit part may be skin beside
it."""
SOFT = 0.02
"""Standard deviation of the blur of the lips' outline, in mouth widths."""
EVEN, ASIDE = 0.04, (0.35, 0.75)
"""Standard deviation of the blur that evens the colour out, in mouth widths; and the positions from
the middle (0) to a corner (1) between which it fades in."""
LIKE_MIDDLE = 0.75
"""Blend of the evened colour to that of the lip's middle, 0..1."""
DARKER, MOST = 0.93, 1.35
"""The darkest factor of brightness, and the largest change of a channel."""


class LipTint:
    """Gives closing lips their full colour.

    Args:
        photo: (height, width, 3) the crop.
        points: (478, 3) its mesh.
    """

    def __init__(self, photo: Bytes, points: Floats) -> None:
        tones = Tones.of(photo, points, None)
        self._tones = [
            _reddest(colours(photo, points[rows[:-1, 2:-2], :2].reshape(-1, 2)), tones)
            for rows in LIP_ROWS
        ]

    def draw(self, out: Bytes, points: Floats, much: float) -> None:
        """Tint the lips of the warped crop, in place.

        Args:
            out: the warped crop.
            points: (468, 3) the moved mesh.
            much: 0 open as in the photo, 1 shut.
        """
        if much <= 0:
            return
        for rows, tone in zip(LIP_ROWS, self._tones, strict=True):
            lip = Rims(points[rows[0], :2], points[rows[-1], :2])
            soft = SOFT * lip.width
            box = box_of(lip.outline, 3 * soft + 2, out.shape)
            if box is None:
                continue
            patch = out[box]
            mask = np.zeros(patch.shape[:2], np.uint8)
            fill(mask, lip.outline - np.array([box[1].start, box[0].start], np.float32))
            there = np.array(cv2.mean(patch, mask)[:3], np.float32)
            share = per_channel(blurred(mask, soft) * np.float32(much / 255))
            aside = ramp(ASIDE, np.abs(np.float32(2) * lip.place_along(box)))
            amid = np.where(aside > 0, np.uint8(0), mask)
            middle = np.array(cv2.mean(patch, amid)[:3], np.float32)
            beside = _even(patch, mask, EVEN * lip.width)
            beside += np.float32(LIKE_MIDDLE) * (middle - beside)
            even = patch + share * per_channel(aside) * (beside - patch)
            patch[...] = to_bytes(even * (1 + share * (_change(there, tone) - 1)))


def _even(patch: Bytes, mask: Bytes, deviation: float) -> Floats:
    """(h, w, 3) blurred within a mask (h, w), normalised."""
    inside = mask.astype(np.float32) + 1
    seen = averaged(patch * per_channel(inside), deviation)
    return np.asarray(seen / per_channel(averaged(inside, deviation)), np.float32)


def _change(there: Floats, tone: Floats) -> Floats:
    """(3,) factors that give a colour the tint of another, and hardly its brightness."""
    darker = luma(tone) / max(luma(there), 1.0)
    as_bright = np.float32(np.clip(darker, DARKER, 1.0) / max(darker, 1e-3))
    out: Floats = np.clip(tone * as_bright / np.maximum(there, 8), 1 / MOST, MOST)
    return out.astype(np.float32)


def _reddest(lips: Floats, tones: Tones) -> Floats:
    """(3,) the median colour of the reddest of (n, 3); for a lip wholly in shade, that of both.

    Redness is a difference here, not a ratio, which is largest in the dark beside teeth. Red in
    shade would glow if it were made as bright as the rest.
    """
    seen = lips @ LUMA > LIT * luma(tones.skin)
    lit = lips[seen] if seen.any() else lips
    red = lit[:, 0] - lit[:, 1]
    tone = np.asarray(np.median(lit[red >= np.quantile(red, 1 - REDDEST)], axis=0), np.float32)
    if seen.mean() > MOSTLY_LIT or luma(tones.lip) < LIT * luma(tones.skin):
        return tone
    own, lip, skin = (float(redness_in(c, c @ LUMA)) for c in (tone, tones.lip, tones.skin))
    return tone if own > 0.5 * (lip + skin) else tones.lip
