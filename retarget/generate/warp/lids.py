"""A lid that comes down: its skin as light as skin is there, a crease above it, lashes along it.

An open eye hides most of its lid in a dark fold. Pulled down as it is, that strip gives a bruise
with long streaks; so while the eye shuts, it goes over to the tones and the grain of the skin
around the eye. The same is done to the fold under a raised brow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Floats, Ints
from retarget.flow.ease import smoothstep
from retarget.generate.warp import lashes
from retarget.generate.warp.lash_tips import LashTips
from retarget.generate.warp.lashes import Lashes
from retarget.generate.warp.lid_skin import LidSkin
from retarget.generate.warp.paint import blurred, box_of, colours, fill, stroke, thrice, to_bytes
from retarget.generate.warp.palette import LUMA, luma
from retarget.generate.warp.rims import Opening, Rims, curved

LEFT_FOLD = np.array(landmarks.LEFT_EYE_FOLD[::-1])
RIGHT_FOLD = np.array(landmarks.RIGHT_EYE_FOLD)
"""The row of points above each upper lid, from picture left to right, corners included."""
LEFT_BROW = np.array(landmarks.LEFT_BROW[5:])
RIGHT_BROW = np.array(landmarks.RIGHT_BROW[:4:-1])
"""The lower row of each brow, from picture left to right."""
LEFT_SKIN = np.array([252, 253, 254, 450, 451, 449, 443, 442, 444])
RIGHT_SKIN = np.array([22, 23, 24, 230, 231, 229, 223, 222, 224])
"""Skin below and above each eye."""

UPPER_BACKING, LOWER_BACKING = 0.045, 0.03
"""Eye widths by which shutting lids leave out what the mesh's rim may hold of the eyeball."""
LEAST = 0.05
"""How far shut an eye must be to be drawn as shutting."""
LASH_STRENGTH = 0.8
"""How opaque the line of a shut eye is."""
HANGING, DARK = 0.08, (0.25, 0.6)
"""Eye widths by which upper lashes hang over the lower lid of a shut eye, and how much darker than
skin they are, as a share of its brightness, from which on some and at which full lashes do."""
RELIT, RELIT_FOLD = 0.9, 0.45
"""How much of the broad tones of a shut lid, and of the fold under a raised brow, is replaced: that
one lies in the shadow of the brow all the same, the deeper the eyes lie."""
PAST_FOLD = 0.2
"""Lid heights beyond the fold that are re-lit: its dark edge goes as the fold is drawn out."""
STREAKED = 0.9
"""How much of the grain of a shut lid and of a fold drawn out is replaced: a narrow strip was drawn
long for it, and its lashes with it."""
LASHES_BACK = (0.9, 0.5)
"""How much of the lashes is laid along the rim again, for all that re-lighting takes of them, and
for what goes with the strip of the rim that is left out as the lid comes down."""
LASHED = 0.45
"""Share of the way from the lid's rim to its fold that is left to lashes under a raised brow."""
SHADED, BALL = 0.94, 0.06
"""Light of a shut lid's edge against the skin around, and how much lighter its middle is."""
TAPERED = np.array([0.3, 0.5, 0.7, 0.7, 0.7, 0.5, 0.3], np.float32)
"""How far up to the brow the skin over each point of the fold is re-lit, corners left out."""


