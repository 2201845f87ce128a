"""SMIRK: FLAME's expression and head pose, for AED and APD.

AED is the mean absolute difference of the expression parameters of a 3D face model (50 of
expression, 2 eyelids, 3 of the jaw), APD that of the head's rotation in radians, both as SMIRK
reads them: so in LivePortrait's and PerformRecast's tables (PIRenderer, ICCV 2021, began it with
another model, whose numbers are of another size). Where SMIRK also drove the result, as it does
in the diffusion generator, AED is not independent.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from retarget.extras import extra
from retarget.flow import flame
from retarget.flow.arrays import Doubles, Picture

TURN = 3
"""Numbers of a head's rotation: axis times angle."""


class Smirk:
    """The published encoders of expression and of pose, as SMIRK_em1.pt holds them.

    Raises:
        MissingModel: the file holds something else.
        MissingPackage: torch is not installed.
    """

    def __init__(self, file: Path) -> None:
        with extra("diffusion", purpose="SMIRK"):
            from retarget.generate.diffusion import align
            from retarget.generate.diffusion.smirk import SmirkEncoder, SmirkPoseEncoder
        self._align = align
        self._expression, self._pose = SmirkEncoder(file), SmirkPoseEncoder(file)

    def read(self, rgb: Picture, mesh: Doubles | None) -> tuple[Doubles, Doubles]:
        """(55,) expression and (3,) radians of the face whose mesh (478, 2) in pixels is given.

        NaN without a mesh.
        """
        if mesh is None:
            return np.full(flame.COUNT, np.nan), np.full(TURN, np.nan)
        crop = self._align.cut(rgb, self._align.smirk(mesh), smooth=False)
        does = self._expression.read([crop])[0].parameters.astype(np.float64)
        return does, np.asarray(self._pose.read([crop])[0], np.float64)
