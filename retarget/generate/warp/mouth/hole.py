"""The opening between the lips in one frame, and layers composited into it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from retarget.flow.arrays import Doubles, Floats
from retarget.generate.warp.mouth.teeth import Layer
from retarget.generate.warp.paint import blurred, box_of, fill, per_channel, placed
from retarget.generate.warp.rims import Rims

UNSEEN = 1 / 512
"""Opacity below which a layer changes no pixel."""
_ALL = np.float32(1)


@dataclass(frozen=True, eq=False)
class Hole:
    """The opening between the lips in one frame, in pixels of the crop."""

    rims: Rims
    box: tuple[slice, slice]
    """Rows and columns of the crop."""
    depth: Floats
    """(h, w) distance to the nearest lip in pixels, 0 outside."""
    alpha: Floats
    """(h, w) coverage of each pixel by the opening, 0..1."""

    @property
    def corner(self) -> tuple[int, int]:
        """(left, top) of the box in the crop."""
        return self.box[1].start, self.box[0].start

    @cached_property
    def place(self) -> Floats:
        """(h, w) from the middle of the mouth, in its widths, to the right in the picture."""
        return self.rims.place_along(self.box)

    @classmethod
    def between(cls, rims: Rims, shape: tuple[int, ...]) -> Hole | None:
        """The opening between rims in a crop of this shape; None where it is outside the crop."""
        fine = rims.smooth
        outline = fine.outline
        box = box_of(outline, 4, shape)
        if box is None:
            return None
        rows, columns = box
        solid = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        fill(solid, outline - np.array([columns.start, rows.start], np.float32))
        depth = np.asarray(cv2.distanceTransform(solid // 128, cv2.DIST_L2, 3), np.float32)
        alpha = blurred(solid, 0.4 + 0.006 * rims.width).astype(np.float32) / 255
        return cls(fine, box, depth, alpha)


def lay(
    inside: Floats, layer: Layer, place: Doubles, hole: Hole, share: Floats | np.float32 = _ALL
) -> None:
    """Composite a layer, moved by `place`, over the hole with opacity `share`, 0..1."""
    if np.max(share) < UNSEEN:
        return
    to_hole = place.copy()
    to_hole[:, 2] += place[:, :2] @ layer.corner - hole.corner
    rows, columns = inside.shape[:2]
    drawn = placed(layer.rgba, to_hole, (columns, rows)).astype(np.float32)
    inside *= per_channel((1 - share * drawn[..., 3:] / np.float32(255))[..., 0])
    inside += share * drawn[..., :3]
