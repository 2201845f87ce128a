"""Smooth steps from 0 to 1 with slope 0 at both ends."""

from __future__ import annotations

from typing import TypeVar

from retarget.flow.arrays import Doubles, Floats

_Share = TypeVar("_Share", float, Floats, Doubles)


def eased(share: _Share) -> _Share:
    """0..1 to 0..1, slow at both ends (cubic)."""
    return share * share * (3 - 2 * share)


def smoothstep(low: float, high: float, x: float) -> float:
    """0 below low, 1 above high, smooth between."""
    return eased(min(max((x - low) / (high - low), 0.0), 1.0))
