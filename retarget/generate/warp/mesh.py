"""The mesh that is warped: the face's own points, and three rings of points around it.

The rings lie on the face oval blown up about its centre. What the oval does, they do less and
less, and the outermost not at all, so hair, neck and background stretch softly instead of
tearing, and the picture outside stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np
import numpy.typing as npt

from retarget.flow import landmarks

RING_SCALES = (1.22, 1.55, 2.05)
"""Size of each ring against the face oval."""
RING_SHARES = (0.55, 0.18, 0.0)
"""How much of the oval's displacement each ring takes."""
OVAL = np.array(landmarks.FACE_OVAL)
RING_COUNT = len(OVAL) * len(RING_SCALES)
COUNT = landmarks.MESH_COUNT + RING_COUNT

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Topology:
    """Which points are joined; the same for every face."""

    face: Ints
    """(852, 3) triangles of the face without eyes and mouth."""
    all: Ints
    """(n, 3) the same and those of the rings."""
    laplacian: npt.NDArray[np.float64]
    """(468, 468) graph Laplacian of the face."""


@cache
def topology() -> Topology:
    """Read the shipped triangles and add those of the rings."""
    path = files("retarget.generate.warp") / "triangles.npy"
    with as_file(path) as file:
        face = np.load(file, allow_pickle=False).astype(np.int64)
    joined = np.zeros((landmarks.MESH_COUNT, landmarks.MESH_COUNT))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        joined[face[:, a], face[:, b]] = joined[face[:, b], face[:, a]] = 1.0
    laplacian = np.diag(joined.sum(axis=0)) - joined
    return Topology(face, np.concatenate([_ring_triangles(), face]), laplacian)


def _ring_triangles() -> Ints:
    """(216, 3) triangles between the oval and each ring in turn."""
    rows = [OVAL]
    rows += [
        landmarks.MESH_COUNT + k * len(OVAL) + np.arange(len(OVAL)) for k in range(len(RING_SCALES))
    ]
    out = []
    for inner, outer in zip(rows, rows[1:], strict=False):
        next_inner, next_outer = np.roll(inner, -1), np.roll(outer, -1)
        out += [
            np.stack([inner, outer, next_outer], 1),
            np.stack([inner, next_outer, next_inner], 1),
        ]
    return np.concatenate(out)


def with_rings(points: Floats) -> Floats:
    """The mesh of a photo with its rings.

    Args:
        points: (478 or 468, 2) pixels.

    Returns:
        (576, 2) pixels: 468 face points, then 36 points of each ring.
    """
    face = points[: landmarks.MESH_COUNT, :2]
    oval = face[OVAL]
    centre = (oval.min(axis=0) + oval.max(axis=0)) / 2
    rings = [centre + scale * (oval - centre) for scale in RING_SCALES]
    return np.concatenate([face, *rings]).astype(np.float32)


def rings_follow(moved: Floats) -> Floats:
    """Displacements (468, 2) of the face with those of the rings: (576, 2)."""
    oval = moved[OVAL]
    return np.concatenate([moved, *(share * oval for share in RING_SHARES)])
