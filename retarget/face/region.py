"""Rotated squares in a frame, and what a detector or a mesh network finds in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Doubles, Floats, Picture

MARGIN = 1.5
"""The side of the square from which a mesh is read, in sizes of the face, as in training."""
_DENSEST = 3
"""A region more than this many times as wide as its crop is halved first."""
_AROUND = 16
"""Margin in pixels that is halved with a region, so that repeated halving keeps a border."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A square, rotated with the head, in pixels of the frame."""

    x: float
    y: float
    """Its centre."""
    side: float
    turn: float = 0.0
    """Radians, clockwise in the picture."""

    def to_frame(self, pixels: int) -> Doubles:
        """(2, 3) matrix from a crop of `pixels` x `pixels` to the frame."""
        scale = self.side / pixels
        c, s = np.cos(self.turn) * scale, np.sin(self.turn) * scale
        half = pixels / 2
        return np.array(
            [[c, -s, self.x - half * (c - s)], [s, c, self.y - half * (s + c)]], dtype=np.float64
        )

    def cut(self, rgb: Picture, pixels: int, *, black: bool = False) -> Picture:
        """The region as a picture of `pixels` x `pixels`.

        Outside the frame its border is repeated, or all is black. A region larger than the crop is
        averaged, against aliasing.
        """
        if self.side > _DENSEST * pixels:
            half, region = self._halved(rgb)
            return region.cut(half, pixels, black=black)
        dense = 2 if self.side > _DENSEST / 2 * pixels else 1
        matrix = self.to_frame(pixels * dense)
        # Pixel centres have integer coordinates: that of a pair of pixels lies half a pixel on.
        matrix[:, 2] -= matrix[:, :2].sum(axis=1) * (dense - 1) / 2
        out = cv2.warpAffine(
            rgb, matrix, (pixels * dense, pixels * dense),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT if black else cv2.BORDER_REPLICATE,
        )  # fmt: skip
        if dense > 1:
            out = cv2.resize(out, (pixels, pixels), interpolation=cv2.INTER_AREA)
        return np.asarray(out, dtype=np.uint8)

    def _halved(self, rgb: Picture) -> tuple[Picture, Region]:
        """The frame around the region at half its size, and the region there."""
        reach = self.side / 2 * (abs(np.cos(self.turn)) + abs(np.sin(self.turn))) + _AROUND
        (left, wide), (top, high) = (
            _even_part(middle, reach, size)
            for middle, size in ((self.x, rgb.shape[1]), (self.y, rgb.shape[0]))
        )
        half = cv2.resize(
            rgb[top : top + high, left : left + wide],
            (max(1, wide // 2), max(1, high // 2)),
            interpolation=cv2.INTER_AREA,
        )
        x, y = (self.x - left - 0.5) / 2, (self.y - top - 0.5) / 2
        return np.asarray(half, np.uint8), replace(self, x=x, y=y, side=self.side / 2)

    def placed(self, normalized: Floats) -> Floats:
        """Mesh points (478, 3) from parts of the region to pixels of the frame, z as well."""
        matrix = self.to_frame(1)
        out = np.empty_like(normalized)
        out[:, :2] = normalized[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        out[:, 2] = normalized[:, 2] * self.side
        return out

    def scaled(self, factor: float, turned: float = 0.0) -> Region:
        """The same place, its side times `factor`, rotated by further `turned` radians."""
        return replace(self, side=self.side * factor, turn=self.turn + turned)

    def distance(self, other: Region) -> float:
        """Distance of the centres in sides of the larger face."""
        face = max(self.side, other.side) / MARGIN
        return float(np.hypot(self.x - other.x, self.y - other.y)) / face


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detection:
    """A face found by a detector."""

    x: float
    y: float
    """Middle of its box in pixels of the frame."""
    side: float
    """Longer side of its box in pixels of the frame."""
    eyes: Floats
    """(2, 2) right eye, left eye in pixels of the frame."""
    score: float
    """0..1"""

    @classmethod
    def seen(
        cls,
        view: Region,
        box: tuple[float, float, float, float],
        eyes: Iterable[tuple[float, float]],
        score: float,
    ) -> Detection:
        """From a detector's output in parts of its input.

        Args:
            view: the detector's input.
            box: left, top, width and height.
            eyes: (x, y) of the right eye and of the left.
            score: 0..1
        """
        left, top, width, height = box
        matrix = view.to_frame(1)
        told = np.array([(left + width / 2, top + height / 2), *eyes])
        placed = told @ matrix[:, :2].T + matrix[:, 2]
        return cls(
            x=float(placed[0, 0]),
            y=float(placed[0, 1]),
            side=max(width, height) * float(np.hypot(*matrix[:, 0])),
            eyes=placed[1:].astype(np.float32),
            score=score,
        )

    @property
    def region(self) -> Region:
        """The region to read this face's mesh from."""
        return Region(x=self.x, y=self.y, side=MARGIN * self.side, turn=_turn(*self.eyes))


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """The output of a mesh network."""

    points: Floats
    """(478, 3) in pixels of the frame."""
    presence: float
    """How sure the network is that a face is there, 0..1."""
    scores: Floats | None = None
    """(52,) blendshape scores, where the tracker has them."""

    @cached_property
    def region(self) -> Region:
        """The region to read this face's mesh from in the next frame."""
        low, high = self.points[:, :2].min(axis=0), self.points[:, :2].max(axis=0)
        x, y = (low + high) / 2
        right, left = self.points[list(landmarks.EYE_OUTER_CORNERS), :2]
        side = MARGIN * float((high - low).max())
        return Region(x=float(x), y=float(y), side=side, turn=_turn(right, left))


def _even_part(middle: float, reach: float, size: int) -> tuple[int, int]:
    """First pixel, and even count, of the pixels within `reach` of `middle`, of `size` pixels."""
    low = int(np.clip(middle - reach, 0, max(0, size - 2)))
    high = int(np.clip(middle + reach + 1, min(low + 2, size), size))
    return low, max(1, (high - low) // 2 * 2)


def overlap(one: Region, two: Region) -> float:
    """Shared area of two faces' boxes over their joint area, 0..1; turns are ignored."""
    a, b = one.side / MARGIN, two.side / MARGIN
    wide = min(one.x + a / 2, two.x + b / 2) - max(one.x - a / 2, two.x - b / 2)
    high = min(one.y + a / 2, two.y + b / 2) - max(one.y - a / 2, two.y - b / 2)
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / (a * a + b * b - wide * high)


def whole(rgb: Picture, *, zoom: float = 1.0, turn: float = 0.0) -> Region:
    """The square around the whole frame; a `zoom` below 1 leaves a margin around it."""
    height, width = rgb.shape[:2]
    return Region(x=width / 2, y=height / 2, side=max(width, height) / zoom, turn=turn)


def _turn(right: Floats, left: Floats) -> float:
    return float(np.arctan2(left[1] - right[1], left[0] - right[0]))
