"""Texture coordinates: a face unwrapped onto one map, whatever its expression and pose."""

from __future__ import annotations

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Doubles, Floats


class Unfolding:
    """Maps each pixel of the texture map to a picture of a face.

    Args:
        places: (468, 2) positions of the mesh's points on the map in pixels.
        size: (width, height) of the map.
    """

    def __init__(self, places: Doubles, size: tuple[int, int]) -> None:
        from scipy.spatial import Delaunay  # .2 s to import, and few jobs need it

        mesh = Delaunay(places)
        rows, columns = np.mgrid[: size[1], : size[0]]
        pixels = np.stack([columns, rows], axis=-1).astype(np.float64)
        which = mesh.find_simplex(pixels)
        affine = mesh.transform[which]
        two = np.einsum("...ij,...j->...i", affine[..., :2, :], pixels - affine[..., 2, :])
        shares = np.concatenate([two, 1 - two.sum(axis=-1, keepdims=True)], axis=-1)
        self.face = which >= 0
        """(height, width) whether each pixel lies on the face."""
        self._corners = np.asarray(mesh.simplices[which], np.int64)  # (height, width, 3)
        self._shares = shares.astype(np.float32)

    def places_in(self, points: Floats) -> Floats:
        """(height, width, 2) the map's pixels in a picture; meaningless off the face.

        Args:
            points: (468 or more, 2 or more) the mesh in pixels of the picture.
        """
        across_and_down = points[: landmarks.MESH_COUNT, :2]
        corners = across_and_down[self._corners] * self._shares[..., None]
        return np.asarray(corners.sum(axis=2, dtype=np.float32))
