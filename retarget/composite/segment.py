"""About which pixels are a person: MediaPipe's selfie segmentation, run by OpenCV.

The network's file comes with this project, for newer releases of mediapipe come without it. OpenCV
gives what MediaPipe's own graph does to four digits; only where the picture is laid on the
network's pixels the graph is up to half of one of those off.
"""

from __future__ import annotations

from importlib.resources import files

import cv2
import numpy as np

from retarget.flow.arrays import Floats, Picture

_SIDE = 256


class Segmenter:
    """The network, opened when it is first asked; not to be asked by two threads at once."""

    def __init__(self) -> None:
        self._network: cv2.dnn.Net | None = None

    def __call__(self, rgb: Picture) -> Floats:
        """(height, width) how likely each pixel of a picture (height, width, 3) is a person's."""
        if self._network is None:
            model = (files("retarget") / "data" / "selfie_segmentation.tflite").read_bytes()
            self._network = cv2.dnn.readNetFromTFLite(np.frombuffer(model, np.uint8))
        small = cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR)
        self._network.setInput(cv2.dnn.blobFromImage(small, 1 / 255))
        mask = self._network.forward()[0, 0]
        return np.asarray(cv2.resize(mask, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR))
