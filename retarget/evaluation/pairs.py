"""Pair each result frame with the driving frame nearest in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retarget.errors import UnreadableInput
from retarget.evaluation.values import Observed
from retarget.flow.arrays import Bools, Doubles, Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Rows of the driving and of the result that are shown at the same moment."""

    driving: Ints
    """(m,) rows of the driving video, rising."""
    result: Ints
    """(m,) rows of the result, rising."""
    seconds: Doubles
    """(m,) since the result's first frame."""

    def __len__(self) -> int:
        return len(self.seconds)


def pair(driving: Observed, result: Observed, start: float = 0.0) -> Pairs:
    """Pair by time since each one's first frame; each result frame is used once.

    A result frame further than a driving frame's duration from any driving frame, where one of the
    two is longer, is left out.

    Args:
        driving: what drives.
        result: what was made.
        start: second of the driving video at which the result begins.

    Raises:
        UnreadableInput: no frame of one is shown together with a frame of the other.
    """
    times = driving.times - start
    right = np.clip(np.searchsorted(times, result.times), 1, max(len(times) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(times) - 1)
    nearer_left = np.abs(times[left] - result.times) <= np.abs(times[right] - result.times)
    nearest = np.where(nearer_left, left, right)
    reach = max(driving.spacing, result.spacing, 1e-3)
    near = np.flatnonzero(np.abs(times[nearest] - result.times) < reach)
    if len(near) == 0:
        raise UnreadableInput(
            f"No frame of {result.path} is shown together with a frame of {driving.path}.",
            do="Check that they belong together, and where the result starts (--start).",
        )
    return Pairs(driving=nearest[near], result=near, seconds=result.times[near])


def both(driving: Doubles, result: Doubles) -> Bools:
    """(m,) rows in which neither holds NaN."""
    return np.asarray(
        ~(
            np.isnan(driving).reshape(len(driving), -1).any(axis=1)
            | np.isnan(result).reshape(len(result), -1).any(axis=1)
        )
    )
