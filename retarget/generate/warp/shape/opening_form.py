"""A smooth outline for a mouth that opens wide, or in a turned face.

Displacements of lips with another form than the driving ones make a hexagon of it, and on the
averted side of a face, where points of the rims are crowded, a box. The outline is replaced by the
nearest smooth curve.
"""

from __future__ import annotations

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Floats
from retarget.flow.ease import smoothstep
from retarget.generate.warp.rims import LIP_ROWS, MOUTH, Rims, rims_of

AVERTED = (0.43, 0.3)
"""Share of the mouth's width on its narrower side in the photo, between which that side becomes
averted."""
OPEN, WIDE = (0.06, 0.25), (0.5, 0.75)
"""Gaps in mouth widths between which the effect fades in: on an averted side, and for the whole
mouth."""
WAVES = np.array([1.0, 2.0])
"""Frequencies of the smooth curve around an opening: an ellipse, and its bend."""


def round_opening(moved: Floats, points: Floats, photo: Rims, *, seen: bool) -> None:
    """Round a mouth that opens wide, or its averted side, together with its lips.

    Args:
        moved: displacements (468, 3), changed in place.
        points: (478, 3) the photo's mesh.
        photo: its mouth.
        seen: whether there is a driving mouth; an expression from words gets its own round rims.
    """
    now = rims_of(points[: landmarks.MESH_COUNT] + moved, MOUTH)
    gaping = now.gap / now.width
    left = float((photo.middle[5] - photo.upper[0]) @ photo.along) / photo.width
    averted = smoothstep(*OPEN, gaping) * smoothstep(*AVERTED, min(left, 1 - left))
    wide = seen * smoothstep(*WIDE, gaping)
    if max(averted, wide) == 0:
        return
    share = averted * np.minimum(np.linspace(2, 0, len(now.upper)), 1)[:: 1 if left < 0.5 else -1]
    share[1:-1] = np.maximum(share[1:-1], wide)
    share = share[:, None].astype(np.float32)
    off = _smooth(now.outline) - now.outline
    upper = share * off[: len(share)]
    lower = share[1:-1] * off[: len(share) - 1 : -1]
    moved[LIP_ROWS[0], :2] += upper
    moved[LIP_ROWS[1, :, 1:-1], :2] += lower


def _smooth(outline: Floats) -> Floats:
    """(n, 2) the points of an outline, projected onto the nearest smooth curve."""
    before = np.hypot(*(outline - np.roll(outline, 1, axis=0)).T).astype(np.float64)
    around = np.cumsum(before)
    angle = np.outer(2 * np.pi / around[-1] * around, WAVES)
    waves = np.concatenate([np.ones((len(outline), 1)), np.cos(angle), np.sin(angle)], axis=1)
    weighed = (waves * (before + np.roll(before, -1))[:, None]).T
    return np.asarray(waves @ np.linalg.solve(weighed @ waves, weighed @ outline), np.float32)
