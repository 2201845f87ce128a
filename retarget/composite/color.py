"""Match the light and colour of a generated crop to the identity's frame."""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow.arrays import Floats, Picture

_MAX_GAIN = 1.6
_LEAST_PIXELS = 64


def match_color(face: Picture, frame: Picture, weight: Floats) -> Picture:
    """Match mean and standard deviation of each CIE Lab channel (Reinhard et al. 2001).

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
