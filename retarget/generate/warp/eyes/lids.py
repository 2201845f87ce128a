"""A closing lid: its skin re-lit, a crease above it, lashes along it.

An open eye hides most of its lid in a dark fold. Stretched downwards, that strip would look like a
bruise with long streaks; so while the eye shuts, it is blended to the tones and grain of the skin
around the eye. The same is done to the fold under a raised brow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Floats, Ints
from retarget.flow.ease import smoothstep
from retarget.generate.warp.eyes import lashes
from retarget.generate.warp.eyes.lash_tips import LashTips
from retarget.generate.warp.eyes.lashes import Lashes
from retarget.generate.warp.eyes.lid_skin import LidSkin
from retarget.generate.warp.paint import (
    blurred,
    box_of,
    colours,
    fill,
    per_channel,
    stroke,
    to_bytes,
)
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
"""Eye widths by which closing lids avoid parts of the eyeball inside the mesh's rim."""
LEAST = 0.05
"""Degree of closing (0..1) from which an eye is drawn as closing."""
LASH_STRENGTH = 0.8
"""Opacity of the lash line of a shut eye."""
HANGING, DARK = 0.08, (0.25, 0.6)
"""Eye widths by which upper lashes hang over the lower lid of a shut eye, and the darkening of the
lashes relative to skin between which they do so."""
RELIT, RELIT_FOLD = 0.9, 0.45
"""Share of the broad tones that is replaced on a shut lid and on the fold under a raised brow,
which stays in the shadow of the brow."""
PAST_FOLD = 0.2
"""Lid heights beyond the fold that are re-lit, to remove the fold's dark edge."""
STREAKED = 0.9
"""Share of the grain that is replaced on a shut lid and a stretched fold, where a narrow strip and
its lashes were stretched."""
LASHES_BACK = (0.9, 0.5)
"""Share of the lashes that is redrawn along the rim: for what re-lighting removes, and for what the
omitted strip of the rim removes."""
LASHED = 0.45
"""Share of the distance from rim to fold that is not re-lit under a raised brow, for lashes."""
SHADED, BALL = 0.94, 0.06
"""Brightness of a shut lid's edge relative to the skin around, and the increase at its middle."""
TAPERED = np.array([0.3, 0.5, 0.7, 0.7, 0.7, 0.5, 0.3], np.float32)
"""Share of the distance to the brow that is re-lit above each point of the fold but its corners."""


@dataclass(frozen=True, slots=True)
class Lid:
    """The look of one eye of a photo when it shuts."""

    fold: Ints
    brow: Ints
    brow_height: float
    """Pixels from the fold to the brow in the photo."""
    skin: Floats
    """(3,) tone of the skin above and below the eye, 0..255."""
    lash: Floats
    """(3,) colour of the lash line where lids meet, 0..255."""
    shut: LidSkin
    lashes: Lashes
    tips: LashTips
    open_by: float
    """Gap of the lids in the photo in pixels."""

    @classmethod
    def of(
        cls, photo: Bytes, points: Floats, rims: Rims, rows: tuple[Ints, Ints], around: Ints
    ) -> Lid:
        """Estimate it from the photo.

        Args:
            photo: (height, width, 3).
            points: (478, 3) in its pixels.
            rims: the lids.
            rows: indices of the row above the lid, and of the lower row of the brow.
            around: indices of the skin below and above the eye.
        """
        seen = colours(photo, points[around, :2])
        lit = np.argsort(seen @ LUMA)[len(seen) // 2 :]  # the darker half lies in lashes and folds
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
        """Eye widths by which the lashes hang down when the eye is shut."""
        return HANGING * smoothstep(*DARK, 1 - luma(self.lash) / max(luma(self.skin), 1.0))

    def closing(self, now: Rims) -> float:
        """Degree of closing: 0 as open as in the photo or wider, 1 shut."""
        return max(1 - max(now.gap, 0.0) / self.open_by, 0.0)

    def draw(self, out: Bytes, points: Floats, now: Rims, gone: float) -> None:
        """Re-light the lid and draw its lashes by the degree of closing.

        Args:
            out: the crop with warped skin and eyeball, changed in place.
            points: (468, 3) the moved mesh.
            now: the moved lids.
            gone: 0..1 share of the lash line that was lost with the photo's own gaze.
        """
        self._draw_fold(out, points, now)
        much = max((self.closing(now) - LEAST) / (1 - LEAST), 0.0)
        # Skin and lashes change well before the eye is shut, as the omitted rim takes lashes away.
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
            lit *= 1 - np.float32(0.16 * much) * per_channel(crease)
            back = min(LASHES_BACK[0] * soon + LASHES_BACK[1] * much, 1.0)
            where = np.float32(back) * np.minimum(2 * lid, 1)
            self.lashes.darken(lit, rim, now, where, much)
        thick, down = lashes.WIDTH * now.width, self._hanging * much**6 * now.width
        line = lashes.hanging(rim, shape, (thick * now.down, down * now.down), 0.02 * now.width)
        lit += per_channel(np.float32(LASH_STRENGTH * max(much, gone)) * line) * (self.lash - lit)
        patch[...] = to_bytes(lit)

    def _draw_fold(self, out: Bytes, points: Floats, now: Rims) -> None:
        """Re-light the skin between lashes and brow by how much the brow is raised."""
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
            box: rows and columns of the patch.
            lid: (h, w) 0..1 mask of the lid.
            now: the moved lids.
            much: 0..1 share of the tones and of the grain that is replaced.
        """
        found = self.shut.at(now, box)
        if found is None:
            return patch.astype(np.float32)
        lid_rgb, weight, soft = per_channel(lid), lid + np.float32(1e-4), max(0.07 * now.width, 1.0)
        broad = blurred(patch * per_channel(weight), soft) / per_channel(blurred(weight, soft))
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
    """(h, w) 0..1 soft mask of the skin from the rim to a little past the fold."""
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
    """Let closing lids take their skin from a little farther away from the eyeball.

    Args:
        source: (576, 2) sources of the mesh's pixels, changed in place.
        photo: the lids in the photo.
        indices: upper and lower rim in the mesh.
        much: 0 open, 1 shut.
    """
    away = (much * photo.width) * photo.down
    source[indices[0][1:-1]] -= UPPER_BACKING * away
    source[indices[1][1:-1]] += LOWER_BACKING * away
