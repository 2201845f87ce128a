"""The rim of one lens.

A rim is a closed outline around an eye along which something thin is darker or brighter than both
sides.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from retarget.flow.arrays import Floats, Ints
from retarget.generate.warp.glasses.frontal_view import UNIT

NEAREST, FARTHEST = 0.12, 0.52
"""Range of the rim's distance from that centre in head units."""
WIDER_THAN_HIGH = 1.1
"""Ratio of width to height of the lenses that are found most easily."""
ANGLES = 96
"""Number of directions from the centre."""
SCALES = ((1, 2), (3, 4), (5, 6), (7, 9))
"""Widths of rims in pixels, each with the distance at which skin is compared on both sides."""
WIDER = 1.15
"""Factor by which a wider rim must be clearer to be preferred."""
CLEAR = 0.12
"""Difference in the logarithm of brightness at which contrast saturates, so that a path stays on a
continuous rim and does not jump to reflections."""
SEEN, ACROSS = 7, 25
"""Angles over which contrast is averaged, and the percentile that must reach the limits below."""
LOWER_SEEN, ALL_SEEN = 0.07, 0.075
"""Least contrast of the lower half of a rim, and of the whole rim. Best paths on 27 faces without
glasses, with noise and blur, reach 0.054 in the lower half; rims on three have 0.08."""
WIDEST = 1.5
"""The largest width of a rim relative to its median."""
BESIDE = 1.0
"""Pixels beside a rim that mix it with the background."""

_ANGLE = (np.arange(ANGLES) * (2 * np.pi / ANGLES)).astype(np.float32)[:, None]
_AWAY = np.arange(NEAREST * UNIT, FARTHEST * UNIT, dtype=np.float32)
_LOWER = (np.sin(_ANGLE[:, 0]) > np.sin(np.radians(15))).nonzero()[0]


class Lens(NamedTuple):
    """The search area of one lens in polar coordinates."""

    places: Floats
    """(ANGLES, radii, 2) in the view; angles run from the temple downwards."""
    ridges: Floats
    """(ANGLES, radii) contrast with both sides, in logarithm of brightness."""
    across: Floats
    """(ANGLES, radii) width in pixels at which the contrast is greatest."""

    @property
    def clear(self) -> Floats:
        """(ANGLES, radii) contrast of a rim, saturated at `CLEAR`."""
        return np.minimum(self.ridges, np.float32(CLEAR))


def lens_around(light: Floats, middle: Floats, way: int) -> Lens:
    """The search area around a centre (2,) whose temple lies to the left (-1) or right (1)."""
    around = np.stack([way * WIDER_THAN_HIGH * np.cos(_ANGLE), np.sin(_ANGLE)], axis=2)
    places = np.asarray(middle + _AWAY[:, None] * around, np.float32)
    seen = cv2.remap(light, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    along = np.concatenate([seen[-2:], seen, seen[:2]])
    return Lens(places, *ridges_in(cv2.blur(along, (1, 3))[2:-2]))


def ridges_in(light: Floats) -> tuple[Floats, Floats]:
    """(n, m) contrast of each place with both sides in its row, and its best width."""
    best, width = np.zeros_like(light), np.zeros_like(light)
    for across, off in SCALES:
        mean = cv2.blur(light, (across, 1), borderType=cv2.BORDER_REPLICATE)
        wide = cv2.copyMakeBorder(mean, 0, 0, off, off, cv2.BORDER_REPLICATE)
        one, other = wide[:, : -2 * off], wide[:, 2 * off :]
        here = np.maximum(np.minimum(one, other) - mean, mean - np.maximum(one, other))
        width[here > WIDER * best] = across
        best = np.maximum(best, here)
    return best, width


def sharpened(ridges: Floats) -> Floats:
    """(n, m) contrast, reduced beside the middle of a rim."""
    most = np.maximum(cv2.dilate(ridges, np.ones((1, 9), np.uint8)), np.float32(1e-3))
    out: Floats = np.minimum(ridges, np.float32(CLEAR)) * np.maximum(ridges / most, np.float32(0))
    return out


def is_rim(clear: Floats) -> bool:
    """Whether a path with this contrast (ANGLES,) is the rim of a lens."""
    mean = _mean_around(clear)
    lower, whole = (float(np.percentile(x, ACROSS)) for x in (mean[_LOWER], mean))
    return lower > LOWER_SEEN and whole > ALL_SEEN


def _mean_around(values: Floats) -> Floats:
    """Values (ANGLES,) or (ANGLES, 2) averaged over `SEEN` neighbours."""
    half = SEEN // 2
    near = np.stack([np.roll(values, k, axis=0) for k in range(-half, half + 1)])
    out: Floats = near.mean(axis=0)
    return out


def edges_of(lens: Lens, path: Ints) -> tuple[Floats, Floats]:
    """(ANGLES, 2) the outer and the inner edge of a rim in the view.

    A brow above a rim makes it look wider on the outside.
    """
    on = np.arange(ANGLES), path
    clear, across = lens.clear[on] >= CLEAR / 2, lens.across[on]
    usual = np.median(across[clear])
    across = np.where(clear, across, usual)
    across = np.median(np.stack([np.roll(across, k) for k in range(-4, 5)]), axis=0)
    wide = _mean_around(np.minimum(across, WIDEST * usual))[:, None]
    within = _mean_around(across)[:, None] / 2 + np.float32(BESIDE)
    way = lens.places[:, 1] - lens.places[:, 0]
    way = way / np.linalg.norm(way, axis=1, keepdims=True)
    inner = _mean_around(lens.places[on]) - within * way
    return inner + (wide + np.float32(2 * BESIDE)) * way, inner
