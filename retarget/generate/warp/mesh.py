"""The mesh that is warped: the face's own points, and three rings of points around it.

The rings are the face oval enlarged about its centre. They take less and less of an expression's
movement of the oval, the outermost none, so that hair, neck and background stretch softly instead
of tearing, and the picture outside stays unchanged. A moving head takes its hair along: the inner
rings then move rigidly with it, and the outermost lies farther out, to leave the background room to
stretch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from itertools import pairwise

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bools, Floats, Ints
from retarget.flow.rigid import similarity

RINGS = 3
HELD_SCALES, MOVING_SCALES = (1.22, 1.55, 2.05), (1.22, 1.65, 2.75)
"""Size of each ring relative to the face oval, for a still and for a moving head."""
RING_SHARES = (0.55, 0.18, 0.0)
"""Share of the oval's movement by expression that each ring takes."""
WITH_CROWN, WITH_CHIN = (1.0, 0.95, 0.0), (0.75, 0.2, 0.0)
"""Share of the head's movement that each ring takes above and below the face, where the neck stays
behind."""
OVAL = np.array(landmarks.FACE_OVAL)
COUNT = landmarks.MESH_COUNT + len(OVAL) * RINGS


@dataclass(frozen=True, slots=True, eq=False)
class Topology:
    """The connectivity of the mesh, the same for every face."""

    face: Ints
    """(852, 3) triangles of the face without eyes and mouth, clockwise on a frontal picture."""
    whole: Ints
    """(1068, 3) triangles of the rings, then of the face."""
    beside: Bools
    """(468, 468) where two points of the face share an edge."""
    joined: Floats
    """(468, 468) the same as 0 and 1."""
    counts: Floats
    """(468,) number of neighbours of each point."""

    @property
    def laplacian(self) -> Floats:
        """(468, 468) graph Laplacian of the face."""
        out: Floats = np.diag(self.joined.sum(axis=0)) - self.joined
        return out


@cache
def topology() -> Topology:
    """Read the shipped triangles and add those of the rings."""
    path = files("retarget.generate.warp") / "triangles.npy"
    with as_file(path) as file:
        face = np.load(file, allow_pickle=False).astype(np.int64)
    joined = np.zeros((landmarks.MESH_COUNT, landmarks.MESH_COUNT), np.float32)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        joined[face[:, a], face[:, b]] = joined[face[:, b], face[:, a]] = 1.0
    whole = np.concatenate([_ring_triangles(), face])
    return Topology(face, whole, joined > 0, joined, joined.sum(axis=1))


def harmonic(giving: Bools, lengths: Floats) -> Floats:
    """(g, 468 - g) weights of the fixed points' displacements in those of the movable points.

    Args:
        giving: (468,) which points are movable.
        lengths: (n,) squared length of each edge of `topology().beside`, row by row.
    """
    stiff = np.zeros(topology().beside.shape)
    stiff[topology().beside] = -1 / lengths
    np.fill_diagonal(stiff, -stiff.sum(axis=1))
    inner, outer = stiff[np.ix_(giving, giving)], stiff[np.ix_(giving, ~giving)]
    out: Floats = -np.linalg.solve(inner, outer).astype(np.float32)
    return out


def _ring_triangles() -> Ints:
    """(216, 3) triangles between the oval and each ring in turn."""
    n = len(OVAL)
    rows = [OVAL, *(landmarks.MESH_COUNT + k * n + np.arange(n) for k in range(RINGS))]
    out = []
    for inner, outer in pairwise(rows):
        after_inner, after_outer = np.roll(inner, -1), np.roll(outer, -1)
        out.append(np.stack([inner, outer, after_outer], 1))
        out.append(np.stack([inner, after_outer, after_inner], 1))
    return np.concatenate(out)


def with_rings(points: Floats, scales: tuple[float, ...]) -> Floats:
    """The mesh of a photo with its rings.

    Args:
        points: (478 or 468, 2 or 3) pixels.
        scales: size of each ring relative to the oval.

    Returns:
        (576, 2) pixels: 468 face points, then 36 points of each ring.
    """
    face = points[: landmarks.MESH_COUNT, :2]
    oval = face[OVAL]
    centre = (oval.min(axis=0) + oval.max(axis=0)) / 2
    rings = [centre + scale * (oval - centre) for scale in scales]
    return np.asarray(np.concatenate([face, *rings]), np.float32)


def rings_follow(moved: Floats) -> Floats:
    """(576, 2) displacements by an expression (468, 2), extended to the rings."""
    oval = moved[OVAL]
    return np.concatenate([moved, *(np.float32(share) * oval for share in RING_SHARES)])


def rings_go_along(source: Floats, moved: Floats) -> Floats:
    """(576, 2) displacements by a moving head (468, 2), extended to the rings.

    Args:
        source: (576, 2) the photo's mesh and rings, in pixels of the crop.
        moved: displacements by the movement of the head alone.
    """
    oval, rings = source[OVAL], source[landmarks.MESH_COUNT :].reshape(RINGS, -1, 2)
    turn = similarity(oval, oval + moved[OVAL])
    centre = oval.mean(axis=0)
    up = source[landmarks.FOREHEAD] - source[landmarks.CHIN]
    height = (oval - centre) @ up / float(up @ up)  # -0.5 at the chin, 0.5 at the crown
    crown = np.clip((height + 0.45) / 0.5, 0, 1)[:, None]
    out = [moved]
    for ring, with_crown, with_chin in zip(rings, WITH_CROWN, WITH_CHIN, strict=True):
        share = with_chin + crown * (with_crown - with_chin)
        gone = ring @ turn[:, :2].T + turn[:, 2] - ring
        out.append((share * gone).astype(np.float32))
    return np.concatenate(out)


def signed_areas(points: Floats, triangles: Ints) -> Floats:
    """(t,) twice the area of triangles (t, 3) of points (n, 2 or 3), positive where clockwise."""
    a, b, c = points[:, :2].take(triangles.T, axis=0)
    to_b, to_c = b - a, c - a
    out: Floats = to_b[:, 0] * to_c[:, 1] - to_b[:, 1] * to_c[:, 0]
    return out
