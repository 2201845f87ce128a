"""The smooth way from nothing to all, with level ends."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

_Share = TypeVar("_Share", float, npt.NDArray[np.float32], npt.NDArray[np.float64])


def eased(share: _Share) -> _Share:
    """0..1 to 0..1, slow at both ends (cubic)."""
    return share * share * (3 - 2 * share)


def smoothstep(low: float, high: float, x: float) -> float:
    """0 below low, 1 above high, smooth between."""
    return eased(min(max((x - low) / (high - low), 0.0), 1.0))
