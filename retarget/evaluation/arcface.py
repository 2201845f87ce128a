"""ArcFace embeddings of faces, by the networks that papers report (CSIM, ID-SIM).

The networks are licensed for non-commercial research and are never fetched here; one that lies in
the models folder or in insightface's own is used.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from retarget.flow.arrays import Doubles, Picture
from retarget.generate.diffusion.identity import Recogniser

PACKS = (
    "antelopev2/glintr100.onnx",
    "antelopev2/antelopev2/glintr100.onnx",
    "buffalo_l/w600k_r50.onnx",
    "buffalo_s/w600k_mbf.onnx",
)
"""insightface's recognisers in its own folder, the best first."""


class ArcFace:
    """One recognition network in ONNX."""

    def __init__(self, network: Path) -> None:
        self.name = f"ArcFace {network.parent.name}/{network.name}"
        self._recogniser = Recogniser(network)

    def embedding(self, rgb: Picture, points: Doubles) -> Doubles:
        """(512,) of unit length: the face whose 68 dlib points these are."""
        return self._recogniser(rgb, five_points(points)).astype(np.float64)


def five_points(points: Doubles) -> Doubles:
    """(5, 2) right eye, left eye, nose tip, right and left mouth corner of 68 points."""
    return np.array(
        [points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]]
    )
