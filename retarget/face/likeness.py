"""Is it the same person? Estimated without a recognition network, so that a slip is noticed.

The face is warped onto the average mesh, which removes most of pose and expression, and described
by histograms of oriented gradients (Dalal & Triggs, CVPR 2005) of the logarithm of brightness, each
cell normalised, which removes most of the lighting. The mean of many faces is subtracted before two
faces are compared. This recognises strangers in most pictures and is no proof.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from retarget.flow import landmarks, shipped
from retarget.flow.arrays import Floats, Picture
from retarget.flow.face_model import face_model
from retarget.flow.unfold import Unfolding
from retarget.flow.values import Face

ANOTHER = 0.75
"""`unlikeness` above which two faces are likely two persons'. It was reached by none of 1241 pairs
of frames of one clip, by 1.5 % of them with light, tint and contrast changed at random, and by 96 %
of 7537 pairs of frames of two persons."""

_CHANGED = 0.06
"""Mean change of colour (0..1) at the mesh's points above which a face may be another person's than
in the frame before: up to 0.059 within five clips (at ten frames a second 0.072, with an
`unlikeness` of up to 0.71), at least 0.08 between 91 pairs of persons."""

_WIDTH, _HEIGHT = 96, 112
"""Pixels of an unfolded face."""
_CELL, _DIRECTIONS = 8, 8
_LOUDEST = 0.95
"""Quantile to which strong edges are clipped, so that lashes and glasses do not dominate."""
_FAINT = 0.15
"""Part of the median cell's strength added to each cell, to suppress noise of flat skin."""
_HOLES = (*landmarks.EYE_RIMS, (landmarks.LIPS_INNER_UPPER, landmarks.LIPS_INNER_LOWER))
"""Eyes and mouth, which are left out as they move too much."""


def unlikeness(one: Floats, two: Floats) -> float:
    """1 - correlation of two faces' `edges`: 0 equal, about 1 for strangers, at most 2."""
    a, b = (edges - _mean_edges() for edges in (one, two))
    return 1.0 - float((a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9))


class Sight:
    """The appearance of a face in one frame of a video.

    Args:
        rgb: the frame.
        points: (478, 3) the mesh, in its pixels.
    """

    def __init__(self, rgb: Picture, points: Floats) -> None:
        self.points = points
        self._rgb = rgb
        at = np.rint(points[: landmarks.MESH_COUNT, :2]).astype(np.intp)
        x, y = np.clip(at, 0, (rgb.shape[1] - 1, rgb.shape[0] - 1)).T
        self._colours = np.asarray(rgb[y, x], np.float32) / 255

    def replaced_by(self, now: Sight) -> bool:
        """Whether the next frame's face is another person's."""
        if float(np.abs(self._colours - now._colours).mean()) < _CHANGED:
            return False
        return unlikeness(self._edges(), now._edges()) > ANOTHER

    def _edges(self) -> Floats:
        return edges(self._rgb, Face(points=self.points))


def edges(rgb: Picture, face: Face) -> Floats:
    """(rows, columns, directions) strength of the edges of each direction in each cell."""
    grey = np.log(cv2.cvtColor(unfolded(rgb, face), cv2.COLOR_RGB2GRAY).astype(np.float32) + 10)
    across, down = (np.asarray(cv2.Sobel(grey, cv2.CV_32F, *d)) for d in ((1, 0), (0, 1)))
    strength = np.hypot(across, down) * _unfolding()[1]
    strength = np.minimum(strength, np.quantile(strength, _LOUDEST))
    angle = (np.arctan2(down, across) % np.pi) / np.pi * _DIRECTIONS
    half = _DIRECTIONS / 2
    out = []
    for direction in range(_DIRECTIONS):
        share = np.maximum(0, 1 - np.abs((angle - direction + half) % _DIRECTIONS - half))
        spread = cv2.GaussianBlur(strength * share, (0, 0), _CELL / 2)
        out.append(spread[_CELL // 2 :: _CELL, _CELL // 2 :: _CELL])
    cells = np.stack(out, axis=-1)
    loud = np.linalg.norm(cells, axis=-1, keepdims=True)
    return np.asarray(cells / (loud + _FAINT * np.median(loud) + 1e-9), np.float32)


def unfolded(rgb: Picture, face: Face) -> Picture:
    """(height, width, 3) the face warped onto the average mesh, seen from the front."""
    pixel = face.eye_distance / 60
    if pixel > 1:
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.5 * pixel), np.uint8)
    at = _unfolding()[0].places_in(face.points)
    border = cv2.BORDER_REPLICATE
    out = cv2.remap(rgb, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(out, np.uint8)


@cache
def _unfolding() -> tuple[Unfolding, Floats]:
    """The map, and (height, width) 1 where it shows skin."""
    flat = face_model().neutral[: landmarks.MESH_COUNT, :2].astype(np.float64)
    low, high = flat.min(axis=0), flat.max(axis=0)
    flat = (flat - low) / (high - low) * (_WIDTH - 1, _HEIGHT - 1)
    unfolding = Unfolding(flat, (_WIDTH, _HEIGHT))
    skin = unfolding.face.astype(np.uint8)
    for upper, lower in _HOLES:
        around = np.rint(flat[[*upper, *lower[::-1]]]).astype(np.int32)
        cv2.fillPoly(skin, [around], [0])
    return unfolding, skin.astype(np.float32)


@cache
def _mean_edges() -> Floats:
    """The shipped mean of many persons' edges, made by `retarget/training/face_edges.py`."""
    return np.asarray(shipped.array("face_edges.npy"), np.float32)
