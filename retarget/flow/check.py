"""One-line checks, so that a value with the wrong shape or type cannot be made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from retarget.flow.arrays import Reals


def check_array(
    name: str, array: npt.NDArray[np.generic], shape: Sequence[int | None], dtype: npt.DTypeLike
) -> None:
    """Refuse an array whose shape (None: any length) or dtype is not the promised one."""
    if array.shape == shape and array.dtype == dtype:
        return  # as nearly always, dozens of times for each frame
    fits = len(array.shape) == len(shape) and all(
        want is None or want == got for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype != np.dtype(dtype):
        wanted = str(tuple(shape)).replace("None", "any")
        raise ValueError(
            f"{name} must be {wanted} {np.dtype(dtype)}, got {array.shape} {array.dtype}"
        )


def check_finite(name: str, array: Reals) -> None:
    """Refuse an array that holds NaN or infinity."""
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity")
