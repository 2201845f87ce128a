"""Find the rims of glasses in a photo.

A rim is found in a frontal view as the best closed path around the eye; without glasses the best
path runs over bare cheek, where hardly anything is thin and dark. The bridge is found in the same
way. Dark lenses extend as far as it is dark around the eyes.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Floats
from retarget.flow.values import HeadPose
from retarget.generate.warp.glasses.best_path import best_closed_path
from retarget.generate.warp.glasses.bridge import bridges_between
from retarget.generate.warp.glasses.frontal_view import (
    LEAST_LIGHT,
    UNIT,
    WIDE,
    View,
    from_ahead,
    placed,
)
from retarget.generate.warp.glasses.lens_rim import (
    ANGLES,
    NEAREST,
    Lens,
    edges_of,
    is_rim,
    lens_around,
    sharpened,
)
from retarget.generate.warp.paint import colours
from retarget.generate.warp.palette import LUMA, SKIN_POINTS

BELOW_EYE = 0.06
"""Head units from an eye down to the centre from which its lens is sought."""
NOSE = 0.02
"""Head units around the middle of the nose that no lens reaches."""
BEND = 0.015
"""Cost per pixel of a path's change of radius from one angle to the next."""
NOWHERE = -0.05
"""Contrast assigned to places where no rim can be."""
BULGING, ALIKE = 0.96, 0.75
"""The least share of its convex hull that a lens fills, and ratio of the lenses' sizes: an outline
that left the rim is dented, or unlike the other. Rims on three turned heads have 0.98 and 0.8; a
rim found in part would break where the skin behind it moves."""
MIDDLES = (159, 386)
"""Points on both eyes."""
ASIDE, ABOVE, DARK = 0.66, 0.32, 0.45
"""The farthest a dark lens reaches from an eye sideways and upwards, in head units, and its
greatest brightness relative to lit skin."""
LIT = 75
"""Percentile of skin brightness that counts as lit."""
STRAND = 3
"""Pixels: thinner strands of hair neither divide a dark lens nor join it to other dark areas."""


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
    view = from_ahead(photo, points[landmarks.NOSE_BRIDGE, :2], pose)
    skin = float(np.percentile(colours(photo, points[SKIN_POINTS, :2]) @ LUMA, LIT))
    found = _dark_lenses(view, points, skin) if all(hidden) else _rims(view, points)
    if found is None or not found[0]:
        return None
    filled, clear = ([placed(line, view.to_photo) for line in lines] for lines in found)
    return Seen(filled, clear, 0.01 * pose.scale, max(skin, 1.0))


def _rims(view: View, points: Floats) -> tuple[list[Floats], list[Floats]] | None:
    """Outlines of rims and bridges, and of the transparent lenses."""
    edges = _traced(view, points)
    outer, inner = ([each[k] for each in edges] for k in (0, 1))
    if not _are_a_pair(inner):
        return None
    return outer + bridges_between(view, outer), inner


def _are_a_pair(lenses: list[Floats]) -> bool:
    """Whether both outlines (n, 2) can be lenses: nearly convex and of similar size."""
    if len(lenses) < 2:
        return False
    sizes = [cv2.contourArea(lens) for lens in lenses]
    bulging = [cv2.contourArea(cv2.convexHull(lens)) for lens in lenses]
    solid = min(size / max(hull, 1.0) for size, hull in zip(sizes, bulging, strict=True))
    return solid > BULGING and min(sizes) > ALIKE * max(sizes)


def _dark_lenses(view: View, points: Floats, skin: float) -> tuple[list[Floats], list[Floats]]:
    """Outlines of dark lenses: the connected dark areas in front of the eyes."""
    rows, columns = np.indices(view.light.shape, sparse=True)
    at = placed(points[[*MIDDLES, 2], :2], view.from_photo)
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
    return lenses + bridges_between(view, lenses), []


def _traced(view: View, points: Floats) -> list[tuple[Floats, Floats]]:
    """Outer and inner edge of each lens's rim, where one is found."""
    found = []
    for lens in _looked_for(view, points):
        path = best_closed_path(sharpened(lens.ridges), BEND)
        if not is_rim(lens.clear[np.arange(ANGLES), path]):
            break
        found.append(edges_of(lens, path))
    return found


def _looked_for(view: View, points: Floats) -> tuple[Lens, Lens]:
    """The search areas of both lenses, picture left and right."""
    marks = [133, 33, 362, 263, 2]
    at = placed(points[marks, :2], view.from_photo)
    middle = WIDE * UNIT / 2
    aside = float(np.abs(at[:4, 0] - middle).mean())
    down = float(at[:4, 1].mean()) + BELOW_EYE * UNIT
    mouth = float(at[4, 1])  # moustaches and lips begin below the nose
    left, right = (
        lens_around(view.light, np.array([middle + way * aside, down], np.float32), way)
        for way in (-1, 1)
    )
    for lens, way in ((left, -1), (right, 1)):
        over_nose = way * (lens.places[..., 0] - middle) < NOSE * UNIT
        lens.ridges[over_nose | (lens.places[..., 1] > mouth)] = NOWHERE
    return left, right


def _disc(radius: int) -> Bytes:
    size = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size), np.uint8)
