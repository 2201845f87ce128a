"""Frame ↔ face-crop coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retarget.flow.arrays import Doubles, Reals
from retarget.flow.check import check_array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crop:
    """A picture cut out of a frame by a similarity.

    Coordinates are those of OpenCV's warps: whole numbers are centres of pixels, and the first
    one's is (0, 0).
    """

    to_frame: Doubles
    """(2, 3) matrix from crop pixels to frame pixels."""
    size: tuple[int, int]
    """(width, height) of the crop in pixels."""

    def __post_init__(self) -> None:
        check_array("to_frame", self.to_frame, (2, 3), np.float64)

    @classmethod
    def box(cls, left: int, top: int, width: int, height: int) -> Crop:
        """The axis-aligned box whose pixels are the frame's own, unscaled."""
        return cls(to_frame=np.array([[1.0, 0.0, left], [0.0, 1.0, top]]), size=(width, height))

    @property
    def offset(self) -> tuple[int, int] | None:
        """(left, top) where the crop's pixels are the frame's own pixels; else None."""
        whole = np.rint(self.to_frame[:, 2])
        plain = np.array_equal(self.to_frame[:, :2], np.eye(2))
        if plain and np.array_equal(whole, self.to_frame[:, 2]):
            return int(whole[0]), int(whole[1])
        return None

    @property
    def to_crop(self) -> Doubles:
        """(2, 3) matrix from frame pixels to crop pixels."""
        linear = np.linalg.inv(self.to_frame[:, :2])
        return np.hstack([linear, -linear @ self.to_frame[:, 2:]])

    def points_to_crop(self, points: Reals) -> Doubles:
        """Frame points (n, 2) as crop points (n, 2)."""
        matrix = self.to_crop
        return np.asarray(points[:, :2] @ matrix[:, :2].T + matrix[:, 2])

    def points_to_frame(self, points: Reals) -> Doubles:
        """Crop points (n, 2) as frame points (n, 2)."""
        return np.asarray(points[:, :2] @ self.to_frame[:, :2].T + self.to_frame[:, 2])
