"""Glasses: rigid, in front of a moving face.

Warped with the skin, their rims would ripple under raised brows and squints. So they are cut out
with the reflections in their lenses, the skin behind the rims is inpainted, and they are drawn over
the warped face: at their place, or moved with the head.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Doubles, Floats
from retarget.generate.warp.glasses.glasses_seen import Seen
from retarget.generate.warp.paint import averaged, blurred, box_of, fill, placed, ramp, to_bytes
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.rims import Rims

SOFT, SPILL = 0.4, 1.6
"""Softness of a rim's edge, and the distance beside it in which its colour mixes with the skin, in
hundredths of an eye distance."""
AROUND = 5.0
"""Margin around the glasses that is processed, in the same unit."""
CARRIED = (1.5, 4.0, 10.0, 25.0)
"""Reaches of the averages that fill in skin behind rims, in the same unit; each is used where the
one before finds none."""
EYE = (3.0, 9.0)
"""Distances from an eye, in the same unit, between which bright pixels turn from parts of the eye
to reflections."""
RING, TINTED = 4.0, (3.0, 12.0)
"""Distance beside a rim in which both sides give the tint of its lens, and the distances inwards
between which removing that tint fades out, in the same unit."""
DARKEST = 0.35
"""The most that a clear lens darkens lit skin; what is darker lies behind it."""
NEARER = 0.02
"""Weight of each reach relative to the one before."""
LEAST = 1e-3
"""Share of known pixels below which their average is ignored."""
HAIR, OF_HAIR = (0.5, 0.8), 0.03
"""Brightness relative to lit skin between which hair ends, and the weight of hair."""
BRIGHTER, SHINE = 1.06, 1.0
"""Brightness of a reflection relative to skin, and the blur of its edge in hundredths."""


class Glasses:
    """The glasses in one photo.

    Args:
        photo: (height, width, 3).
        seen: the outlines of the glasses.
        eyes: where it shows the eyes.
    """

    def __init__(self, photo: Bytes, seen: Seen, eyes: list[Rims]) -> None:
        self.bare = photo
        """(height, width, 3) the photo without glasses."""
        unit = seen.unit
        self._box = box = box_of(np.concatenate(seen.filled), AROUND * unit, photo.shape)
        if box is None:
            return
        patch = photo[box].astype(np.float32)
        corner = np.array([box[1].start, box[0].start], np.float32)
        lens, whole, open_ = (
            _drawn([line - corner for line in lines], patch.shape)
            for lines in (seen.clear, seen.filled, [eye.outline for eye in eyes])
        )
        rims = np.minimum(whole, 255 - lens)
        self._whole = _wider(whole, SPILL * unit)
        dull = _unlit(patch, rims, lens, _away_from(open_, unit, EYE), seen)
        bare = _filled(dull, rims, seen)
        self.bare = photo.copy()
        self.bare[box] = bare
        share = _share(blurred(rims, SOFT * unit))
        # The layer is the photo minus a share of the skin behind: drawn over a face that did not
        # move, it restores the photo.
        self._layer = np.concatenate([patch - (1 - share) * bare, share], axis=2)
        self._parts = _parts(self._layer)

    def with_wearer(self, person: Bytes) -> Bytes:
        """(height, width) mask of a person (255), extended by glasses that reach beyond it."""
        out = person.copy()
        if self._box is not None:
            np.maximum(out[self._box], self._whole, out=out[self._box])
        return out

    def lay_over(self, out: Bytes, place: Doubles | None = None) -> None:
        """Draw the glasses over a warped crop, in place.

        Args:
            out: (height, width, 3).
            place: (2, 3) movement with the head; None if it keeps still.
        """
        if self._box is None:
            return
        patch, (lit, share) = out[self._box], self._parts
        if place is not None:
            corner = np.array([self._box[1].start, self._box[0].start])
            ends = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * lit.shape[1::-1] + corner
            there = (ends @ place[:, :2].T + place[:, 2]).astype(np.float32)
            box = box_of(there, 1, out.shape)
            if box is None:
                return
            shifted = place.copy()
            shifted[:, 2] += place[:, :2] @ corner - (box[1].start, box[0].start)
            patch = out[box]
            size = (patch.shape[1], patch.shape[0])
            lit, share = _parts(placed(self._layer, shifted, size))
        hidden = cv2.multiply(patch, share, dtype=cv2.CV_32F)
        cv2.add(patch, cv2.subtract(lit, hidden, hidden), patch, None, cv2.CV_8U)


def _parts(layer: Floats) -> tuple[Floats, Floats]:
    """(h, w, 3) each: what a layer (h, w, 4) adds, and its opacity."""
    lit, share = cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB), cv2.extractChannel(layer, 3)
    wide = cv2.cvtColor(share, cv2.COLOR_GRAY2RGB)
    return np.asarray(lit, np.float32), np.asarray(wide, np.float32)


def _drawn(lines: list[Floats], shape: tuple[int, ...]) -> Bytes:
    """(h, w) 255 within outlines (n, 2)."""
    mask = np.zeros(shape[:2], np.uint8)
    for line in lines:
        fill(mask, line)
    return mask


def _wider(mask: Bytes, by: float) -> Bytes:
    """A mask (h, w) dilated by so many pixels."""
    reach = max(1, round(by))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(mask, disc), np.uint8)


def _hole(rims: Bytes, unit: float) -> Floats:
    """(h, w, 1) 0..1 what rims (h, w) hide or mix their colour with."""
    return _share(blurred(_wider(rims, SPILL * unit), SOFT * unit))


def _unlit(patch: Floats, rims: Bytes, lens: Bytes, eyeless: Floats, seen: Seen) -> Floats:
    """The patch without reflections in lenses, and without their tint beside the rims.

    Args:
        patch: (h, w, 3).
        rims: (h, w) 255 on rims.
        lens: (h, w) 255 on clear lenses.
        eyeless: (h, w, 1) 0 in eyes, 1 far from them.
        seen: the glasses.
    """
    unit, hole = seen.unit, _hole(rims, seen.unit)
    inside = _share(lens)
    outside = 1 - _share(_wider(np.maximum(rims, lens), SPILL * unit))
    beside = _share(_wider(rims, (SPILL + RING) * unit)) * (1 - hole)
    told = beside * _like_skin(patch, seen.skin)
    inner, outer = (_carried(patch, told * side, unit) for side in (inside, outside))
    tint = np.maximum(inner - outer, np.float32(-DARKEST * seen.skin))
    near = 1 - _away_from(_wider(rims, SPILL * unit), unit, TINTED)
    dull = patch - inside * eyeless * near * tint
    shine = np.maximum(dull - BRIGHTER * _carried(patch, outside, unit), 0) * (1 - hole)
    out: Floats = dull - inside * eyeless * blurred(shine, SHINE * unit)
    return out


def _filled(patch: Floats, rims: Bytes, seen: Seen) -> Bytes:
    """The patch (h, w, 3) with the skin behind rims (h, w) inpainted."""
    hole = _hole(rims, seen.unit)
    known = (1 - hole) * _like_skin(patch, seen.skin)
    return to_bytes(patch + hole * (_carried(patch, known, seen.unit) - patch))


def _share(mask: Bytes) -> Floats:
    """(h, w, 1) a mask (h, w) as 0..1."""
    return mask.astype(np.float32)[..., None] / 255


def _away_from(mask: Bytes, unit: float, ends: tuple[float, float]) -> Floats:
    """(h, w, 1) 0 in and beside a mask (h, w), 1 far from it, in hundredths."""
    away = cv2.distanceTransform(np.asarray(mask < 128, np.uint8), cv2.DIST_L2, 5)
    return ramp(ends, np.asarray(away, np.float32) / np.float32(unit))[..., None]


def _like_skin(patch: Floats, skin: float) -> Floats:
    """(h, w, 1) weight of each pixel of (h, w, 3) as evidence of what lies behind a rim.

    A brow that ends at a rim has skin behind it; a brow that crosses it is on both sides.
    """
    lit = ramp(HAIR, patch @ LUMA / np.float32(skin))[..., None]
    return np.float32(OF_HAIR) + np.float32(1 - OF_HAIR) * lit


def _carried(patch: Floats, known: Floats, unit: float) -> Floats:
    """(h, w, 3) a patch with unknown pixels filled in by averages of known ones.

    Args:
        patch: (h, w, 3).
        known: (h, w, 1) 0..1 how far each pixel is known.
        unit: pixels per hundredth of an eye distance.
    """
    four = np.concatenate([patch * known, known], axis=2)
    total = np.float32(NEARER ** len(CARRIED)) * four.mean(axis=(0, 1), keepdims=True)
    for k, reach in enumerate(CARRIED):
        mean = averaged(four, reach * unit)
        mean[mean[..., 3] < LEAST] = 0  # too little for an exact colour
        total = total + np.float32(NEARER**k) * mean
    out: Floats = total[..., :3] / np.maximum(total[..., 3:], np.float32(1e-9))
    return out