@dataclass(frozen=True, slots=True)
class Lid:
    """How one eye of a photo looks when it shuts."""

    fold: Ints
    brow: Ints
    brow_height: float
    """Pixels from the fold to the brow in the photo."""
    skin: Floats
    """(3,) tone of the skin above and below the eye, 0..255."""
    lash: Floats
    """(3,) colour of the line where lids meet, 0..255."""
    shut: LidSkin
    lashes: Lashes
    tips: LashTips
    open_by: float
    """Lid distance in the photo, pixels."""

    @classmethod
    def of(
        cls, photo: Bytes, points: Floats, rims: Rims, rows: tuple[Ints, Ints], around: Ints
    ) -> Lid:
        """Read it off the photo.

        Args:
            photo: (height, width, 3).
            points: (478, 3) in its pixels.
            rims: the lids.
            rows: indices of the row above the lid, and of the lower row of the brow.
            around: indices of the skin below and above the eye.
        """
        seen = colours(photo, points[around, :2])
        lit = np.argsort(seen @ LUMA)[len(seen) // 2 :]  # the others lie in lashes and folds
        skin = np.median(seen[lit], axis=0)
        reach = 0.05 * rims.width * rims.down
        rim = curved(rims.upper, 2)[[2, 3, 4, 12, 13, 14]]  # beside the iris, which may be dark
        across = np.stack([colours(photo, rim + t * reach) for t in (-1.0, -0.5, 0.0, 0.5)])
        dark = np.take_along_axis(across, across.sum(-1).argmin(0)[None, :, None], axis=0)[0]
        # Towards the nose lashes are thin, and the mesh's rim often lies beside them.
        dark = dark[np.argsort(dark @ LUMA)[: len(dark) // 2]]
        lash = np.minimum(np.median(dark, axis=0), 0.8 * skin)
        skin, lash = skin.astype(np.float32), lash.astype(np.float32)
        fold, brow = (points[row, :2] for row in rows)
        shut = LidSkin(photo, rims, fold, brow, skin)
        height = _height(points, *rows, rims.down)
        lashes, tips = Lashes(photo, rims, shut), LashTips(photo, points, rims, rows, skin)
        return cls(*rows, height, skin, lash, shut, lashes, tips, max(rims.gap, 1.0))

    @property
    def _hanging(self) -> float:
        """Eye widths by which its lashes hang down when it is shut."""
        return HANGING * smoothstep(*DARK, 1 - luma(self.lash) / max(luma(self.skin), 1.0))

    def closing(self, now: Rims) -> float:
        """0 as open as in the photo or wider, 1 shut."""
        return max(1 - max(now.gap, 0.0) / self.open_by, 0.0)

    def draw(self, out: Bytes, points: Floats, now: Rims, gone: float) -> None:
        """Re-light the lid and draw its lashes, as much as the eye is shut.

        Args:
            out: the crop with moved skin and eyeball, changed in place.
            points: (468, 3) where the mesh is now.
            now: where the lids are.
            gone: 0..1 how much of the line of its lashes was lost with the photo's own gaze.
        """
        self._draw_fold(out, points, now)
        much = max((self.closing(now) - LEAST) / (1 - LEAST), 0.0)
        # Skin and lashes change long before it shuts: a rim that was left out takes them along.
        soon = 1 - (1 - much) ** 2
        if max(soon, gone) < LEAST:
            return
        rim, fold = curved(now.upper, 3), curved(points[self.fold, :2], 3)
        box = box_of(np.concatenate([rim, fold]), 0.2 * now.width + 2, out.shape)
        if box is None:
            return
        patch = out[box]
        corner = np.array([box[1].start, box[0].start], np.float32)
        rim, fold = rim - corner, fold - corner
        shape = patch.shape[:2]
        if soon >= LEAST:
            self.tips.take_away(out, points, now, soon)
        lit = patch.astype(np.float32)
        if soon >= LEAST:
            lid = _lid_mask(rim, fold, shape, now)
            lit = self._relit(patch, box, lid, now, (RELIT * soon, STREAKED * soon))
            crease = _line(fold[2:-2], shape, 0.03 * now.width, 0.03 * now.width)
            lit *= 1 - np.float32(0.16 * much) * thrice(crease)
            back = min(LASHES_BACK[0] * soon + LASHES_BACK[1] * much, 1.0)
            where = np.float32(back) * np.minimum(2 * lid, 1)
            self.lashes.darken(lit, rim, now, where, much)
        thick, down = lashes.WIDTH * now.width, self._hanging * much**6 * now.width
        line = lashes.hanging(rim, shape, (thick * now.down, down * now.down), 0.02 * now.width)
        lit += thrice(np.float32(LASH_STRENGTH * max(much, gone)) * line) * (self.lash - lit)
        patch[...] = to_bytes(lit)

    def _draw_fold(self, out: Bytes, points: Floats, now: Rims) -> None:
        """Re-light the skin between lashes and brow, as much as the brow is raised."""
        raised = _height(points, self.fold, self.brow, now.down) / self.brow_height - 1
        much = smoothstep(0.2, 0.9, raised)
        if much < LEAST:
            return
        fold, brow = points[self.fold[1:-1], :2], points[self.brow[[0, 0, 1, 2, 3, 4, 4]], :2]
        rim = now.upper[1:-1]
        lashes = rim + np.float32(LASHED) * (fold - rim)
        area = np.concatenate([lashes, (fold + TAPERED[:, None] * (brow - fold))[::-1]])
        box = box_of(area, 0.15 * now.width + 2, out.shape)
        if box is None:
            return
        patch = out[box]
        mask = np.zeros(patch.shape[:2], np.uint8)
        fill(mask, area - np.array([box[1].start, box[0].start], np.float32))
        soft = blurred(mask, 0.07 * now.width).astype(np.float32) / 255
        shares = (RELIT_FOLD * much, STREAKED * much)
        patch[...] = to_bytes(self._relit(patch, box, soft, now, shares))

    def _relit(
        self,
        patch: Bytes,
        box: tuple[slice, slice],
        lid: Floats,
        now: Rims,
        much: tuple[float, float],
    ) -> Floats:
        """The patch with tones and grain of its lid replaced by those of the skin around it.

        Args:
            patch: (h, w, 3).
            box: where it lies.
            lid: (h, w) 0..1 where.
            now: where the lids are.
            much: 0..1 how far tones, and how far the grain.
        """
        found = self.shut.at(now, box)
        if found is None:
            return patch.astype(np.float32)
        lid_rgb, weight, soft = thrice(lid), lid + np.float32(1e-4), max(0.07 * now.width, 1.0)
        broad = blurred(patch * thrice(weight), soft) / thrice(blurred(weight, soft))
        tone, grain = found
        tone *= np.float32(SHADED) + np.float32(BALL) * lid_rgb
        change = np.float32(much[0]) * (tone - broad)
        change += np.float32(much[1]) * (grain - (patch - broad))
        return np.asarray(patch + lid_rgb * change, np.float32)


def _height(points: Floats, fold: Ints, brow: Ints, down: Floats) -> float:
    """Pixels from a fold to the lower row of its brow, at least 1."""
    between = points[fold[2:-2], :2].mean(axis=0) - points[brow, :2].mean(axis=0)
    return max(float(between @ down), 1.0)


def _lid_mask(rim: Floats, fold: Floats, shape: tuple[int, ...], now: Rims) -> Floats:
    """(h, w) 0..1 the skin from the rim to a little past the fold, soft, nothing below the rim."""
    mask, below = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    fill(mask, np.concatenate([rim, (fold + np.float32(PAST_FOLD) * (fold - rim))[::-1]]))
    fill(below, np.concatenate([rim, rim[[-1, 0]] + now.width * now.down]))
    soft = np.minimum(blurred(mask, max(0.07 * now.width, 0.6)), 255 - below)
    return soft.astype(np.float32) / 255


def _line(line: Floats, shape: tuple[int, ...], thick: float, soft: float) -> Floats:
    """(h, w) 0..1 a soft line."""
    mask = np.zeros(shape, np.uint8)
    stroke(mask, line, thick)
    return blurred(mask, soft).astype(np.float32) / 255


def backed(source: Floats, photo: Rims, indices: Opening, much: float) -> None:
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
