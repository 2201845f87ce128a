"""Skin behind a mouth that moves far sideways.

A tracker follows the lips, but hardly the skin around them, which has no marks. A corner of the
mouth that moves far inwards leaves that skin behind, and the strip between would be stretched into
rays. Where that happens, all skin out to the outline of the face moves a little: displacements are
interpolated between the fixed points by a harmonic function. Not on the averted side of a turned
face, whose narrow strip of skin holds red of the lips that would be torn into specks.
"""

from __future__ import annotations

from functools import cache, cached_property

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bools, Floats
from retarget.flow.ease import smoothstep
from retarget.generate.warp.mesh import OVAL, harmonic, topology
from retarget.generate.warp.shape.form import CORNERS
from retarget.generate.warp.shape.opening_form import AVERTED
from retarget.generate.warp.shape.seen_outline import EYES_AND_LIPS

STEPS = 4
"""Rows of the mesh around the lips that move."""
NOSE = (2, 97, 326, 98, 327, 64, 294, 48, 278, 129, 358)
"""The foot and wings of the nose, which stay fixed."""
OUTSIDE = np.array([(212, 216, 202), (432, 436, 422)])
"""Skin outside the crease beside the right and the left corner."""
LEFT_BEHIND = (0.2, 0.4)
"""Movement of a corner away from that skin, relative to their distance in the photo, between which
the effect fades in; speech and smiles stay below."""
SHORTEST = 0.06
"""Eye distances: shorter edges count as that long, as the mesh's error is as large."""

_MIDDLE = [landmarks.LIPS_INNER_UPPER[5], landmarks.LIPS_INNER_LOWER[5]]
_CORNERS = np.array([corner for corner, _ in CORNERS])
_CREASES = np.array([point for _, beside in CORNERS for point in beside])


class CornerSkin:
    """The movable skin around one photo's mouth.

    Args:
        points: (468 or more, 3) the photo's mesh in pixels.
        unit: pixels between the outer eye corners.
    """

    def __init__(self, points: Floats, unit: float) -> None:
        self._places = points[: landmarks.MESH_COUNT, :2]
        self._shortest = SHORTEST * unit
        out = self._places[_CORNERS, None] - self._places[OUTSIDE]
        self._way = out / np.square(np.linalg.norm(out, axis=2, keepdims=True) + self._shortest)
        right, left = self._places[_CORNERS]
        along = (left - right) / max(float(np.square(left - right).sum()), 1e-6)
        share = float((self._places[_MIDDLE].mean(axis=0) - right) @ along)
        self._facing: list[float] = [1 - smoothstep(*AVERTED, s) for s in (share, 1 - share)]
        """How far the right and the left side face the viewer, 0..1."""

    def give(self, moved: Floats) -> None:
        """Even out displacements (468, 3), in place, behind a corner that leaves skin behind."""
        away = ((moved[_CORNERS, None, :2] - moved[OUTSIDE, :2]) * self._way).sum(axis=2)
        far: list[float] = away.mean(axis=1).tolist()
        much = [f * smoothstep(*LEFT_BEHIND, a) for f, a in zip(self._facing, far, strict=True)]
        if max(much) == 0:
            return
        giving = _giving()
        off = self._evened @ moved[~giving] - moved[giving]
        moved[giving] += (self._nearer @ np.array(much, np.float32))[:, None] * off

    @cached_property
    def _evened(self) -> Floats:
        """Matrix from fixed to movable displacements; computed when needed, as few clips do."""
        rows, ends = np.nonzero(topology().beside)
        lengths = np.square(self._places[rows] - self._places[ends]).sum(axis=1)
        return harmonic(_giving(), lengths + self._shortest**2)

    @cached_property
    def _nearer(self) -> Floats:
        """(g, 2) weights of each movable point for the right and the left corner, by distance."""
        apart = self._places[_giving(), None] - self._places[_CORNERS]
        far = np.square(apart).sum(axis=2)
        return np.asarray(far[:, ::-1] / far.sum(axis=1, keepdims=True), np.float32)


@cache
def _giving() -> Bools:
    """(468,) movable points: skin around the lips and the creases beside them, a few rows deep."""
    held = np.zeros(landmarks.MESH_COUNT, np.bool_)
    held[EYES_AND_LIPS] = held[OVAL] = held[list(NOSE)] = held[_CREASES] = True
    out = np.zeros(landmarks.MESH_COUNT, np.bool_)
    out[[*landmarks.LIPS_OUTER_UPPER, *landmarks.LIPS_OUTER_LOWER, *_CREASES]] = True
    for _ in range(STEPS):
        out |= topology().beside[out].any(axis=0) & ~held
    return out & ~held
