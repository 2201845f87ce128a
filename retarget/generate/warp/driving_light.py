"""Relight the inside of the driving mouth to match the photo."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from retarget.flow.arrays import Bytes, Floats
from retarget.generate.warp.paint import per_channel
from retarget.generate.warp.palette import LUMA, luma
from retarget.generate.warp.tones import Tones

BRIGHTEST_GAIN, BRIGHTEST_TOOTH = 1.5, 2.2
"""Largest gain of the interior and of its teeth: less leaves grey teeth where a dark clip drives a
bright photo, more makes the tongue glow."""
TINT, WHITE_TINT = (0.85, 1.12), (0.55, 1.5)
"""Range of a channel's gain beside that of brightness: estimated from skin, whose colour depends on
the person as much as on the light, and from the white of the eyes."""
TINT_SHARE = 0.75
"""Exponent of the tint ratio that is applied: the sclera lies in warm shade."""
ABOVE_TOOTH = 1.15
"""Largest brightness of a tooth relative to the photo's own lit teeth, where these are seen."""
KNEE = 0.8
"""Share of the ceiling above which brightness is compressed: clipped, teeth merge into a slab."""
SURE, LIT_TEETH = 0.5, 0.75
"""Certainty from which pixels of teeth count in their brightness, and the share of these kept below
the ceiling: with most above it, no shade would be left between two teeth."""
TOOTH_OWN = 0.3
"""Share of its own tint that a driving tooth keeps; that tint is limited to between grey and the
warmth of the identity's teeth."""


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """Maps driving colours to the identity's light."""

    gain: Floats
    """(3,) factor per RGB channel."""
    lack: float
    """Further factor for teeth, 1 or more, that `gain` lacks."""
    colour: float
    """Share of saturation kept, 0..1: none in a grey photo."""
    ceiling: float
    """The brightest tooth: the brightest channel of skin and eyes, or of the photo's own teeth."""

    @classmethod
    def between(cls, driving: Tones, identity: Tones) -> Light:
        """Estimated from the surroundings of both mouths."""
        then, now, limits = driving.skin, identity.skin, TINT
        bright = _brighter(then, now)
        if driving.white is not None and identity.white is not None:
            then, now, limits = driving.white, identity.white, WHITE_TINT
            bright = max(bright, sqrt(bright * _brighter(then, now)))  # dark skin has white teeth
        tint = (now / np.maximum(then, 8.0) / max(_brighter(then, now), 1e-3)) ** TINT_SHARE
        ceiling = float(max(identity.skin.max(), now.max()))
        if identity.tooth is not None:
            ceiling = min(ceiling, ABOVE_TOOTH * luma(identity.tooth))
        skins = _colourful(driving.skin), _colourful(identity.skin)
        return cls(
            gain=(min(bright, BRIGHTEST_GAIN) * np.clip(tint, *limits)).astype(np.float32),
            lack=max(1.0, min(bright, BRIGHTEST_TOOTH) / BRIGHTEST_GAIN),
            colour=min(1.0, 2.0 * skins[1] / max(skins[0], 0.02)),
            ceiling=ceiling,
        )

    def __call__(self, rgb: Bytes) -> Floats:
        """(h, w, 3) driving colours in the identity's light."""
        lit = rgb * self.gain
        bright = np.maximum(lit @ LUMA, np.float32(1))
        lit *= per_channel(self._below_ceiling(bright) / bright)
        return self.muted(np.minimum(lit, np.float32(255)))

    def on_teeth(self, rgb: Bytes, teeth: Floats, tooth: Floats) -> Floats:
        """(h, w, 3) driving teeth in the identity's light and in the colour of its own.

        Args:
            rgb: (h, w, 3) driving colours.
            teeth: (h, w) 0..1 how surely each is a tooth.
            tooth: (3,) colour of the identity's teeth.
        """
        lit = self.muted(rgb * self.gain)
        grey = np.maximum(lit @ LUMA, np.float32(1))[..., None]
        theirs = tooth / np.float32(max(luma(tooth), 1.0))
        own = np.clip(lit / grey, np.minimum(theirs, 1), np.maximum(theirs, 1))
        tint = theirs + np.float32(TOOTH_OWN) * (own - theirs)
        bright = np.float32(self.lack) * grey
        sure = bright[teeth > SURE, 0]
        if sure.size:
            lit_most = round(LIT_TEETH * (sure.size - 1))
            bright *= min(1.0, self.ceiling / float(np.partition(sure, lit_most)[lit_most]))
        bright = self._below_ceiling(bright)
        return np.asarray(np.minimum(bright * tint, 255), np.float32)

    def _below_ceiling(self, bright: Floats) -> Floats:
        """Brightness (...) compressed monotonically below the ceiling."""
        knee = np.float32(KNEE * self.ceiling)
        room = np.float32(self.ceiling) - knee
        over = np.maximum(bright - knee, 0)
        return np.asarray(bright - over + over * room / (room + over), np.float32)

    def muted(self, rgb: Floats) -> Floats:
        """(h, w, 3) with the saturation limited to the identity's picture."""
        if self.colour == 1:
            return rgb
        grey = per_channel(rgb @ LUMA)
        out: Floats = grey + np.float32(self.colour) * (rgb - grey)
        return out


def _brighter(then: Floats, now: Floats) -> float:
    """Ratio of two colours' brightness."""
    return luma(now) / max(luma(then), 8.0)


def _colourful(rgb: Floats) -> float:
    """Saturation of a colour, 0..1."""
    return float((rgb.max() - rgb.min()) / max(float(rgb.max()), 1.0))
