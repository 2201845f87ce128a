"""Put each generated face back into its picture, at the picture's full resolution.

A crop on the frame's own pixel grid (the warp generator's) is copied; any other is warped by its
similarity and blended by its mask. Pixels outside the crop stay unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from retarget.composite.settings import PasteSettings
from retarget.flow.arrays import Floats, Picture
from retarget.flow.lay import lay
from retarget.flow.values import FinishedFrame, GeneratedFace, VideoFrame

_MAX_GAIN = 1.6
_LEAST_PIXELS = 64


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
            below = rgb[max(top, 0) :, max(left, 0) :]
            above = face.rgb[max(-top, 0) :, max(-left, 0) :]
            height, width = np.minimum(below.shape[:2], above.shape[:2])
            below[:height, :width] = above[:height, :width]
            return
        match = match_color if self.settings.match_color else None
        lay(rgb, face.rgb, face.crop, face.mask, match)


def match_color(face: Picture, frame: Picture, weight: Floats) -> Picture:
    """Match light and colour: mean and spread of each CIE Lab channel (Reinhard et al. 2001).

    Args:
        face: (h, w, 3) RGB, the generated crop.
        frame: (h, w, 3) RGB, the same part of the frame.
        weight: (h, w) 0..1, weights of the pixels that are compared.

    Returns:
        (h, w, 3) RGB.
    """
    if float(weight.sum()) < _LEAST_PIXELS:
        return face
    made = cv2.cvtColor(face, cv2.COLOR_RGB2LAB).astype(np.float32)
    real = cv2.cvtColor(frame, cv2.COLOR_RGB2LAB).astype(np.float32)
    mask = weight[..., None] / weight.sum()
    made_mean, real_mean = (made * mask).sum((0, 1)), (real * mask).sum((0, 1))
    made_spread = np.sqrt((np.square(made - made_mean) * mask).sum((0, 1)))
    real_spread = np.sqrt((np.square(real - real_mean) * mask).sum((0, 1)))
    gain = np.clip((real_spread + 1.0) / (made_spread + 1.0), 1 / _MAX_GAIN, _MAX_GAIN)
    out = (made - made_mean) * gain + real_mean
    back = cv2.cvtColor(np.clip(out, 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)
    return np.asarray(back, np.uint8)
