"""Find the rims of glasses in a photo.

A rim is a closed outline around an eye along which something thin is darker or brighter than both
sides. It is found in a frontal view as the best closed path around the eye; without glasses the
best path runs over bare cheek, where hardly anything is thin and dark. The bridge is found in the
same way. Dark lenses extend as far as it is dark around the eyes.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bools, Bytes, Doubles, Floats, Ints
from retarget.flow.values import HeadPose
from retarget.generate.warp.glasses.best_path import best_closed_path, best_path
from retarget.generate.warp.paint import blurred, colours
from retarget.generate.warp.palette import LUMA, SKIN_POINTS

UNIT = 128.0
"""Pixels per head unit in the frontal view."""
WIDE, HIGH, EYES_AT = 2.0, 1.35, 0.45
"""Size of the view in head units, and the height at which the bridge of the nose lies in it."""
LEAST_LIGHT = 20.0
"""Brightness (of 255) added before the logarithm, as darker differences are noise."""
BELOW_EYE = 0.06
"""Head units from an eye down to the centre from which its lens is sought."""
NEAREST, FARTHEST = 0.12, 0.52
"""Range of the rim's distance from that centre in head units."""
WIDER_THAN_HIGH = 1.1
"""Ratio of width to height of the lenses that are found most easily."""
ANGLES = 96
"""Number of directions from the centre."""
NOSE = 0.02
"""Head units around the middle of the nose that no lens reaches."""
SCALES = ((1, 2), (3, 4), (5, 6), (7, 9))
"""Widths of rims in pixels, each with the distance at which skin is compared on both sides."""
WIDER = 1.15
"""Factor by which a wider rim must be clearer to be preferred."""
CLEAR = 0.12
"""Difference in the logarithm of brightness at which contrast saturates, so that a path stays on a
continuous rim and does not jump to reflections."""
BEND, BEND_OF_BRIDGE = 0.015, 0.05
"""Cost per pixel of a path's change of radius from one angle to the next, and of a bridge's change
of height from one column to the next."""
NOWHERE = -0.05
"""Contrast assigned to places where no rim can be."""
SEEN, ACROSS = 7, 25
"""Angles over which contrast is averaged, and the percentile that must reach the limits below."""
LOWER_SEEN, ALL_SEEN, BRIDGE_SEEN = 0.07, 0.075, 0.06
"""Least contrast of the lower half of a rim, of the whole rim, and of a bridge. Best paths on 27
faces without glasses, with noise and blur, reach 0.054 in the lower half; rims on three have
0.08."""
BULGING, ALIKE = 0.96, 0.75
"""The least share of its convex hull that a lens fills, and ratio of the lenses' sizes: an outline
that left the rim is dented, or unlike the other. Rims on three turned heads have 0.98 and 0.8; a
rim found in part would break where the skin behind it moves."""
HALF_BRIDGE = 0.2
"""Head units from the middle of the nose within which a bridge meets the lenses."""
BRIDGE_UP, BRIDGE_DOWN = 0.3, 0.3
"""Search range of the glasses' bridge above and below that of the nose, in head units."""
WIDEST = 1.5
"""The largest width of a rim relative to its median."""
BESIDE = 1.0
"""Pixels beside a rim that mix it with the background."""
MIDDLES = (159, 386)
"""Points on both eyes."""
ASIDE, ABOVE, DARK = 0.66, 0.32, 0.45
"""The farthest a dark lens reaches from an eye sideways and upwards, in head units, and its
greatest brightness relative to lit skin."""
LIT = 75
"""Percentile of skin brightness that counts as lit."""
STRAND = 3
"""Pixels: thinner strands of hair neither divide a dark lens nor join it to other dark areas."""
APART = 6
"""Least distance of a second bridge from the first, in pixels."""

_ANGLE = (np.arange(ANGLES) * (2 * np.pi / ANGLES)).astype(np.float32)[:, None]
_AWAY = np.arange(NEAREST * UNIT, FARTHEST * UNIT, dtype=np.float32)
_LOWER = (np.sin(_ANGLE[:, 0]) > np.sin(np.radians(15))).nonzero()[0]


class Seen(NamedTuple):
    """Glasses in a photo, in its pixels."""

    filled: list[Floats]
    """(n, 2) outlines of rims including their lenses, and of bridges."""
    clear: list[Floats]
    """(n, 2) outlines of transparent lenses."""
    unit: float
    """Pixels to a hundredth of a head unit."""
    skin: float
    """Brightness of lit skin, 0..255."""


