"""SMIRK: expression and pose of a 3D face model, for AED and APD.

AED and APD are mean absolute differences of a 3DMM regressor's expression and pose parameters
(SMIRK in LivePortrait's and PerformRecast's tables). Its file is never fetched here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from retarget.errors import MissingModel
from retarget.evaluation.arcface import similarity
from retarget.evaluation.tasks_face import model_file
from retarget.evaluation.values import Floats
from retarget.extras import extra

NAME = "SMIRK"
POSE = 3
"""The last columns of `Smirk.read`."""
_SIDE = 224


class Smirk:
    """A SMIRK encoder in TorchScript.

    It takes (1, 3, 224, 224) RGB in 0..1 and returns a dict with `expression_params` (1, 50),
    `jaw_params` (1, 3), `eyelid_params` (1, 2) and `pose_params` (1, 3), as the original does.
    """

    def __init__(self, file: Path) -> None:
        with extra("diffusion", purpose="SMIRK"):
            import torch
        self._torch: Any = torch
        try:
            self._encoder: Any = self._torch.jit.load(str(file), map_location="cpu").eval()
        except RuntimeError as problem:
            raise MissingModel(
                f"{file} is no TorchScript module.",
                do="Export the SMIRK encoder with torch.jit.trace, or leave evaluate.smirk out.",
            ) from problem

    @classmethod
    def find(cls, given: Path | None) -> Smirk | None:
        """The encoder at `given`; None where none was given."""
        return cls(model_file(given, "smirk")) if given is not None else None

    def read(self, rgb: npt.NDArray[np.uint8], points: Floats | None) -> Floats:
        """(58,) expression, jaw and eyelids, then pose; NaN without a face."""
        if points is None:
            return np.full(58, np.nan)
        low, high = points.min(0), points.max(0)
        side = 1.4 * float((high - low).max())
        middle = (low + high) / 2
        corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
        matrix = similarity(middle + corners * side, (corners + 0.5) * _SIDE)
        crop = cv2.warpAffine(rgb, matrix, (_SIDE, _SIDE), flags=cv2.INTER_AREA)
        tensor = self._torch.from_numpy(np.asarray(crop)).permute(2, 0, 1)[None].float() / 255
        with self._torch.inference_mode():
            out = self._encoder(tensor)
        names = ("expression_params", "jaw_params", "eyelid_params", "pose_params")
        rows: Floats = np.concatenate([out[n][0].numpy().ravel() for n in names]).astype(float)
        return rows
