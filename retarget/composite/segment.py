"""Roughly segment people: MediaPipe's selfie segmentation, run by OpenCV.

The network's file is part of this project, as newer releases of mediapipe lack it. OpenCV's output
agrees with that of MediaPipe's graph to four digits; only the graph's input is shifted by up to
half a pixel of the network.
"""

from __future__ import annotations

from importlib.resources import files

import cv2
import numpy as np

from retarget.flow.arrays import Floats, Picture

_SIDE = 256


class Segmenter:
    """The network, opened at the first call; not thread-safe."""

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
