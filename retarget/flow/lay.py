"""Lay a crop's pixels back over the picture it was cut from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Doubles, Floats, Picture
from retarget.flow.crop import Crop

Match: TypeAlias = Callable[[Picture, Picture, Floats], Picture]
"""Adapts new pixels (h, w, 3) to those below, given the new pixels' share (h, w), 0..1."""


def lay(
    below: Picture, above: Picture, crop: Crop, mask: Bytes | None, match: Match | None = None
) -> None:
    """Blend a crop into `below`, in place, by its mask.

    Args:
        below: the frame; it is written into.
        above: the crop's pixels.
        crop: where they belong in the frame.
        mask: (height, width) of the crop, 0..255: the share of new pixels; None: all of them.
        match: changes the new pixels before they are mixed in.
    """
    height, width = below.shape[:2]
    left, top, right, bottom = _reach(crop, width, height)
    if right <= left or bottom <= top:
        return
    matrix = crop.to_frame.copy()
    matrix[:, 2] -= (left, top)
    size = (right - left, bottom - top)
    if mask is None:
        mask = np.full(above.shape[:2], 255, np.uint8)
    share = cv2.warpAffine(mask, matrix, size).astype(np.float32) / 255
    laid = _placed(above, matrix, size)
    under = below[top:bottom, left:right]
    if match is not None:
        laid = match(laid, under, share)
    mixed = under + share[..., None] * (laid.astype(np.float32) - under)
    below[top:bottom, left:right] = np.rint(mixed).astype(np.uint8)


def _placed(face: Picture, matrix: Doubles, size: tuple[int, int]) -> Picture:
    """`face` warped by `matrix` (2, 3); where that shrinks it, it is area-averaged first."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 1:
        height, width = face.shape[:2]
        small = max(1, round(width * scale)), max(1, round(height * scale))
        face = np.asarray(cv2.resize(face, small, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = matrix.copy()
        # Pixel centres are whole numbers: averaging moves them by half a pixel of each scale.
        ratio = np.array([width / small[0], height / small[1]])
        matrix[:, 2] += matrix[:, :2] @ ((ratio - 1) / 2)
        matrix[:, :2] *= ratio
    border = cv2.BORDER_REPLICATE
    out = cv2.warpAffine(face, matrix, size, flags=cv2.INTER_CUBIC, borderMode=border)
    return np.asarray(out, np.uint8)


def _reach(crop: Crop, width: int, height: int) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the crop in a frame of the given size, cut to the frame.

    One pixel more on each side, over which the crop's edge fades out.
    """
    w, h = crop.size
    corners = crop.points_to_frame(np.array([[-1, -1], [w, -1], [-1, h], [w, h]], np.float64))
    low = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(0)).astype(int), (width, height))
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
