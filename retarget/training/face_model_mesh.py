"""The canonical face mesh and smooth fields on it, for making the face model.

A field is given at a few points, the handles, and interpolated by the smoothest field that passes
through them (a biharmonic interpolation, as in Botsch & Kobbelt, "An Intuitive Framework
for Real-Time Freeform Modeling", SIGGRAPH 2004). The slits of mouth and eyes are cut open first,
so that an upper lip does not drag the lower one along.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retarget.flow import landmarks
from retarget.flow.arrays import Doubles, Ints

_METADATA = "geometry_pipeline_metadata_landmarks.binarypb"
_IRIS_MIRROR = {468: 473, 469: 476, 470: 475, 471: 474, 472: 477}
"""Mirrored iris points: centres, then rims, whose left and right points change places."""
_EXACT = 1e4
"""Weight of a handle relative to smoothness."""


@dataclass(frozen=True, kw_only=True)
class CanonicalFace:
    """A symmetric, average, nearly neutral face, with the mesh's topology."""

    points: Doubles
    """(468, 3) in the head frame (no irises)."""
    triangles: Ints
    """(n, 3) all triangles, those over mouth and eyes too."""
    pose_weights: Doubles
    """(478,) the pose weights MediaPipe gives its 33 stable points; sums to 1."""

    @classmethod
    def read(cls, bundle: Path) -> CanonicalFace:
        """From a Tasks bundle (`face_landmarker.task`, a zip)."""
        from mediapipe.tasks.cc.vision.face_geometry.proto import geometry_pipeline_metadata_pb2

        metadata = geometry_pipeline_metadata_pb2.GeometryPipelineMetadata()
        with zipfile.ZipFile(bundle) as inside:
            metadata.ParseFromString(inside.read(_METADATA))
        mesh = metadata.canonical_mesh
        points = np.array(mesh.vertex_buffer).reshape(-1, 5)[:, :3] * (1.0, -1.0, -1.0)
        corners = points[list(landmarks.EYE_OUTER_CORNERS)]
        points = (points - corners.mean(axis=0)) / np.linalg.norm(corners[1] - corners[0])
        weights = np.zeros(landmarks.COUNT)
        for point in metadata.procrustes_landmark_basis:
            weights[point.landmark_id] = point.weight
        return cls(
            points=points,
            triangles=np.array(mesh.index_buffer, np.int64).reshape(-1, 3),
            pose_weights=weights / weights.sum(),
        )

    @cached_property
    def mirror(self) -> Ints:
        """(478,) the mirrored point of each point."""
        flipped = self.points * (-1.0, 1.0, 1.0)
        far = np.linalg.norm(flipped[:, None] - self.points[None], axis=2)
        iris = {**_IRIS_MIRROR, **{b: a for a, b in _IRIS_MIRROR.items()}}
        return np.asarray(np.r_[far.argmin(axis=1), [iris[i] for i in range(468, 478)]])

    @cached_property
    def skin(self) -> Ints:
        """(n, 3) the triangles without those that span the mouth's and the eyes' slits."""
        slits = (
            {*landmarks.LIPS_INNER_UPPER, *landmarks.LIPS_INNER_LOWER},
            {*landmarks.RIGHT_EYE_UPPER, *landmarks.RIGHT_EYE_LOWER},
            {*landmarks.LEFT_EYE_UPPER, *landmarks.LEFT_EYE_LOWER},
        )
        keep = [t for t in self.triangles.tolist() if not any(set(t) <= s for s in slits)]
        return np.array(keep, np.int64)

    @cached_property
    def laplacian(self) -> Doubles:
        """(468, 468) normalized graph Laplacian of the skin; neighbors count by nearness."""
        near = np.zeros((landmarks.MESH_COUNT,) * 2)
        for a, b in ((0, 1), (1, 2), (2, 0)):
            i, j = self.skin[:, a], self.skin[:, b]
            near[i, j] = near[j, i] = 1.0 / np.linalg.norm(self.points[i] - self.points[j], axis=1)
        return np.asarray(np.eye(len(near)) - near / near.sum(axis=1, keepdims=True))

    @cached_property
    def distances(self) -> Doubles:
        """(468, 468) shortest path lengths along the skin's edges, in head units."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import shortest_path

        pairs = np.concatenate([self.skin[:, [0, 1]], self.skin[:, [1, 2]], self.skin[:, [2, 0]]])
        length = np.linalg.norm(self.points[pairs[:, 0]] - self.points[pairs[:, 1]], axis=1)
        table = np.zeros((landmarks.MESH_COUNT,) * 2)
        table[pairs[:, 0], pairs[:, 1]] = length
        return np.asarray(shortest_path(csr_matrix(table), directed=False))

    def smooth_field(self, handles: Mapping[int, npt.ArrayLike], reach: float) -> Doubles:
        """The smoothest (468, 3) field that has the given values at the handles.

        Args:
            handles: displacement of some points, in head units.
            reach: points farther than this from every handle along the skin stay where they are.
        """
        ids = np.fromiter(handles, np.int64)
        pinned = np.zeros(landmarks.MESH_COUNT)
        pinned[self.distances[ids].min(axis=0) > reach] = _EXACT
        pinned[ids] = _EXACT
        wanted = np.zeros((landmarks.MESH_COUNT, 3))
        wanted[ids] = np.array([np.asarray(v, float) for v in handles.values()])
        bend = self.laplacian.T @ self.laplacian
        return np.asarray(np.linalg.solve(bend + np.diag(pinned), pinned[:, None] * wanted))

    def smoothed(self, fields: Doubles, stiffness: float) -> Doubles:
        """(k, 468, 3) fields, smoothed."""
        bend = self.laplacian.T @ self.laplacian
        soft = np.linalg.inv(np.eye(len(bend)) + stiffness * bend)
        return np.asarray(np.einsum("ij,kjc->kic", soft, fields))

    def mirrored(self, field: Doubles) -> Doubles:
        """A (478, 3) field, mirrored."""
        return np.asarray(field[self.mirror] * (-1.0, 1.0, 1.0))
