"""The colours around a mouth, and by them what in it is tooth."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from retarget.flow.arrays import Bytes, Floats
from retarget.generate.warp.paint import colours, fill, ramp
from retarget.generate.warp.palette import LUMA, believed, luma
from retarget.generate.warp.shut_lips import ROWS

TONE_POINTS = np.array([
    50, 101, 36, 205, 187, 207, 216, 206, 203, 280, 330, 266, 425, 411, 427, 436, 426, 423,
    2, 164, 175, 199, 200, 201, 421, 194, 418, 117, 118, 346, 347,
])  # fmt: skip
"""Cheeks, upper lip and chin: where skin shows the light that falls on the mouth."""
TOOTH_BRIGHT, TOOTH_RED = 0.75, 0.6
"""Brightness in that of skin, above which, and redness in that of lips, below which it is tooth."""
PALE, SEEN = (0.4, 0.75), (0.3, 0.55)
"""Redness, in that of lips, from which on less and less and at which nothing is tooth; brightness,
in that of skin, at which nothing and above which all of what is pale is tooth."""
WHITE_BRIGHT = 0.4
"""Brightness in that of skin, below which what is taken for the white of the eyes is lashes or the
shade between lids that laugh."""
INNER_RED, INNER_REDDEST = 1.0, 2.4
"""Power of the tint of lips by which that side is tinted more: beside a tongue, a pale photo's lip
would be a grey line around the mouth; and red in green that it reaches at most by that: red lips
would glow."""
LEAST_RED = 0.08
"""Redness of lips below which nothing tells them from teeth: a grey film, or dark make-up."""
ALONG, OWN, DARKEST = slice(1, -1), 0.5, 0.7
"""Columns of the lips whose colours tell that of each place along them, how far these do, and how
dark they may be, in the lips' brightness: lips lie in shade towards their corners, as do corners.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Tones:
    """The colours around one mouth, (3,) each, 0..255."""

    skin: Floats
    lip: Floats
    white: Floats | None = None
    """Of the eyes; None where it is not known."""
    tooth: Floats | None = None
    """Of their own teeth; None where they are not seen."""

    @classmethod
    def of(cls, rgb: Bytes, points: Floats, white: Floats | None) -> Tones:
        """The medians of skin and lips in a picture with this mesh (478, 2 or 3)."""
        outer, inner = points[[37, 0, 267, 84, 17, 314], :2], points[[82, 13, 312, 87, 14, 317], :2]
        lips = np.concatenate([0.6 * outer + 0.4 * inner, 0.4 * outer + 0.6 * inner])
        skin = np.median(colours(rgb, points[TONE_POINTS, :2]), axis=0).astype(np.float32)
        if white is not None:
            seen = luma(white) > WHITE_BRIGHT * luma(skin)
            white = believed(white, skin) if seen else None
        return cls(
            skin=skin,
            lip=np.median(colours(rgb, lips), axis=0).astype(np.float32),
            white=white,
        )

    @property
    def inner_lip(self) -> Floats:
        """(3,) of the inner side of the lips: as bright as they are and redder, as they are."""
        bright, own = max(luma(self.lip), 1.0), max(float(self.lip[0] / max(self.lip[1], 1)), 1.01)
        power = np.clip(log(INNER_REDDEST) / log(own) - 1, 0, INNER_RED)
        red = self.lip * (self.lip / np.float32(bright)) ** np.float32(power)
        return np.asarray(red * np.float32(bright / max(luma(red), 1.0)), np.float32)

    def teeth(self, rgb: Bytes, outline: Floats) -> tuple[float, Floats | None]:
        """What of an opening in a picture is brighter and paler than its lips.

        Args:
            rgb: (height, width, 3).
            outline: (n, 2) of the opening.

        Returns:
            the share of it, 0..1, and the colour (3,) of its brighter half, None where nothing is.
        """
        mask = np.zeros(rgb.shape[:2], np.uint8)
        fill(mask, outline)
        inside = rgb[mask > 127]
        bright = inside @ LUMA
        tooth = bright > TOOTH_BRIGHT * luma(self.skin)
        lip_red = redness_in(self.lip, self.lip @ LUMA)
        if lip_red > LEAST_RED:
            tooth &= redness_in(inside, bright) < TOOTH_RED * lip_red
        if not tooth.any():
            return 0.0, None
        lit = inside[tooth & (bright >= np.median(bright[tooth]))]
        return float(tooth.mean()), lit.mean(axis=0).astype(np.float32)


def lips_along(rgb: Bytes, points: Floats, lip: Floats) -> Floats:
    """(n, 3) the colours of lips of this colour (3,) along both, from picture left to right.

    Args:
        rgb: (height, width, 3) the picture.
        points: (478, 2 or 3) its mesh.
        lip: their colour.
    """
    at = points[ROWS[:, 1:3, ALONG], :2].mean(axis=1)  # (2, n, 2)
    seen = colours(rgb, at.reshape(-1, 2)).reshape(*at.shape[:2], 3).mean(axis=0)
    out = lip + np.float32(OWN) * (seen - lip)
    bright = np.maximum(out @ LUMA, np.float32(1))
    as_dark = np.clip(bright, np.float32(DARKEST * luma(lip)), np.float32(luma(lip)))
    return np.asarray(out * (as_dark / bright)[:, None], np.float32)


def teeth_in(rgb: Bytes | Floats, driving: Tones, *, colourless: float = 0.0) -> Floats:
    """(...) 0..1 how surely a colour (..., 3) of the driving mouth is tooth: paler than lips, lit.

    Where lips are as pale as teeth, all that is lit is `colourless`.
    """
    bright = rgb @ LUMA
    lit = ramp(SEEN, bright / np.float32(max(luma(driving.skin), 1.0)))
    lip_red = redness_in(driving.lip, driving.lip @ LUMA)
    if lip_red < LEAST_RED:
        return np.float32(colourless) * lit
    return lit * (1 - ramp(PALE, redness_in(rgb, bright) / lip_red))


def redness_in(rgb: Bytes | Floats, bright: Floats) -> Floats:
    """(...) how much redder than green colours (..., 3) of this brightness (...) are, in it."""
    red = rgb[..., 0].astype(np.float32) - rgb[..., 1]
    return np.asarray(red / np.maximum(bright, np.float32(1)), np.float32)
