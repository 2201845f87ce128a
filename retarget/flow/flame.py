"""FLAME's expression parameters, and the conversion of blendshapes to them.

FLAME (Li et al. 2017) describes a face by principal components of scans. SMIRK (Retsinas et al.,
CVPR 2024) reads 55 such numbers off a picture: 50 components of expression, 2 eyelids (left,
right), 3 of jaw rotation. They carry no head pose and no gaze.

The other basis in use is the 52 ARKit blendshapes. A linear map from those to FLAME exists for
research use; users fetch it, and it is checked against its published digest before use.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retarget.errors import MissingModel
from retarget.flow import blendshapes
from retarget.flow.arrays import Floats, Reals
from retarget.flow.check import check_array, check_finite
from retarget.flow.values import Expression

EXPRESSION, EYELIDS, JAW = slice(0, 50), slice(50, 52), slice(52, 55)
COUNT = 55
JAW_SIDEWAYS = 0.2
"""Radians: the largest jaw rotation to a side."""

MAP_FILES = {
    "bs2exp.npy": "5ab129a700b541d4dcc18929ee1c2ca7d029f9544668afb39d2a7fc96440bf05",
    "bs2jaw.npy": "271d184bc968c2ca292e0f26ae30ad39ddd6d92bc24531192214855bfbbbf8fa",
}
"""The map's files and their published SHA-256."""

_MAX_BYTES = 1 << 20
_EYES = (blendshapes.INDEX["eyeBlinkLeft"], blendshapes.INDEX["eyeBlinkRight"])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlameExpression:
    """What a face does, in FLAME's own basis."""

    parameters: Floats
    """(55,) 50 of expression, 2 eyelids 0 open..1 shut (left, right), 3 of jaw in radians
    (opening 0 or more, then sideways -0.2..0.2)."""

    def __post_init__(self) -> None:
        check_array("parameters", self.parameters, (COUNT,), np.float32)
        check_finite("parameters", self.parameters)

    @classmethod
    def rest(cls) -> FlameExpression:
        """FLAME's own mean face: all zeros, which is not any one person's rest."""
        return cls(parameters=np.zeros(COUNT, np.float32))

    @classmethod
    def limited(cls, raw: Reals) -> FlameExpression:
        """From (55,) unlimited numbers, with SMIRK's limits of eyelids and jaw applied."""
        out = raw.astype(np.float32)
        out[EYELIDS] = np.clip(out[EYELIDS], 0.0, 1.0)
        out[JAW.start] = max(out[JAW.start], 0.0)
        out[JAW.start + 1 :] = np.clip(out[JAW.start + 1 :], -JAW_SIDEWAYS, JAW_SIDEWAYS)
        return cls(parameters=out)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlameMap:
    """A linear map from the 52 blendshapes to FLAME."""

    expression: Floats
    """(52, 50) in the order of `blendshapes.NAMES`."""
    jaw: Floats
    """(52, 3) radians."""

    def __post_init__(self) -> None:
        check_array("expression", self.expression, (blendshapes.COUNT, 50), np.float32)
        check_array("jaw", self.jaw, (blendshapes.COUNT, 3), np.float32)

    @classmethod
    def load(cls, folder: Path) -> FlameMap:
        """Read the published map.

        Raises:
            MissingModel: a file is absent or is not the published one.
        """
        rows = [_rows(folder / name, digest) for name, digest in MAP_FILES.items()]
        expression, jaw = (np.ascontiguousarray(m, dtype=np.float32) for m in rows)
        return cls(expression=np.ascontiguousarray(expression[:, :50]), jaw=jaw[:, :3])

    def to_flame(self, expression: Expression) -> FlameExpression:
        """The same expression in FLAME's basis; the eyelids are the two blink weights."""
        weights = expression.weights
        parts = (weights @ self.expression, weights[list(_EYES)], weights @ self.jaw)
        return FlameExpression.limited(np.concatenate(parts))


def _rows(path: Path, digest: str) -> Reals:
    """One matrix with its rows in our order; MediaPipe's has `_neutral` first and no tongue."""
    if not path.is_file():
        raise MissingModel(
            f"{path} is missing; expressions without pixels need it for the diffusion generator.",
            do="It is for research use only: fetch it with `retarget models pull flame-map`.",
        )
    data = path.read_bytes() if path.stat().st_size <= _MAX_BYTES else b""
    if hashlib.sha256(data).hexdigest() != digest:
        raise MissingModel(
            f"{path} is not the published file: its SHA-256 differs.",
            do="Delete it and fetch it again with `retarget models pull flame-map`.",
        )
    try:
        matrix = np.load(io.BytesIO(data), allow_pickle=False)
    except ValueError as wrong:
        raise MissingModel(f"{path} does not hold numbers.", do="Use the published map.") from wrong
    return _in_our_order(matrix, path)


def _in_our_order(matrix: Reals, path: Path) -> Reals:
    if matrix.ndim != 2 or matrix.shape[0] != blendshapes.COUNT:
        raise MissingModel(f"{path} is {matrix.shape}, not 52 rows.", do="Use the published map.")
    tongue = np.zeros_like(matrix[:1])
    return np.concatenate([matrix[1:], tongue])
