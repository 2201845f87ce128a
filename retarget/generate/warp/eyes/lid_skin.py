"""The skin of a shut lid: toned like the skin around the eye, with its grain.

An open eye hides it, so its tones, including shadows that cross the eye, are interpolated from the
surroundings (normalised convolution: Knutsson & Westin, CVPR 1993), and its grain, cracks and brush
strokes are those of the skin below the eye. Of painted lids some is seen above the open eye.
"""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np

from retarget.flow.arrays import Bools, Bytes, Floats
from retarget.flow.ease import smoothstep
from retarget.generate.warp.paint import averaged, blurred, box_of, colours, fill, placed, ramp
from retarget.generate.warp.palette import LUMA, redness
from retarget.generate.warp.rims import Rims, curved

_AROUND, _BELOW = 0.7, 1.3
"""Extent of the examined region around the eye and below it, in eye widths."""
_PAST_FOLD = 0.35
"""Margin beyond the fold excluded with the eye for its dark edge, in lid heights."""
_LASHES = 0.06
"""Margin around the eye that contains its lashes, in eye widths."""
_BROW = (0.08, 0.3)
"""Extent of brow hair below and above the brow's lower row, in eye widths."""
_DIMMEST, _LIT, _OTHER_HUE = 0.45, 0.9, 0.35
"""What is dimmer than this share of the skin, or of another colour (logarithm), is hair; what is
lit counts more than the hollows around the eye, for a lid lies on a ball."""
_CHEEK, _TELLS = 0.3, 0.3
"""Eye widths below the eye where skin is bare, and how lit of a lid is what tells its colour."""
_COOLER, _HIDES = (0.15, 0.3), 0.9
"""By how much less red (logarithm of red against blue) lids begin to be painted, and surely are;
and how much of the skin around does not count then."""
_NEAR, _FAR, _FAR_COUNTS = 0.18, 0.5, 0.15
"""Near and far interpolation radius in eye widths, and the weight of the far one."""
_FINE = 0.07
"""Scale in eye widths below which a change of tone counts as grain."""
_FROM_BELOW = 0.75
"""Distance in eye widths from a place on the lid down to where its grain is copied from."""


class LidSkin:
    """The appearance of one eye's shut lid in the photo, computed on first use.

    Args:
        photo: (height, width, 3).
        rims: the rims of the eye in its pixels.
        fold: (n, 2) the row of points above the lid.
        brow: (n, 2) the lower row of the brow.
        skin: (3,) median tone of the skin around the eye, 0..255.
    """

    def __init__(self, photo: Bytes, rims: Rims, fold: Floats, brow: Floats, skin: Floats) -> None:
        self._photo, self._rims, self._fold, self._skin = photo, rims, fold, skin
        low, high = (way * np.float32(rims.width) * rims.down for way in _BROW)
        self._brow = np.concatenate([brow + low, (brow - high)[::-1]])
        reach = np.concatenate([rims.outline, fold, rims.lower + _BELOW * rims.width * rims.down])
        self._box = box_of(reach, _AROUND * rims.width, photo.shape)

    @cached_property
    def _made(self) -> tuple[Floats, Floats, Floats] | None:
        """Tone and grain, (h, w, 3) each, and the place of their first pixel in the photo (2,)."""
        box, rims = self._box, self._rims
        if box is None:
            return None
        corner = np.array([box[1].start, box[0].start], np.float32)
        patch = self._photo[box].astype(np.float32)
        rim = curved(rims.lower, 2) - corner
        past = curved(self._fold, 2) - corner
        past += np.float32(_PAST_FOLD) * (past - (curved(rims.upper, 2) - corner))
        other = _eye(rim, past, patch.shape, rims.width)
        fill(other, self._brow - corner)
        lit = ramp((_DIMMEST, _LIT), (patch @ LUMA) / np.float32(self._skin @ LUMA))
        counts = lit * _of_its_hue(patch, self._skin) * (other == 0)
        lashes = curved(rims.upper, 2) - corner - np.float32(_LASHES * rims.width) * rims.down
        below = rims.lower[2:-2] + np.float32(_CHEEK * rims.width) * rims.down
        cheek = np.median(colours(self._photo, below), axis=0)
        lid = np.zeros(lit.shape, np.uint8)
        fill(lid, np.concatenate([lashes, past[::-1]]))
        painted = _painted(patch, lit * (lid > 0), cheek)
        toned = np.maximum(counts * (1 - np.float32(_HIDES) * painted), lit * (lid > 0) * painted)
        return _carried_in(patch, toned, rims.width), _grain(patch, counts, rims), corner

    def at(self, now: Rims, box: tuple[slice, slice]) -> tuple[Floats, Floats] | None:
        """(h, w, 3) each: tone, 0..255, and grain to be added, moved with the eye.

        None where the photo ends at the eye.

        Args:
            now: the moved lids.
            box: rows and columns of the drawn crop.
        """
        if self._made is None:
            return None
        (tone, grain, corner), rims = self._made, self._rims
        scale = now.width / rims.width
        turn = np.stack([now.along, now.down], 1) @ np.stack([rims.along, rims.down])
        place = np.empty((2, 3))
        place[:, :2] = scale * turn
        to = now.middle_of_corners - np.array([box[1].start, box[0].start], np.float32)
        place[:, 2] = to - place[:, :2] @ (rims.middle_of_corners - corner)
        size = (box[1].stop - box[1].start, box[0].stop - box[0].start)
        return placed(tone, place, size, repeat=True), placed(grain, place, size)


