"""Names for the array types that every room uses."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
"""Any real array, whatever its precision."""
Picture: TypeAlias = npt.NDArray[np.uint8]
"""(height, width, 3) RGB, upright, sRGB."""
