"""Where to look: a turned square in a frame, and what a detector or a mesh says about it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from retarget.flow import landmarks

Points = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

MARGIN = 1.5
"""A mesh is read from a square this much wider than the face, as the network was trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A square, turned with the head, in pixels of the frame."""

    x: float
    y: float
    """Its centre."""
    side: float
    turn: float = 0.0
    """Radians, clockwise in the picture."""

    def to_frame(self, pixels: int) -> npt.NDArray[np.float64]:
        """(2, 3) matrix from a crop of `pixels` x `pixels` to the frame."""
        scale = self.side / pixels
        c, s = np.cos(self.turn) * scale, np.sin(self.turn) * scale
        half = pixels / 2
        return np.array(
            [[c, -s, self.x - half * (c - s)], [s, c, self.y - half * (s + c)]], dtype=np.float64
        )

    def cut(self, rgb: Picture, pixels: int, *, black: bool = False) -> Picture:
        """The region as a picture of `pixels` x `pixels`.

        Beyond the frame the border is repeated, or black. A region much larger than the crop is
        first averaged down, so that fine patterns do not flicker.
        """
        matrix = self.to_frame(pixels)
        if self.side > 2 * pixels:
            rgb, matrix = _averaged(rgb, self, matrix, int(self.side // pixels))
        out = cv2.warpAffine(
            rgb, matrix, (pixels, pixels), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT if black else cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return np.asarray(out, dtype=np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detection:
    """A face as a detector sees it."""

    box: tuple[float, float, float, float]
    """left, top, width, height in pixels of the frame."""
    keys: Points
    """(6, 2) right eye, left eye, nose, mouth, right ear, left ear in pixels of the frame."""
    score: float
    """0..1"""

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box."""
        left, top, width, height = self.box
        return left + width / 2, top + height / 2

    @property
    def side(self) -> float:
        """Longer side of the box in pixels."""
        return max(self.box[2:])

    @property
    def region(self) -> Region:
        """Where to read this face's mesh."""
        x, y = self.centre
        return Region(x=x, y=y, side=MARGIN * self.side, turn=_turn(self.keys[0], self.keys[1]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """A mesh as the network sees it."""

    points: Points
    """(478, 3) in pixels of the frame."""
    presence: float
    """How sure the network is that a face is there, 0..1."""
    scores: npt.NDArray[np.float32] | None = None
    """(52,) blendshape scores, where the tracker has them."""

    @property
    def region(self) -> Region:
        """Where to read the mesh of this face in the next frame."""
        low, high = self.points[:, :2].min(axis=0), self.points[:, :2].max(axis=0)
        x, y = (low + high) / 2
        right, left = self.points[list(landmarks.EYE_OUTER_CORNERS), :2]
        side = MARGIN * float((high - low).max())
        return Region(x=float(x), y=float(y), side=side, turn=_turn(right, left))


def overlap(one: Region | Detection, two: Region | Detection) -> float:
    """Shared area of two squares or boxes over their joint area, 0..1; turns are ignored."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = _box(one), _box(two)
    wide = min(ax + aw, bx + bw) - max(ax, bx)
    high = min(ay + ah, by + bh) - max(ay, by)
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    return float(shared / (aw * ah + bw * bh - shared))


def _box(where: Region | Detection) -> tuple[float, float, float, float]:
    if isinstance(where, Detection):
        return where.box
    side = where.side / MARGIN
    return where.x - side / 2, where.y - side / 2, side, side


def _turn(right: npt.NDArray[np.floating], left: npt.NDArray[np.floating]) -> float:
    return float(np.arctan2(left[1] - right[1], left[0] - right[0]))


def _averaged(
    rgb: Picture, region: Region, matrix: npt.NDArray[np.float64], factor: int
) -> tuple[Picture, npt.NDArray[np.float64]]:
    """The region's surroundings averaged over `factor` x `factor` pixels, and the matrix to it."""
    height, width = rgb.shape[:2]
    reach = region.side * 0.75
    left, top = max(0, int(region.x - reach)), max(0, int(region.y - reach))
    right, low = min(width, int(region.x + reach) + 1), min(height, int(region.y + reach) + 1)
    if right - left < factor or low - top < factor:
        return rgb, matrix
    size = ((right - left) // factor, (low - top) // factor)
    part = rgb[top : top + size[1] * factor, left : left + size[0] * factor]
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    moved = matrix / factor
    # Centres of pixels are whole numbers, so the middle of the first `factor` pixels moves too.
    shift = (factor - 1) / 2 / factor
    moved[:, 2] -= np.array([left, top]) / factor + shift
    return np.asarray(small, dtype=np.uint8), moved