def _of_its_hue(patch: Floats, skin: Floats) -> Bools:
    """(h, w) which pixels are of the hue of the skin."""
    seen, usual = np.log(patch + 8), np.log(skin + 8)
    hue = (seen - seen.mean(axis=2, keepdims=True)) - (usual - usual.mean())
    out: Bools = np.abs(hue).max(axis=2) < _OTHER_HUE
    return out


def _painted(patch: Floats, lid: Floats, cheek: Floats) -> np.float32:
    """0..1 how surely the lid has a colour of its own: paint, or light that falls on it alone.

    Shade is redder than the skin, so what is less red is neither shade nor lashes.

    Args:
        patch: (h, w, 3).
        lid: (h, w) 0..1 which of it is lit, and lid seen above the open eye.
        cheek: (3,) tone of the skin below the eye.
    """
    if lid.max() <= _TELLS:
        return np.float32(0)
    cooler = redness(cheek) - redness(np.median(patch[lid > _TELLS], axis=0))
    return np.float32(smoothstep(*_COOLER, float(cooler)))


def _eye(rim: Floats, past: Floats, shape: tuple[int, ...], width: float) -> Bytes:
    """(h, w) 255 on the eye from its lower rim to past its fold, and on its lashes."""
    mask = np.zeros(shape[:2], np.uint8)
    fill(mask, np.concatenate([rim, past[::-1]]))
    side = 2 * max(1, round(_LASHES * width)) + 1
    return np.asarray(cv2.dilate(mask, np.ones((side, side), np.uint8)), np.uint8)


def _carried_in(patch: Floats, counts: Floats, width: float) -> Floats:
    """(h, w, 3) the tones of weighted pixels, interpolated over the others."""
    weight = counts[..., None] + np.float32(1e-4)
    four = np.concatenate([patch * weight, weight], axis=2)
    near, far = averaged(four, _NEAR * width), averaged(four, _FAR * width)
    both = near + np.float32(_FAR_COUNTS) * far
    out: Floats = both[..., :3] / both[..., 3:]
    return out


def _grain(patch: Floats, counts: Floats, rims: Rims) -> Floats:
    """(h, w, 3) the fine changes of tone below the eye, for the places above."""
    weight = counts[..., None] + np.float32(1e-4)
    four = blurred(np.concatenate([patch * weight, weight], axis=2), max(_FINE * rims.width, 1.0))
    grain = (patch - four[..., :3] / four[..., 3:]) * counts[..., None]
    shift = -np.float32(_FROM_BELOW * rims.width) * rims.down
    place = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
    return placed(np.asarray(grain, np.float32), place, grain.shape[1::-1])
