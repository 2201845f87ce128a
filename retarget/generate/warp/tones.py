"""The colours around a mouth, and teeth told by them."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from retarget.flow.arrays import Bytes, Floats
from retarget.generate.warp.paint import colours, fill, ramp
from retarget.generate.warp.palette import LUMA, believed, luma, tooth_in
from retarget.generate.warp.rims import LIP_ROWS

TONE_POINTS = np.array([
    50, 101, 36, 205, 187, 207, 216, 206, 203, 280, 330, 266, 425, 411, 427, 436, 426, 423,
    2, 164, 175, 199, 200, 201, 421, 194, 418, 117, 118, 346, 347,
])  # fmt: skip
"""Cheeks, upper lip and chin: where skin shows the light that falls on the mouth."""
TOOTH_BRIGHT, TOOTH_RED = 0.75, 0.6
"""Brightness relative to skin above which, and redness relative to lips below which, it is
tooth."""
PALE, SEEN = (0.3, 0.6), (0.3, 0.55)
"""Redness, from a lit tooth (0) to lips (1), between which tooth fades out, as a tongue that is lit
is paler than lips; and brightness relative to skin between which a pale colour becomes tooth."""
MOST_OF_LIPS = 0.5
"""The most of the lips' redness that is believed of a lit tooth, as pale lips are hardly redder."""
WHITE_BRIGHT = 0.4
"""Brightness relative to skin below which supposed white of the eyes is lashes or the shade between
laughing lids."""
INNER_RED, INNER_REDDEST = 1.0, 2.4
"""Exponent of the lips' tint that is added on their inner side, as a pale photo's lip beside a
tongue would be a grey line around the mouth; and the largest ratio of red to green that this may
reach, as red lips would glow."""
LEAST_RED = 0.08
"""Redness of lips below which they cannot be told from teeth: grey film, or dark make-up."""
ALONG, OWN, DARKEST = slice(1, -1), 0.5, 0.7
"""Columns of the lips whose colours are used along them, the weight of these colours, and the
darkest allowed relative to the lips, which lie in shade towards their corners."""


@dataclass(frozen=True, slots=True, eq=False)
class Tones:
    """The colours around one mouth, (3,) each, 0..255."""

    skin: Floats
    lip: Floats
    white: Floats | None = None
    """White of the eyes; None if unknown."""
    tooth: Floats | None = None
    """Colour of this person's teeth; None if not visible."""

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
    def lit_tooth(self) -> Floats:
        """(3,) the colour that a lit tooth has beside this skin."""
        return tooth_in(self.skin, self.skin if self.white is None else self.white)

    @property
    def inner_lip(self) -> Floats:
        """(3,) colour of the lips' inner side: as bright as the lips, more of their tint."""
        bright, own = max(luma(self.lip), 1.0), max(float(self.lip[0] / max(self.lip[1], 1)), 1.01)
        power = np.clip(log(INNER_REDDEST) / log(own) - 1, 0, INNER_RED)
        red = self.lip * (self.lip / np.float32(bright)) ** np.float32(power)
        return np.asarray(red * np.float32(bright / max(luma(red), 1.0)), np.float32)

    def teeth(self, rgb: Bytes, outline: Floats) -> tuple[float, Floats | None]:
        """The teeth in an opening: what is brighter and paler than the lips.

        Args:
            rgb: (height, width, 3).
            outline: (n, 2) of the opening.

        Returns:
            their share of the opening, 0..1, and the colour (3,) of their brighter half; None if
            there are none.
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
    """(n, 3) the colours along the lips, from picture left to right.

    Args:
        rgb: (height, width, 3) the picture.
        points: (478, 2 or 3) its mesh.
        lip: (3,) the lips' median colour.
    """
    at = points[LIP_ROWS[:, 1:3, ALONG], :2].mean(axis=1)  # (2, n, 2)
    seen = colours(rgb, at.reshape(-1, 2)).reshape(*at.shape[:2], 3).mean(axis=0)
    out = lip + np.float32(OWN) * (seen - lip)
    bright = np.maximum(out @ LUMA, np.float32(1))
    as_dark = np.clip(bright, np.float32(DARKEST * luma(lip)), np.float32(luma(lip)))
    return np.asarray(out * (as_dark / bright)[:, None], np.float32)


def teeth_in(rgb: Bytes | Floats, driving: Tones, *, colourless: float = 0.0) -> Floats:
    """(...) 0..1 certainty that a driving colour (..., 3) is tooth: lit, and paler than lips.

    Where lips are as pale as teeth, everything lit gets `colourless`.
    """
    bright = rgb @ LUMA
    lit = ramp(SEEN, bright / np.float32(max(luma(driving.skin), 1.0)))
    lip_red = redness_in(driving.lip, driving.lip @ LUMA)
    if lip_red < LEAST_RED:
        return np.float32(colourless) * lit
    tooth = driving.lit_tooth
    least = np.minimum(redness_in(tooth, tooth @ LUMA), np.float32(MOST_OF_LIPS) * lip_red)
    return lit * (1 - ramp(PALE, (redness_in(rgb, bright) - least) / (lip_red - least)))


def redness_in(rgb: Bytes | Floats, bright: Floats) -> Floats:
    """(...) difference of red and green of colours (..., 3), relative to their brightness (...)."""
    red = rgb[..., 0].astype(np.float32) - rgb[..., 1]
    return np.asarray(red / np.maximum(bright, np.float32(1)), np.float32)
