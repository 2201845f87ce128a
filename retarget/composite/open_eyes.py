"""Open the eyes in pictures of a clip in which the person blinks or looks down.

A warp can lower lids but not raise them, as the picture does not show what they hide. The picture
before the blink does, in the same light and nearly the same pose. So each open eye is kept, and
drawn over the same eye while it is closed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Doubles, Floats, Picture, Reals
from retarget.flow.ease import eased
from retarget.flow.face_model import face_model
from retarget.flow.values import Face, VideoFrame

_OPEN, _SHUTTING = 0.85, 0.75
"""Lid opening, relative to rest, above which an eye is kept, and below which it is replaced."""
_FEATHER = 0.08
"""Width of the soft border of an eye that is drawn over, in eye widths."""
_LASHES = 1.15
"""Factor of the outline around an eye, as lashes reach beyond it."""
_NEAR = 1.5
"""Distance, in eye widths, within which points of the face count most for an eye's place."""
_NOSE_BASE = 2
_MARGIN = 3
"""Pixels kept around an eye, for interpolation."""


@dataclass(frozen=True, slots=True)
class _Place:
    """One eye's points in the mesh."""

    moving: list[int]
    """Points of the eye: lids with their corners, iris and the fold above."""
    around: list[int]
    """The polygon around it, in order."""


_PLACES = (
    _Place(
        moving=[*landmarks.LEFT_EYE_UPPER, *landmarks.LEFT_EYE_LOWER[1:-1],
                *landmarks.LEFT_EYE_FOLD[1:-1], *landmarks.LEFT_IRIS],
        around=[464, 413, 441, 442, 443, 444, 445, 342, 446, 261, 448, 449, 450, 451, 452, 453],
    ),
    _Place(
        moving=[*landmarks.RIGHT_EYE_UPPER, *landmarks.RIGHT_EYE_LOWER[1:-1],
                *landmarks.RIGHT_EYE_FOLD[1:-1], *landmarks.RIGHT_IRIS],
        around=[244, 189, 221, 222, 223, 224, 225, 113, 226, 31, 228, 229, 230, 231, 232, 233],
    ),
)  # fmt: skip
"""Left and right."""


@cache
def _still() -> list[int]:
    """Points that neither a blink nor the mouth moves: the upper face without the eyes."""
    height = face_model().neutral[: landmarks.MESH_COUNT, 1]
    eyes = {i for place in _PLACES for i in place.moving + place.around}
    above = np.flatnonzero(height < height[_NOSE_BASE]).tolist()
    return [i for i in above if i not in eyes]


@dataclass(frozen=True, slots=True, eq=False)
class _Eye:
    """An eye that was open."""

    patch: Picture
    """(h, w, 3) its surroundings."""
    points: Floats
    """(478, 3) the mesh, in the patch's pixels."""
    opening: float


class OpenEyes:
    """Draws the last open eyes over closed ones, picture after picture."""

    def __init__(self) -> None:
        self._kept: list[_Eye | None] = [None, None]

    def forget(self) -> None:
        """Begin a new shot, with another light and pose."""
        self._kept = [None, None]

    def look(self, frame: VideoFrame, face: Face, opening: Reals) -> None:
        """Keep the eyes of a picture if they are wider open than those kept so far.

        Args:
            frame: the picture.
            face: its mesh.
            opening: (2,) of left and right eye, in any unit.
        """
        for side, place in enumerate(_PLACES):
            kept = self._kept[side]
            if kept is None or opening[side] > kept.opening:
                self._kept[side] = _eye(frame, face, place, float(opening[side])) or kept

    def __call__(self, frame: VideoFrame, face: Face, opening: Reals) -> tuple[VideoFrame, Face]:
        """The picture and its mesh with the last open eyes; unchanged while eyes are open.

        Args:
            frame: the picture.
            face: its mesh.
            opening: (2,) of left and right eye, 0 shut, 1 as at rest.
        """
        for side, place in enumerate(_PLACES):
            kept = self._kept[side]
            if opening[side] >= _OPEN:
                self._kept[side] = _eye(frame, face, place, float(opening[side])) or kept
            if opening[side] < _SHUTTING and kept is not None:
                frame, face = _laid_over(frame, face, kept, place)
        return frame, face


