"""Find where the row of the upper teeth ends in an open mouth.

Teeth are the brightest pixels below the upper lip; they end where it first gets darker, at the gap
between two rows, at the tongue or at the lower lip.
"""

from __future__ import annotations

import numpy as np

from retarget.flow.arrays import Bytes, Floats
from retarget.flow.ease import smoothstep
from retarget.generate.warp.paint import read
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.rims import Rims
from retarget.generate.warp.tones import Tones, teeth_in

STEPS, DARKER = 24, 0.85
"""Number of places sampled across the opening; and the brightness relative to the brightest place
above, below which the teeth end."""
SURE = (0.1, 0.3)
"""Certainty of tooth above the end between which it is trusted."""
LONGEST = 0.9
"""The largest share of the opening that teeth fill, towards the corners."""


def row_of_upper_teeth(rgb: Bytes, opening: Rims, tones: Tones, *, until: float) -> Floats:
    """(n,) share of the opening that they fill at each of its points, 0..1.

    Args:
        rgb: (height, width, 3).
        opening: between the lips.
        tones: the colours around it.
        until: where the end is placed on the way from their brightness (0) to the dark below (1).
    """
    across = np.linspace(0, 1, STEPS, dtype=np.float32)[:, None, None]
    quarter = len(opening.upper) // 4
    upper, lower = opening.upper[quarter:-quarter], opening.lower[quarter:-quarter]
    seen = read(rgb, upper + across * (lower - upper)).mean(axis=1, dtype=np.float32)
    end = _end(seen @ LUMA, until)
    sure = float(teeth_in(seen[: int(end) + 1], tones, colourless=1.0).max())
    length = smoothstep(*SURE, sure) * end / (STEPS - 1) * opening.gap
    out: Floats = np.minimum(np.float32(length) / np.maximum(opening.apart, 1e-3), LONGEST)
    return out.astype(np.float32)


def _end(bright: Floats, until: float) -> float:
    """The first step at which brightness (steps,) has fallen; the last one if it never does."""
    left = bright / np.maximum(np.maximum.accumulate(bright), np.float32(1))
    first = int(np.argmax(left < DARKER))
    if first == 0:
        return STEPS - 1
    rising = np.flatnonzero(np.diff(bright[first:]) > 0)
    darkest = first + (int(rising[0]) if rising.size else STEPS - 1 - first)
    begin = int(np.argmax(bright[:first]))
    level = bright[begin] + np.float32(until) * (bright[darkest] - bright[begin])
    falling = bright[begin : darkest + 1]
    return float(begin + np.interp(-level, -falling, np.arange(len(falling))))
