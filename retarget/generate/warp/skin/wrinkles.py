"""Transfer the folds of the driving skin as expression ratio images.

The ratio of the driving skin's brightness to that at rest shows its folds, whatever colour the skin
has (Liu, Shan & Zhang, "Expressive expression mapping with ratio images", SIGGRAPH 2001).
Both pictures are warped to one flat map of the face, so that a ratio measured on one face can be
drawn on another.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Doubles, Floats
from retarget.flow.ease import smoothstep
from retarget.flow.face_model import face_model
from retarget.flow.unfold import Unfolding
from retarget.flow.values import FaceRequest, TrackedFrame
from retarget.generate.warp.flow import Grid, draw_affine, enlarged
from retarget.generate.warp.mesh import signed_areas, topology
from retarget.generate.warp.paint import blurred, fill, ramp, read
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.skin.crease_lines import crease_lines

SCALE = 80.0
"""Pixels of the map per eye distance."""
FINE, BROAD = 1.2, 9.0
"""Standard deviations of the blurs between which a fold's width lies, in map pixels."""
LIMITS = (-0.5, 0.06)
"""Limits of the log ratio: folds are dark, highlights are noise."""
TURNED, TURNED_BETWEEN = (6.0, 13.0), (15.0, 30.0)
"""Turn of the driving head from its rest view, in degrees, between which folds fade out as light
changes; and the same between the brows, where skin faces ahead."""
DARKEST = 12.0
"""Brightness, 0..255, below which a ratio is noise."""
AWAY, AWAY_BETWEEN = (0.05, 0.14), (0.02, 0.07)
"""Distance from brows, eyes, lips and nose, in eye distances, between which folds fade in; and the
same between the brows, where a frown lies close to their ends."""
EDGE = (0.08, 0.25)
"""The same from the outline of the face."""
NOSE = (
    197, 196, 236, 198, 131, 49, 48, 64, 98, 97, 2, 326, 327, 294, 278, 279, 360, 420, 456, 419,
)  # fmt: skip
"""Outline of the nose below its bridge: it has moving highlights, but no folds."""
BETWEEN, BETWEEN_SOFT = (108, 337, 336, 285, 417, 168, 193, 55, 107), 4.0
"""Outline of the skin between the brows, and the blur of its edge in map pixels."""

_MESH = landmarks.MESH_COUNT


@dataclass(frozen=True, slots=True, eq=False)
class SkinMap:
    """A flat map of the face: the mean neutral mesh seen from the front."""

    places: Floats
    """(468, 2) positions of the mesh points on the map."""
    unfolding: Unfolding
    skin: Floats
    """(height, width) mask of skin that may fold, 0..1."""
    between: Floats
    """(height, width) mask of the skin between the brows, 0..1."""

    def flat(self, rgb: Bytes, points: Floats) -> Floats:
        """(height, width) logarithm of a face's brightness on the map.

        Args:
            rgb: (h, w, 3) a picture.
            points: (478, 3) the mesh of the face, in its pixels.
        """
        small, at = _near_size(rgb, points)
        grey = read(small, self.unfolding.places_in(at)) @ LUMA
        return np.asarray(np.log(grey + np.float32(DARKEST)), np.float32)

    def folds(self, flat: Floats) -> Floats:
        """(height, width) detail of the size of folds, on skin only."""
        known = blurred(self.skin, BROAD) + np.float32(1e-3)
        broad = blurred(flat * self.skin, BROAD) / known
        fine = blurred(flat * self.skin, FINE) / (blurred(self.skin, FINE) + np.float32(1e-3))
        out: Floats = self.skin * (fine - broad)
        return out


@cache
def skin_map() -> SkinMap:
    """The one map that all faces share."""
    neutral = face_model().neutral[:_MESH, :2]
    low = neutral.min(axis=0)
    places = ((neutral - low) * SCALE + 2).astype(np.float32)
    width, height = (int(v) + 4 for v in places.max(axis=0))
    lips = landmarks.LIPS_OUTER_UPPER + landmarks.LIPS_OUTER_LOWER[::-1]
    left = landmarks.LEFT_EYE_UPPER + landmarks.LEFT_EYE_LOWER[::-1]
    right = landmarks.RIGHT_EYE_UPPER + landmarks.RIGHT_EYE_LOWER[::-1]
    apart = (lips, left, right, landmarks.LEFT_BROW, landmarks.RIGHT_BROW, NOSE)
    other = np.zeros((height, width), np.uint8)
    for part in apart:
        fill(other, places[list(part)])
    face = np.zeros((height, width), np.uint8)
    fill(face, places[list(landmarks.FACE_OVAL)])
    brows = np.zeros((height, width), np.uint8)
    fill(brows, places[list(BETWEEN)])
    between = blurred(brows, BETWEEN_SOFT).astype(np.float32) / 255
    away = _distance(~other)
    skin = ramp(AWAY, away) + between * (ramp(AWAY_BETWEEN, away) - ramp(AWAY, away))
    skin *= ramp(EDGE, _distance(face))
    unfolding = Unfolding(places.astype(np.float64), (width, height))
    return SkinMap(places, unfolding, skin.astype(np.float32), between)


