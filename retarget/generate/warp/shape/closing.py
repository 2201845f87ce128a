"""How far lips have closed over a mouth that is open in the photo."""

from __future__ import annotations

import numpy as np

from retarget.flow.arrays import Floats
from retarget.flow.ease import smoothstep
from retarget.generate.warp.rims import Rims

AGAPE = (0.04, 0.12)
"""Gap of the photo's lips in mouth widths between which this fades in."""
NARROWER = (0.15, 0.45)
"""Decrease in width relative to the photo's between which a mouth counts as drawn in."""
IN_A_BOW = np.array([0, 1, 0.5, 0, 0, 0, 0, 0, 0.5, 1, 0], np.float32)
"""How far the line in which they meet approaches an arc through its middle and corners."""


def closing(photo: Rims, now: Rims) -> float:
    """How far a mouth that is open in the photo has closed: 0 as in the photo, 1 shut."""
    shut = 1 - max(now.gap, 0.0) / max(photo.gap, 1.0)
    return max(shut, 0.0) * smoothstep(*AGAPE, photo.gap / photo.width)


def gathering(photo: Rims, now: Rims) -> float:
    """As `closing`, but also for lips that stay open and become narrower than in the photo.

    The dark beside the photo's teeth would otherwise lie beside the mouth.
    """
    narrow = smoothstep(*NARROWER, 1 - now.width / photo.width)
    return max(closing(photo, now), narrow * smoothstep(*AGAPE, photo.gap / photo.width))


def into_a_bow(photo: Rims, now: Rims) -> Floats:
    """How far closing lips move down beside their corners, so that they meet without a hook.

    The corners of bared teeth stay up where the mouth was not open.

    Args:
        photo: the opening in the photo.
        now: the opening now.

    Returns:
        (11,) pixels.
    """
    much = closing(photo, now)
    if much == 0:
        return np.zeros(len(IN_A_BOW), np.float32)
    from_middle = now.middle - now.middle_of_corners
    across = from_middle @ now.along / np.float32(now.width / 2)
    bow = 1 - np.square(across)
    bows, line = np.stack([bow, bow * across], axis=1), from_middle @ now.down
    form = np.linalg.lstsq(bows[2:-2], line[2:-2], rcond=None)[0]
    return np.asarray(np.float32(much) * IN_A_BOW * (bows @ form - line), np.float32)