class _View(NamedTuple):
    """The frontal view of the eyes."""

    light: Floats
    """(h, w) logarithm of brightness."""
    to_photo: Doubles
    """(2, 3) map from its pixels to the photo's."""

    @property
    def from_photo(self) -> Doubles:
        """(2, 3) the inverse map."""
        return np.asarray(cv2.invertAffineTransform(self.to_photo), np.float64)


class _Lens(NamedTuple):
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


def glasses_seen(
    photo: Bytes, points: Floats, pose: HeadPose, hidden: tuple[bool, bool]
) -> Seen | None:
    """The glasses; None where there are none, or none are found clearly.

    Args:
        photo: (height, width, 3).
        points: (478, 3) in its pixels.
        pose: of the head.
        hidden: whether something dark covers the right and the left eye.
    """
    view = _from_ahead(photo, points[landmarks.NOSE_BRIDGE, :2], pose)
    skin = float(np.percentile(colours(photo, points[SKIN_POINTS, :2]) @ LUMA, LIT))
    found = _dark_lenses(view, points, skin) if all(hidden) else _rims(view, points)
    if found is None or not found[0]:
        return None
    filled, clear = ([_placed(line, view.to_photo) for line in lines] for lines in found)
    return Seen(filled, clear, 0.01 * pose.scale, max(skin, 1.0))


def _rims(view: _View, points: Floats) -> tuple[list[Floats], list[Floats]] | None:
    """Outlines of rims and bridges, and of the transparent lenses."""
    edges = _traced(view, points)
    outer, inner = ([each[k] for each in edges] for k in (0, 1))
    if not _are_a_pair(inner):
        return None
    return outer + _bridges(view, outer), inner


def _are_a_pair(lenses: list[Floats]) -> bool:
    """Whether both outlines (n, 2) can be lenses: nearly convex and of similar size."""
    if len(lenses) < 2:
        return False
    sizes = [cv2.contourArea(lens) for lens in lenses]
    bulging = [cv2.contourArea(cv2.convexHull(lens)) for lens in lenses]
    solid = min(size / max(hull, 1.0) for size, hull in zip(sizes, bulging, strict=True))
    return solid > BULGING and min(sizes) > ALIKE * max(sizes)


def _dark_lenses(view: _View, points: Floats, skin: float) -> tuple[list[Floats], list[Floats]]:
    """Outlines of dark lenses: the connected dark areas in front of the eyes."""
    rows, columns = np.indices(view.light.shape, sparse=True)
    at = _placed(points[[*MIDDLES, 2], :2], view.from_photo)
    eyes, mouth = at[:-1], at[-1, 1]
    near = np.zeros(view.light.shape, np.bool_)
    before = near.copy()
    for x, y in eyes:
        away = np.hypot(columns - x, rows - y - BELOW_EYE * UNIT)
        near |= (away < ASIDE * UNIT) & (rows > y - ABOVE * UNIT)
        before |= away < NEAREST * UNIT
    dark = before | ((np.exp(view.light) < DARK * (skin + LEAST_LIGHT)) & near & (rows < mouth))
    whole = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_CLOSE, _disc(STRAND))
    for outer, _ in _traced(view, points):  # also where a lens reflects too much to be dark
        cv2.fillPoly(whole, [np.rint(outer).astype(np.int32)], (1,))
    whole = cv2.morphologyEx(whole, cv2.MORPH_OPEN, _disc(STRAND))
    lines, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    at_eyes = [tuple(map(float, eye)) for eye in eyes]
    lenses = [
        line[:, 0].astype(np.float32)
        for line in lines
        if any(cv2.pointPolygonTest(line, eye, False) > 0 for eye in at_eyes)
    ]
    return lenses + _bridges(view, lenses), []


def _traced(view: _View, points: Floats) -> list[tuple[Floats, Floats]]:
    """Outer and inner edge of each lens's rim, where one is found."""
    found = []
    for lens in _looked_for(view, points):
        path = best_closed_path(_sharp(lens.ridges), BEND)
        if not _is_rim(lens.clear[np.arange(ANGLES), path]):
            break
        found.append(_edges(lens, path))
    return found