def _distance(inside: Bytes) -> Floats:
    """(h, w) eye distances to the nearest pixel outside."""
    found = cv2.distanceTransform(inside // 128, cv2.DIST_L2, 5)
    return np.asarray(found, np.float32) / np.float32(SCALE)


def _near_size(rgb: Bytes, points: Floats) -> tuple[Bytes, Floats]:
    """The face cut out, scaled down to what the map needs, with its mesh (468, 2)."""
    mesh = points[:_MESH, :2]
    low = np.clip(np.floor(mesh.min(axis=0)) - 2, 0, np.array(rgb.shape[1::-1]) - 1).astype(int)
    high = np.maximum(np.ceil(mesh.max(axis=0)).astype(int) + 3, low + 1)
    crop = rgb[low[1] : high[1], low[0] : high[0]]
    right, left = points[list(landmarks.EYE_OUTER_CORNERS), :2]
    times = SCALE / max(float(np.linalg.norm(left - right)), 1.0)
    at = (mesh - low).astype(np.float32)
    if times >= 1:
        return np.ascontiguousarray(crop), at
    size = (max(2, round(crop.shape[1] * times)), max(2, round(crop.shape[0] * times)))
    small = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
    share = np.array(size, np.float32) / np.array(crop.shape[1::-1], np.float32)
    return small, (at + np.float32(0.5)) * share - np.float32(0.5)


class DrivingFolds:
    """The folds of a driving face relative to the same face at rest."""

    def __init__(self) -> None:
        self._rest: tuple[TrackedFrame, Floats] | None = None

    def __call__(self, request: FaceRequest) -> tuple[Floats, Floats] | None:
        """The driving face's folds; None where they cannot be measured.

        Returns:
            (height, width) logarithm of the ratio on `skin_map`, and its confidence, 0..1, by which
            it is already multiplied.
        """
        now = request.driving
        rest = request.driving_rest
        if now is None or now.tracked is None or now.tracked.face is None or now.pose is None:
            return None
        if rest is None or rest.tracked is None or rest.tracked.face is None or rest.pose is None:
            return None
        angle = _angle(now.pose.rotation, rest.pose.rotation)
        aside, between = (1 - smoothstep(*ends, angle) for ends in (TURNED, TURNED_BETWEEN))
        if between == 0:
            return None
        told = np.float32(aside) + np.float32(between - aside) * skin_map().between
        if self._rest is None or self._rest[0] is not rest.tracked:
            self._rest = rest.tracked, _folds(rest.tracked)
        ratio = told * (_folds(now.tracked) - self._rest[1])
        return np.clip(ratio, *LIMITS).astype(np.float32), told


def _folds(tracked: TrackedFrame) -> Floats:
    if tracked.face is None:
        raise ValueError("there is no face to lay flat")
    flat = skin_map().flat(tracked.frame.rgb, tracked.face.points)
    return skin_map().folds(flat)


def _angle(one: Doubles, other: Doubles) -> float:
    """Degrees between two rotations."""
    return float(np.degrees(np.arccos(np.clip((np.trace(one @ other.T) - 1) / 2, -1, 1))))


def along_creases(told: Floats) -> Floats:
    """(lines,) mean confidence along each crease, from (height, width) on `skin_map`."""
    lines = crease_lines()
    at = np.rint(lines.along @ skin_map().places[lines.points]).astype(int)
    return np.array([told[at[part, 1], at[part, 0]].mean() for part in lines.parts], np.float32)


def draw_folds(out: Bytes, grid: Grid, placed: Floats, ratio: Floats, tint: Floats) -> None:
    """Shade a warped crop, in place.

    Args:
        out: (h, w, 3) the crop.
        grid: cells that cover the face.
        placed: (468, 2) its mesh, in pixels of the crop.
        ratio: (height, width) logarithm of the ratio on `skin_map`.
        tint: (3,) shares of a shadow's logarithm in red, green and blue.
    """
    on_map = skin_map().places
    cells = grid.to_cells(placed)
    field = _flat_guess(grid, cells, on_map)
    seen = topology().face[signed_areas(placed, topology().face) > 0]
    draw_affine(field, cells, seen, on_map)
    where = enlarged(field, grid.step)
    patch = out[grid.top : grid.top + where.shape[0], grid.left : grid.left + where.shape[1]]
    where = where[: patch.shape[0], : patch.shape[1]]
    inside = _read_inside(ratio, where)
    shade = cv2.merge([cv2.exp(inside * share) for share in tint])
    patch[...] = cv2.multiply(patch, shade, dtype=cv2.CV_8U)


def _flat_guess(grid: Grid, cells: Floats, on_map: Floats) -> Floats:
    """(rows, columns, 2) an affine estimate of the cells' places on the map.

    It serves inside eyes and mouth and beyond the mesh, where nothing is drawn.
    """
    known = np.concatenate([cells, np.ones((len(cells), 1), np.float32)], axis=1)
    affine = np.linalg.lstsq(known, on_map, rcond=None)[0].astype(np.float32)  # (3, 2)
    column, row = np.meshgrid(np.arange(grid.columns), np.arange(grid.rows))
    ones = np.ones_like(column)
    out: Floats = np.stack([column, row, ones], axis=2).astype(np.float32) @ affine
    return out


def _read_inside(ratio: Floats, where: Floats) -> Floats:
    """The map sampled at positions (h, w, 2), 0 outside."""
    border = cv2.BORDER_CONSTANT
    out = cv2.remap(ratio, where, None, cv2.INTER_LINEAR, borderMode=border)  # type: ignore[call-overload]
    return np.asarray(out, np.float32)
