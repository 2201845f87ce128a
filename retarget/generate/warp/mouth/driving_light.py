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
ABOVE_TOOTH = 1.05
"""Largest brightness of a tooth relative to the photo's own lit teeth; where none are seen, it is
that of the brightest channel of skin."""
KNEE, KNEE_OF_TEETH = 0.8, 0.9
"""Share of the ceiling above which brightness is compressed: clipped, teeth merge into a slab, and
so they do where most of them are compressed."""
SURE, LIT_TEETH = 0.5, 0.9
"""Certainty from which pixels of teeth count in their brightness, and the share of these kept below
the knee."""
TOOTH_OWN = 0.5
"""Share of its own tint, relative to a tooth's in its light, that a driving tooth keeps."""


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """Maps driving colours to the identity's light."""

    gain: Floats
    """(3,) factor per RGB channel."""
    colour: float
    """Share of saturation kept, 0..1: none in a grey photo."""
    tooth: Floats
    """(3,) colour of the identity's lit teeth."""
    driving_tooth: Floats
    """(3,) the same of the driving face."""
    ceiling: float
    """Brightness of the brightest tooth."""

    @classmethod
    def between(cls, driving: Tones, identity: Tones, tooth: Floats) -> Light:
        """Estimated from the surroundings of both mouths.

        Args:
            driving: the driving face's.
            identity: the photo's.
            tooth: (3,) colour of the identity's teeth.
        """
        then = driving.lit_tooth
        bright = _brighter(driving.skin, identity.skin)
        bright = max(bright, sqrt(bright * _brighter(then, tooth)))  # dark skin has white teeth
        # Skin also tells who it is, and teeth how white they are: the light is half-way.
        tint = np.sqrt(_tint(driving.skin, identity.skin) * _tint(then, tooth))
        known = identity.tooth is not None
        ceiling = ABOVE_TOOTH * luma(tooth) if known else max(identity.skin.max(), luma(tooth))
        skins = _colourful(driving.skin), _colourful(identity.skin)
        return cls(
            gain=(min(bright, BRIGHTEST_GAIN) * tint).astype(np.float32),
            colour=min(1.0, 2.0 * skins[1] / max(skins[0], 0.02)),
            tooth=tooth,
            driving_tooth=then,
            ceiling=min(float(ceiling), 255.0),
        )

    def __call__(self, rgb: Bytes) -> Floats:
        """(h, w, 3) driving colours in the identity's light."""
        lit = rgb * self.gain
        bright = np.maximum(lit @ LUMA, np.float32(1))
        lit *= per_channel(_below(bright, self.ceiling, KNEE) / bright)
        return self.muted(np.minimum(lit, np.float32(255)))

    def on_teeth(self, rgb: Bytes, teeth: Floats) -> Floats:
        """(h, w, 3) driving teeth in the identity's light and in the colour of its own.

        Args:
            rgb: (h, w, 3) driving colours.
            teeth: (h, w) 0..1 how surely each is a tooth.
        """
        gain = np.float32(min(_brighter(self.driving_tooth, self.tooth), BRIGHTEST_TOOTH))
        grey = gain * (rgb @ LUMA)
        plain = per_channel(grey) * (self.tooth / np.float32(max(luma(self.tooth), 1.0)))
        own = self.muted(rgb * (gain * _tint(self.driving_tooth, self.tooth)))
        np.maximum(own[..., 0], plain[..., 0], out=own[..., 0])  # gloss would be blue
        np.minimum(own[..., 2], plain[..., 2], out=own[..., 2])
        own = plain + np.float32(TOOTH_OWN) * (own - plain)
        bright = self._not_glaring(grey, teeth) / np.maximum(own @ LUMA, np.float32(1))
        return np.asarray(np.minimum(own * per_channel(bright), 255), np.float32)

    def _not_glaring(self, bright: Floats, teeth: Floats) -> Floats:
        """(h, w) brightness of teeth, lowered for most of them to lie below the knee."""
        sure = bright[teeth > SURE]
        if sure.size:
            most = round(LIT_TEETH * (sure.size - 1))
            lit = max(float(np.partition(sure, most)[most]), 1.0)
            bright = bright * np.float32(min(1.0, KNEE_OF_TEETH * self.ceiling / lit))
        return _below(bright, self.ceiling, KNEE_OF_TEETH)

    def muted(self, rgb: Floats) -> Floats:
        """(h, w, 3) with the saturation limited to the identity's picture."""
        if self.colour == 1:
            return rgb
        grey = per_channel(rgb @ LUMA)
        out: Floats = grey + np.float32(self.colour) * (rgb - grey)
        return out


def _below(bright: Floats, ceiling: float, knee: float) -> Floats:
    """Brightness (...) compressed monotonically between a share of the ceiling and the ceiling."""
    begin = np.float32(knee * ceiling)
    room = np.float32(ceiling) - begin
    over = np.maximum(bright - begin, 0)
    return np.asarray(bright - over + over * room / (room + over), np.float32)


def _tint(then: Floats, now: Floats) -> Floats:
    """(3,) the ratio of two colours beside that of their brightness."""
    out: Floats = now / np.maximum(then, 8.0) / max(_brighter(then, now), 1e-3)
    return out


def _brighter(then: Floats, now: Floats) -> float:
    """Ratio of two colours' brightness."""
    return luma(now) / max(luma(then), 8.0)


def _colourful(rgb: Floats) -> float:
    """Saturation of a colour, 0..1."""
    return float((rgb.max() - rgb.min()) / max(float(rgb.max()), 1.0))
