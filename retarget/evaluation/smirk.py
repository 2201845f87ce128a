"""SMIRK: FLAME expression parameters, for AED.

AED is the mean absolute difference of a 3D face model's expression parameters as SMIRK reads them
(so in LivePortrait's and PerformRecast's tables). Where SMIRK also drove the result, as it does in
the diffusion generator, AED is no independent witness.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from retarget.evaluation.values import Floats
from retarget.extras import extra
from retarget.flow import flame


class Smirk:
    """The published expression encoder.

    Args:
        file: SMIRK_em1.pt.

    Raises:
        MissingModel: the file holds something else.
        MissingPackage: torch is not installed.
    """

    def __init__(self, file: Path) -> None:
        with extra("diffusion", purpose="SMIRK"):
            from retarget.generate.diffusion import align
            from retarget.generate.diffusion.smirk import SmirkEncoder
        self._align = align
        self._encoder = SmirkEncoder(file)

    def read(self, rgb: npt.NDArray[np.uint8], mesh: Floats | None) -> Floats:
        """(50,) expression of the face whose mesh (478, 2) in pixels is given; NaN without one."""
        if mesh is None:
            return np.full(flame.EXPRESSION.stop, np.nan)
        crop = self._align.cut(rgb, self._align.smirk(mesh), smooth=False)
        return self._encoder.read([crop])[0].parameters[flame.EXPRESSION].astype(np.float64)
