"""Where in an open mouth the row of the upper teeth ends.

Teeth are the brightest of what is seen below the upper lip; they end where it first grows darker,
be it for the parting between two rows, a tongue or the lower lip.
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
"""Places across the opening at which that is looked for; and how bright it must be there at most,
in the brightest above, to be an end."""
SURE = (0.1, 0.3)
"""How surely the surest of the steps above is tooth from which on and at which it is believed."""
LONGEST = 0.9
"""The part of the opening that teeth fill at most, towards the corners."""


def row_of_upper_teeth(rgb: Bytes, opening: Rims, tones: Tones, *, until: float) -> Floats:
    """(n,) the part of the opening that they fill at each of its points, 0..1; as long all along.

    Args:
        rgb: (height, width, 3).
        opening: between the lips.
        tones: the colours around it.
        until: how much of the way from their brightness to the dark below them their end has gone:
            0 where it begins to show, 1 where nothing of them is left.
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
    """The step at which brightness (steps,) has first fallen; the last one where it never does."""
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