def _from_ahead(photo: Bytes, bridge: Floats, pose: HeadPose) -> _View:
    """The frontal view of the face's plane around the bridge of the nose."""
    axes = pose.scale / UNIT * pose.rotation[:2, :2]
    size = round(WIDE * UNIT), round(HIGH * UNIT)
    middle = np.array([size[0] / 2, EYES_AT * UNIT])
    to_photo = np.hstack([axes, (bridge - axes @ middle)[:, None]])
    times = pose.scale / UNIT
    fine = blurred(photo, 0.45 * np.sqrt(times * times - 1)) if times > 1.3 else photo
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(fine, to_photo, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    light = np.log(blurred(seen.astype(np.float32) @ LUMA, 0.6) + LEAST_LIGHT)
    return _View(np.asarray(light, np.float32), to_photo)


def _looked_for(view: _View, points: Floats) -> tuple[_Lens, _Lens]:
    """The search areas of both lenses, picture left and right."""
    marks = [133, 33, 362, 263, 2]
    at = _placed(points[marks, :2], view.from_photo)
    middle = WIDE * UNIT / 2
    aside = float(np.abs(at[:4, 0] - middle).mean())
    down = float(at[:4, 1].mean()) + BELOW_EYE * UNIT
    mouth = float(at[4, 1])  # moustaches and lips begin below the nose
    left, right = (
        _lens(view.light, np.array([middle + way * aside, down], np.float32), way)
        for way in (-1, 1)
    )
    for lens, way in ((left, -1), (right, 1)):
        over_nose = way * (lens.places[..., 0] - middle) < NOSE * UNIT
        lens.ridges[over_nose | (lens.places[..., 1] > mouth)] = NOWHERE
    return left, right


def _lens(light: Floats, middle: Floats, way: int) -> _Lens:
    """The search area around a centre (2,) whose temple lies to the left (-1) or right (1)."""
    around = np.stack([way * WIDER_THAN_HIGH * np.cos(_ANGLE), np.sin(_ANGLE)], axis=2)
    places = np.asarray(middle + _AWAY[:, None] * around, np.float32)
    seen = cv2.remap(light, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    along = np.concatenate([seen[-2:], seen, seen[:2]])
    return _Lens(places, *_ridges(cv2.blur(along, (1, 3))[2:-2]))


def _ridges(light: Floats) -> tuple[Floats, Floats]:
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


def _sharp(ridges: Floats) -> Floats:
    """(n, m) contrast, reduced beside the middle of a rim."""
    most = np.maximum(cv2.dilate(ridges, np.ones((1, 9), np.uint8)), np.float32(1e-3))
    out: Floats = np.minimum(ridges, np.float32(CLEAR)) * np.maximum(ridges / most, np.float32(0))
    return out


def _is_rim(clear: Floats) -> bool:
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


def _edges(lens: _Lens, path: Ints) -> tuple[Floats, Floats]:
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


def _bridges(view: _View, lenses: list[Floats]) -> list[Floats]:
    """(n, 2) outlines of the bridge and of a second one above or below it, if any."""
    half, top = round(HALF_BRIDGE * UNIT), round((EYES_AT - BRIDGE_UP) * UNIT)
    first, bottom = round(WIDE * UNIT / 2) - half, round((EYES_AT + BRIDGE_DOWN) * UNIT)
    part = np.ascontiguousarray(view.light[top:bottom, first : first + 2 * half].T)
    within = np.zeros(view.light.shape, np.uint8)
    for lens in lenses:
        cv2.fillPoly(within, [np.rint(lens).astype(np.int32)], (1,))
    free = within[top:bottom, first : first + 2 * half].T == 0
    ridges, across = _ridges(part)
    ridges[~free] = 0
    sharp, clear = _sharp(ridges), np.minimum(ridges, CLEAR)
    out: list[Floats] = []
    columns = np.arange(len(part))
    for _ in range(2):
        path = best_path(sharp, BEND_OF_BRIDGE)
        between = free[columns, path]
        amid = cv2.erode(between[:, None].astype(np.uint8), np.ones((5, 1), np.uint8))[:, 0] > 0
        seen = clear[columns, path][amid]
        if not len(seen) or np.percentile(seen, ACROSS) < BRIDGE_SEEN:
            break
        width = float(np.median(across[columns, path][between]))
        out.append(_band(path, between, width) + np.array([first, top], np.float32))
        sharp[np.abs(np.arange(sharp.shape[1]) - path[:, None]) <= APART] = 0
    return out


def _band(path: Ints, between: Bools, width: float) -> Floats:
    """(n, 2) outline of a band along a path (columns,), where `between`."""
    columns = np.flatnonzero(between)
    columns = np.arange(max(columns[0] - 2, 0), min(columns[-1] + 3, len(path)))
    line = np.stack([columns, path[columns]], axis=1).astype(np.float32)
    half = np.array([0, width / 2 + BESIDE], np.float32)
    return np.concatenate([line - half, (line + half)[::-1]])


def _placed(points: Floats, place: Doubles) -> Floats:
    """Points (n, 2) moved by an affine map (2, 3)."""
    return np.asarray(points @ place[:, :2].T + place[:, 2], np.float32)


def _disc(radius: int) -> Bytes:
    size = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size), np.uint8)