def _eye(frame: VideoFrame, face: Face, place: _Place, opening: float) -> _Eye | None:
    """None where a part of the eye lies outside the picture."""
    points = _outline(face.points, place)
    low = np.floor(points.min(axis=0)).astype(int) - _MARGIN
    high = np.ceil(points.max(axis=0)).astype(int) + _MARGIN + 1
    if (low < 0).any() or (high > frame.size).any():
        return None
    patch = frame.rgb[low[1] : high[1], low[0] : high[0]].copy()
    corner = np.array([*low, 0], np.float32)
    return _Eye(patch, face.points - corner, opening)


def _laid_over(frame: VideoFrame, face: Face, kept: _Eye, place: _Place) -> tuple[VideoFrame, Face]:
    points, moving = face.points.copy(), kept.points[place.moving]
    over = _carried(kept.points[:, :2], face.points[:, :2], moving[:, :2])
    points[place.moving, :2] = moving[:, :2] @ over[:, :2].T + over[:, 2]
    deeper = (face.points - kept.points)[_still(), 2].mean()
    points[place.moving, 2] = moving[:, 2] + deeper
    outline = _outline(points, place)
    low = np.maximum(np.floor(outline.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 1, frame.size)
    width, height = (high - low).tolist()
    if width < 1 or height < 1:
        return frame, face
    over[:, 2] -= low
    eye = cv2.warpAffine(
        kept.patch, over, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    rgb = frame.rgb.copy()
    part = rgb[low[1] : high[1], low[0] : high[0]]
    cover = _cover(outline - low, (width, height))
    change = eye.astype(np.float32) - part
    border = (cover * (1 - cover))[..., None]  # where both show the same skin in different light
    change -= (border * change).sum(axis=(0, 1)) / max(float(border.sum()), 1e-3)
    part[...] = np.clip(np.rint(part + cover[..., None] * change), 0, 255)
    return replace(frame, rgb=rgb), replace(face, points=points)


def _outline(points: Floats, place: _Place) -> Floats:
    """(n, 2) around an eye and its lashes."""
    around = points[place.around, :2]
    middle = around.mean(axis=0)
    return np.asarray(middle + _LASHES * (around - middle), np.float32)


def _carried(here: Floats, there: Floats, eye: Floats) -> Doubles:
    """(2, 3) the affine map of the face around an eye from one mesh to another.

    In a tracked mesh everything near an eye moves with its lids, so the whole upper face is used,
    with more weight on nearer points.

    Args:
        here: (478, 2) the first mesh.
        there: (478, 2) the second mesh.
        eye: (n, 2) the eye's points in the first mesh.
    """
    still = _still()
    reach = _NEAR * np.ptp(eye[:, 0])
    away = np.square(here[still] - eye.mean(axis=0)).sum(axis=1)
    trust = np.sqrt(reach**2 / (away + reach**2))[:, None].astype(np.float64)
    known = np.hstack([here[still], np.ones((len(still), 1))])
    found = np.linalg.lstsq(known * trust, there[still] * trust, rcond=None)[0]
    return np.ascontiguousarray(found.T)


def _cover(outline: Floats, size: tuple[int, int]) -> Floats:
    """(height, width) soft mask, 0 on an outline (n, 2) and 1 well inside."""
    mask = np.zeros((size[1] + 2, size[0] + 2), np.uint8)
    cv2.fillPoly(mask, [np.rint(outline + 1).astype(np.int32)], (1,))
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)[1:-1, 1:-1]
    soft = _FEATHER * float(np.ptp(outline[:, 0]))
    share = np.clip(inside / max(soft, 1.0), 0.0, 1.0)
    return np.asarray(eased(share), np.float32)
