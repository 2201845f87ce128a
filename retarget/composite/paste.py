"""Put each generated face back into its picture, at the picture's full resolution.

A crop whose pixels are the frame's own (the warp generator's) is copied; any other is laid over
the frame by its similarity, with its mask as the share of new pixels. What lies outside the crop
stays as it was, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from retarget.composite.color import match_color
from retarget.composite.settings import PasteSettings
from retarget.flow.arrays import Picture
from retarget.flow.crop import Crop
from retarget.flow.values import FinishedFrame, GeneratedFace, VideoFrame


class Paste:
    """Finish each frame."""

    name = "paste"

    def __init__(self, settings: PasteSettings) -> None:
        self.settings = settings

    def __call__(self, frames: Iterator[GeneratedFace]) -> Iterator[FinishedFrame]:
        """One finished frame for each generated face, in order."""
        for face in frames:
            request = face.request
            rgb = request.identity.frame.rgb.copy()
            self._lay(rgb, face)
            frame = VideoFrame(
                rgb=rgb, index=request.index, at=request.at, duration=request.duration
            )
            yield FinishedFrame(frame=frame, request=request)

    def _lay(self, rgb: Picture, face: GeneratedFace) -> None:
        offset = face.crop.offset
        if offset is not None and face.mask is None:
            left, top = offset
            height, width = face.rgb.shape[:2]
            rgb[top : top + height, left : left + width] = face.rgb
            return
        self._blend(rgb, face)

    def _blend(self, rgb: Picture, face: GeneratedFace) -> None:
        height, width = rgb.shape[:2]
        left, top, right, bottom = _reach(face.crop, width, height)
        if right <= left or bottom <= top:
            return
        matrix = face.crop.to_frame.copy()
        matrix[:, 2] -= (left, top)
        size = (right - left, bottom - top)
        mask = face.mask
        if mask is None:
            mask = np.full(face.rgb.shape[:2], 255, np.uint8)
        share = cv2.warpAffine(mask, matrix, size).astype(np.float32) / 255
        laid = _placed(face.rgb, matrix, size)
        below = rgb[top:bottom, left:right]
        if self.settings.match_color:
            laid = match_color(laid, below, share)
        mixed = below + share[..., None] * (laid.astype(np.float32) - below)
        rgb[top:bottom, left:right] = np.rint(mixed).astype(np.uint8)


def _placed(face: Picture, matrix: npt.NDArray[np.float64], size: tuple[int, int]) -> Picture:
    """`face` laid out by `matrix` (2, 3); one that shrinks is averaged down first."""
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

    Its outermost pixels fade over the whole way to where their neighbours would lie.
    """
    w, h = crop.size
    corners = crop.points_to_frame(np.array([[-1, -1], [w, -1], [-1, h], [w, h]], np.float64))
    low = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(0)).astype(int), (width, height))
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
