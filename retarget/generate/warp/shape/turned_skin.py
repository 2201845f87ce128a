"""Skin that a turning head brings into view.

At the outline of a face the photo shows much skin on few pixels. A head that turns brings a broad
strip of it into view, which stretched from those few pixels would ripple; so all of that side of
the face moves a little. Displacements are interpolated by a harmonic function (by the lengths of
edges once turned into view) between the outline and the middle of the face, which stay fixed.
"""

from __future__ import annotations

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bools, Floats
from retarget.generate.warp.mesh import OVAL, harmonic, topology
from retarget.generate.warp.shape.seen_outline import EYES_AND_LIPS

BROWS = [*landmarks.LEFT_BROW, *landmarks.RIGHT_BROW]
STEPS = 4
"""Rows of the mesh inside its oval that move."""
TURN = 15.0
"""The largest turn of a head in degrees."""
SHORTEST = 0.06
"""Eye distances: shorter edges count as that long, as the mesh's error is as large."""
AWAY = -0.3
"""Cosine between the line of sight and the skin's normal below which skin counts as hidden; skin
seen edgewise does not, as the mesh may err."""


class TurnedSkin:
    """The movable sides of one face.

    Args:
        points: (468 or more, 3) the photo's mesh in pixels.
        unit: pixels between the outer eye corners.
    """

    def __init__(self, points: Floats, unit: float) -> None:
        giving = _giving(points)
        self._giving, self._held = np.flatnonzero(giving), np.flatnonzero(~giving)
        rows, ends = np.nonzero(topology().beside)
        shortest = SHORTEST * unit
        edges = points[rows] - points[ends]
        self._evened = harmonic(giving, _longest(edges) + shortest**2)

    def __call__(self, turned: Floats) -> Floats:
        """(468, 2) displacements by a head's movement, interpolated at the sides of the face.

        Args:
            turned: (468, 2) displacements by the head's movement.
        """
        out = turned.copy()
        out[self._giving] = self._evened @ turned[self._held]
        return out


def _longest(edges: Floats) -> Floats:
    """(n,) squared visible length of edges (n, 3) at their largest while the head turns."""
    aside = np.sin(np.radians(TURN)) * np.abs(edges[:, 2:])
    seen = np.abs(edges[:, :2]) + aside
    out: Floats = np.maximum(edges[:, 1] ** 2 + seen[:, 0] ** 2, edges[:, 0] ** 2 + seen[:, 1] ** 2)
    return out


def _giving(points: Floats) -> Bools:
    """(468,) movable points: inside the oval, a few rows deep, and not hidden in the photo."""
    joined, face = topology().joined, topology().face
    near = np.zeros(landmarks.MESH_COUNT, np.bool_)
    near[OVAL] = True
    for _ in range(STEPS):
        near |= joined[near].max(axis=0) > 0
    near[OVAL] = near[EYES_AND_LIPS] = near[BROWS] = False
    across, down = points[face[:, 1]] - points[face[:, 0]], points[face[:, 2]] - points[face[:, 0]]
    normal = np.cross(across, down)
    away = normal[:, 2] < AWAY * np.linalg.norm(normal, axis=1)
    near[face[away]] = False
    return near
