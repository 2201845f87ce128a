"""Colours for the inside of a mouth, estimated from the photo's visible colours."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from retarget.flow.arrays import Floats

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in brightness."""
SKIN_POINTS = np.array(
    [50, 280, 205, 425, 101, 330, 36, 266, 4, 5, 8, 9, 151, 199, 207, 427, 118, 347]
)
"""Mesh points on skin all over the face, where its tone is sampled."""
OF_SKIN, OF_WHITE = 0.6, 0.6
"""Exponent of skin's green and blue relative to red that gives teeth in the same light (0.4 to 0.8
in six photos), as the rest is the skin's own colour; and the weight of the eyes' white, if
paler."""
LEAST_SHINE, TOOTH_SHINE = 1.05, 1.06
"""Brightness of the eyes' white relative to skin below which it lies in shade, and brightness of a
tooth relative to that white."""
LEAST_GREEN = 0.4
"""Least position of a tooth's green between its blue and red (.37 is the median of eleven photos
and clips): less would be pink, more looks green beside skin."""
PINK_LIGHT = 1.1
"""Ratio of skin's green to blue below which the light itself is pink, and teeth are, too; otherwise
they would look green beside that skin."""
COOLER = 0.33
"""The most by which the eyes' white may be cooler than expected from skin, in the logarithm of blue
to red: blue light from the side, or colour grading, affects eyes and not the mouth."""


def luma(rgb: Floats) -> float:
    """Brightness of a colour (3,)."""
    return float(rgb @ LUMA)


def redness(rgb: Floats) -> Floats:
    """(...) logarithm of the ratio of red to blue in colours (..., 3)."""
    out: Floats = np.log((rgb[..., 0] + 8) / (rgb[..., 2] + 8))
    return out


def believed(white: Floats, skin: Floats) -> Floats:
    """(3,) the white of the eyes, limited in coolness by the skin in the same light."""
    seen = np.log(np.maximum(white, 1) / max(float(white[0]), 1.0))
    most = max(OF_SKIN * float(np.log(max(skin[2], 1.0) / max(skin[0], 1.0))) + COOLER, 0.0)
    if seen[2] <= most:
        return white
    out: Floats = np.exp(seen * np.float32(most / seen[2])).astype(np.float32)
    return np.asarray(out * np.float32(luma(white) / luma(out)), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """The colours inside one photo's mouth, (3,) each, 0..255."""

    tooth: Floats
    gum: Floats
    tongue: Floats
    cavity: Floats

    @classmethod
    def of(cls, skin: Floats, lip: Floats, white: Floats) -> Palette:
        """Colours that fit a photo's or painting's light.

        Chroma is taken from the photo's own skin, lips and eyes, so a grey photo gets grey teeth
        and a varnished painting yellow ones.

        Args:
            skin: (3,) around the mouth.
            lip: (3,) of the lips.
            white: (3,) of the white of the eyes.
        """
        bright = luma(skin)
        warm = (skin / max(bright, 1.0)).astype(np.float32)
        red = (lip / max(luma(lip), 1.0)).astype(np.float32)
        return cls(
            tooth=tooth_in(skin, white),
            gum=np.float32(0.6) * lip + np.float32(0.2) * skin,
            tongue=np.float32(0.7) * lip * red ** np.float32(0.25) + np.float32(0.2) * skin,
            cavity=np.float32(0.14 * bright) * red ** np.float32(1.5) * warm,
        )


def tooth_in(skin: Floats, white: Floats) -> Floats:
    """(3,) the colour of a lit tooth beside skin (3,), from it and the white of the eyes (3,).

    It is brighter than skin, the more so where the white of the eyes is, as dark skin has white
    teeth; but not by as much, as eyes are often lit where a mouth is not.
    """
    least = LEAST_SHINE * luma(skin)
    shine = sqrt(least * max(luma(white), least))
    return np.float32(min(TOOTH_SHINE * shine, 235.0)) * _tooth_tint(skin, believed(white, skin))


def _tooth_tint(skin: Floats, white: Floats) -> Floats:
    """(3,) the colour of teeth at brightness 1, from skin and the white of the eyes.

    Eyes can look warmer than the light, so they count only where they are nearer to neutral than
    the estimate from skin; and not fully, as teeth are not whiter.
    """
    tint = (np.maximum(skin, 1) / max(float(skin[0]), 1.0)) ** np.float32(OF_SKIN)
    seen = np.maximum(white, 1) / max(float(white[0]), 1.0)
    if abs(np.log(seen[2])) < abs(np.log(tint[2])):
        tint = tint ** np.float32(1 - OF_WHITE) * seen ** np.float32(OF_WHITE)
    least = tint[2] + LEAST_GREEN * (tint[0] - tint[2])
    tint[1] = max(tint[1], least * min(skin[1] / max(PINK_LIGHT * skin[2], 1.0), 1.0))
    return tint / np.float32(luma(tint))


def white_tone(seen: Floats) -> Floats:
    """(3,) the tone of white from visible pixels (n, 3), many of which lie in shadow."""
    bright = seen @ LUMA
    out: Floats = np.median(seen[bright >= np.percentile(bright, 75)], axis=0)
    return out
