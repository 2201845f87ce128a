"""The form of a mouth that opens wide, or in a face that is turned: it has no corners but its own.

Displacements of lips that lie otherwise than the driving ones make a hexagon of it, and on the
averted side of a face, where points of the rims stand close behind one another, a box. Its outline
keeps what it has of a smooth curve.
"""

from __future__ import annotations

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Floats
from retarget.flow.ease import smoothstep
from retarget.generate.warp.rims import MOUTH, Rims, rims_of
from retarget.generate.warp.shut_lips import ROWS

AVERTED = (0.43, 0.3)
"""The part of a mouth's width that the narrower half of it has in the photo, from which on and at
which it is averted."""
OPEN, WIDE = (0.06, 0.25), (0.5, 0.75)
"""Gap, in mouth widths, from which on and at which that shows; and the same for both sides, between
the corners."""
WAVES = np.array([1.0, 2.0])
"""Waves of a smooth curve around an opening: an ellipse, and how that is bent."""


def round_opening(moved: Floats, points: Floats, photo: Rims, *, seen: bool) -> None:
    """Round a mouth that opens wide, or the averted side of one that opens, and its lips with it.

    Args:
        moved: displacements (468, 3), changed in place.
        points: (478, 3) the photo's mesh.
        photo: its mouth.
        seen: whether a driving mouth was; one that is only said gets round rims of its own.
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
    moved[ROWS[0], :2] += upper
    moved[ROWS[1, :, 1:-1], :2] += lower


def _smooth(outline: Floats) -> Floats:
    """(n, 2) where the points of an outline lie on the smooth curve that is nearest to it."""
    before = np.hypot(*(outline - np.roll(outline, 1, axis=0)).T).astype(np.float64)
    around = np.cumsum(before)
    angle = np.outer(2 * np.pi / around[-1] * around, WAVES)
    waves = np.concatenate([np.ones((len(outline), 1)), np.cos(angle), np.sin(angle)], axis=1)
    weighed = (waves * (before + np.roll(before, -1))[:, None]).T
    return np.asarray(waves @ np.linalg.solve(weighed @ waves, weighed @ outline), np.float32)
