"""ArcFace: who it is, by the network that papers report (CSIM, ID-SIM).

Networks come with insightface's packs, which are for non-commercial research and are never
fetched here; a pack that lies in insightface's own folder is used through onnxruntime.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from retarget.evaluation.tasks_face import model_file
from retarget.evaluation.values import Floats
from retarget.extras import extra

_PACKS = (
    "antelopev2/glintr100.onnx",
    "antelopev2/antelopev2/glintr100.onnx",
    "buffalo_l/w600k_r50.onnx",
    "buffalo_s/w600k_mbf.onnx",
)
_PLACES = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""Where ArcFace was trained to see both eyes, nose tip and mouth corners in 112x112 pixels."""


class ArcFace:
    """One recognition network in ONNX."""

    def __init__(self, network: Path) -> None:
        with extra("diffusion", purpose="ArcFace"):
            import onnxruntime
        self.name = f"ArcFace {network.parent.name}/{network.name}"
        self._session: Any = onnxruntime.InferenceSession(
            str(network), providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    @classmethod
    def find(cls, given: Path | None) -> ArcFace | None:
        """The network at `given`, else one of insightface's packs, else None."""
        folder = Path.home() / ".insightface" / "models"
        if given is not None:
            return cls(model_file(given, "arcface"))
        found = next((p for p in (folder / pack for pack in _PACKS) if p.is_file()), None)
        return cls(found) if found is not None else None

    def embedding(self, rgb: npt.NDArray[np.uint8], points: Floats) -> Floats:
        """Unit vector of the face whose 68 dlib points these are."""
        chip = aligned(rgb, points).astype(np.float32)
        batch = ((chip - 127.5) / 127.5).transpose(2, 0, 1)[None]
        out = np.asarray(self._session.run(None, {self._input: batch})[0][0], float)
        unit: Floats = out / np.linalg.norm(out)
        return unit


def aligned(rgb: npt.NDArray[np.uint8], points: Floats) -> npt.NDArray[np.uint8]:
    """(112, 112, 3) the face laid where ArcFace expects it, by a similarity of five points."""
    five = np.array(
        [points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]]
    )
    matrix = similarity(five, _PLACES)
    return np.asarray(cv2.warpAffine(rgb, matrix, (112, 112)), np.uint8)


def similarity(source: Floats, target: Floats) -> Floats:
    """(2, 3) least-squares similarity from points (n, 2) to points (n, 2) (Umeyama 1991)."""
    a, b = source - source.mean(0), target - target.mean(0)
    turn = complex((a * b).sum(), (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum())
    turn /= max(float((a**2).sum()), 1e-12)
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([linear, target.mean(0) - linear @ source.mean(0)])
