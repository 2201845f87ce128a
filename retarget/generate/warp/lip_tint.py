"""The red of lips that close over a mouth that is open in the photo.

Drawn thin there, little of what the mesh takes for lip is red: brought together as they are, they
would be a line in the skin.
"""

from __future__ import annotations

import numpy as np

from retarget.flow.arrays import Bytes, Floats
from retarget.generate.warp.paint import blurred, box_of, colours, fill, to_bytes
from retarget.generate.warp.palette import LUMA, luma
from retarget.generate.warp.rims import MOUTH, rims_of
from retarget.generate.warp.shut_lips import ROWS
from retarget.generate.warp.tones import redness_in

REDDEST, LIT = 0.4, 0.75
"""The part of a photo's lips, the reddest, that is surely lip; and how bright it is at least, in
the middle one of all: beside teeth it is as dark as it is red."""
SOFT = 0.02
"""Deviation of the blur of their outline, in mouth widths."""
DARKER, MOST = 0.93, 1.35
"""How much darker they grow at most, and by what factor one of their channels changes."""


class LipTint:
    """Gives lips that close the colour that they have.

    Args:
        photo: (height, width, 3) the crop.
        points: (478, 3) its mesh.
    """

    def __init__(self, photo: Bytes, points: Floats) -> None:
        self._tones = [
            _reddest(colours(photo, points[rows[:-1, 2:-2], :2].reshape(-1, 2))) for rows in ROWS
        ]

    def draw(self, out: Bytes, points: Floats, much: float) -> None:
        """Change the moved crop in place.

        Args:
            out: the moved crop.
            points: (468, 3) where the mesh is now.
            much: 0 open as in the photo, 1 shut.
        """
        if much <= 0:
            return
        soft = SOFT * rims_of(points, MOUTH).width
        for rows, tone in zip(ROWS, self._tones, strict=True):
            lip = np.concatenate([points[rows[0], :2], points[rows[-1, ::-1], :2]])
            box = box_of(lip, 3 * soft + 2, out.shape)
            if box is None:
                continue
            patch = out[box]
            mask = np.zeros(patch.shape[:2], np.uint8)
            fill(mask, lip - np.array([box[1].start, box[0].start], np.float32))
            share = blurred(mask, soft).astype(np.float32)[..., None] / 255
            there = (patch * share).sum(axis=(0, 1)) / max(float(share.sum()), 1.0)
            change = np.float32(much) * (_change(there, tone) - 1)
            patch[...] = to_bytes(patch * (1 + share * change))


def _change(there: Floats, tone: Floats) -> Floats:
    """(3,) the factors by which lips get the tint of another colour, and hardly its brightness."""
    darker = luma(tone) / max(luma(there), 1.0)
    as_bright = np.float32(np.clip(darker, DARKER, 1.0) / max(darker, 1e-3))
    out: Floats = np.clip(tone * as_bright / np.maximum(there, 8), 1 / MOST, MOST)
    return out.astype(np.float32)


def _reddest(lips: Floats) -> Floats:
    """(3,) the middle colour of the reddest of (n, 3)."""
    bright = lips @ LUMA
    lit = lips[bright >= LIT * np.median(bright)]
    red = redness_in(lit, lit @ LUMA)
    return np.asarray(np.median(lit[red >= np.quantile(red, 1 - REDDEST)], axis=0), np.float32)
