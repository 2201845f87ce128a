"""A lid that comes down: its skin as light as skin is there, a crease above it, lashes along it.

An open eye hides most of its lid in a dark fold. Pulled down as it is, that strip gives a bruise;
so while the eye shuts, what is broad in it (not its grain) goes over to the tone of the skin
around the eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retarget.generate.warp.mesh import Bytes, Floats, Ints
from retarget.generate.warp.rims import Rims, curved

LEFT_FOLD = np.array([362, 414, 286, 258, 257, 259, 260, 467, 263])
RIGHT_FOLD = np.array([33, 247, 30, 29, 27, 28, 56, 190, 133])
"""The row of points above each upper lid, from picture left to right, corners included."""
LEFT_SKIN = np.array([252, 253, 254, 450, 451, 449, 443, 442, 444])
RIGHT_SKIN = np.array([22, 23, 24, 230, 231, 229, 223, 222, 224])
"""Skin below and above each eye."""

UPPER_BACKING, LOWER_BACKING = 0.045, 0.03
"""Eye widths by which shutting lids leave out what the mesh's rim may hold of the eyeball."""
LASH_WIDTH = 0.035
"""Thickness of the line of a shut eye in eye widths."""
RELIT = 0.8
"""How much of a shut lid's own broad tones is replaced."""


@dataclass(frozen=True, slots=True)
class Lid:
    """How one eye of a photo looks when it shuts."""

    fold: Ints
    skin: Floats
    """(3,) tone of the skin above and below the eye, 0..255."""
    lash: Floats
    """(3,) colour of the line where lids meet, 0..255."""
    open_by: float
    """Lid distance in the photo, pixels."""

    @classmethod
    def of(cls, photo: Bytes, points: Floats, rims: Rims, fold: Ints, around: Ints) -> Lid:
        """Read it off the photo.

        Args:
            photo: (height, width, 3).
            points: (478, 3) in its pixels.
            rims: the lids.
            fold: indices of the row above the lid.
            around: indices of the skin below and above the eye.
        """
        skin = np.median(_colours(photo, points[around, :2]), axis=0)
        reach = 0.05 * rims.width * rims.down
        rim = curved(rims.upper, 2)[2:-2]
        across = np.stack([_colours(photo, rim + t * reach) for t in (-1.0, -0.5, 0.0, 0.5)])
        dark = np.take_along_axis(across, across.sum(-1).argmin(0)[None, :, None], axis=0)[0]
        lash = np.minimum(np.median(dark, axis=0), 0.8 * skin)
        return cls(fold, skin.astype(np.float32), lash.astype(np.float32), max(rims.gap, 1.0))

    def closing(self, now: Rims) -> float:
        """0 as open as in the photo or wider, 1 shut."""
        return float(np.clip(1 - max(now.gap, 0.0) / self.open_by, 0.0, 1.0))

    def draw(self, out: Bytes, points: Floats, now: Rims) -> None:
        """Re-light the lid and draw its lashes, as much as the eye is shut.

        Args:
            out: the crop with moved skin and eyeball, changed in place.
            points: (468, 3) where the mesh is now.
            now: where the lids are.
        """
        much = self.closing(now)
        if much < 0.05:
            return
        rim, fold = curved(now.upper, 3), curved(points[self.fold, :2], 3)
        margin = 0.12 * now.width + 2
        everything = np.concatenate([rim, fold])
        low = np.maximum(np.floor(everything.min(axis=0) - margin), 0).astype(int)
        high = np.minimum(np.ceil(everything.max(axis=0) + margin), out.shape[1::-1]).astype(int)
        if (high - low < 4).any():
            return
        shape = (int(high[1] - low[1]), int(high[0] - low[0]))
        patch = out[low[1] : high[1], low[0] : high[0]]
        rim, fold = rim - low, fold - low
        lid = self._lid_mask(rim, fold, shape, now.width)
        lit = self._relit(patch, lid, RELIT * much, now.width)
        crease = _stroke(fold[2:-2], shape, 0.03 * now.width, 0.03 * now.width)
        lit *= 1 - 0.16 * much * crease[..., None]
        line = _stroke(rim, shape, LASH_WIDTH * now.width * much, 0.012 * now.width)
        lit += (0.8 * much**2 * line)[..., None] * (self.lash - lit)
        patch[...] = np.clip(np.rint(lit), 0, 255)

    def _relit(self, patch: Bytes, lid: Floats, much: float, width: float) -> Floats:
        """The patch with the broad tones of its lid replaced by those of the skin around it."""
        sigma = max(0.07 * width, 1.0)
        weight = lid[..., None] + 1e-4
        both = cv2.GaussianBlur(np.dstack([patch * weight, weight]), (0, 0), sigma)
        broad = both[..., :3] / both[..., 3:]
        round_ = 0.90 + 0.12 * lid  # a ball under the lid: lighter in its middle
        target = self.skin * round_[..., None]
        out: Floats = patch + (much * lid)[..., None] * (target - broad)
        return out

    @staticmethod
    def _lid_mask(rim: Floats, fold: Floats, shape: tuple[int, int], width: float) -> Floats:
        mask = np.zeros(shape, np.uint8)
        area = np.concatenate([rim, (0.15 * rim + 0.85 * fold)[::-1]])
        cv2.fillPoly(mask, [_fixed(area)], 255, lineType=cv2.LINE_AA, shift=4)
        soft = cv2.GaussianBlur(mask, (0, 0), max(0.045 * width, 0.6))
        below = np.zeros(shape, np.uint8)  # nothing of it reaches below the rim
        floor = np.array([[rim[-1, 0], shape[0] + 9.0], [rim[0, 0], shape[0] + 9.0]], np.float32)
        cv2.fillPoly(
            below, [_fixed(np.concatenate([rim, floor]))], 255, lineType=cv2.LINE_AA, shift=4
        )
        out: Floats = np.minimum(soft, 255 - below).astype(np.float32) / 255
        return out


def backed(source: Floats, photo: Rims, indices: tuple[Ints, Ints], much: float) -> None:
    """Let shutting lids take their skin a little away from the eyeball.

    Args:
        source: (576, 2) where the mesh takes its pixels from, changed in place.
        photo: the lids in the photo.
        indices: upper and lower rim in the mesh.
        much: 0 open, 1 shut.
    """
    away = (much * photo.width) * photo.down
    source[indices[0][1:-1]] -= UPPER_BACKING * away
    source[indices[1][1:-1]] += LOWER_BACKING * away


def _colours(photo: Bytes, points: Floats) -> Floats:
    """(n, 3) the photo's colours at points."""
    at = np.clip(np.rint(points).astype(int), 0, (photo.shape[1] - 1, photo.shape[0] - 1))
    return photo[at[:, 1], at[:, 0]].astype(np.float32)


def _stroke(line: Floats, shape: tuple[int, int], thick: float, soft: float) -> Floats:
    """(height, width) 0..1 a soft line, fainter where it would be thinner than a pixel."""
    mask = np.zeros(shape, np.uint8)
    strength = int(255 * min(1.0, max(thick, 0.05)))
    cv2.polylines(
        mask, [_fixed(line)], False, strength, max(1, round(thick)), lineType=cv2.LINE_AA, shift=4
    )
    if soft > 0.3:
        cv2.GaussianBlur(mask, (0, 0), soft, dst=mask)
    return mask.astype(np.float32) / 255


def _fixed(points: Floats) -> Ints:
    """Points in sixteenths of pixels."""
    return np.rint(points * 16).astype(np.int32)  # type: ignore[return-value]
