"""Where a file's clock begins."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer

_BROADCAST_CLOCK = 0x0200  # AVFMT_TS_DISCONT: counts from anywhere, so its zero means nothing


def zero_of(container: InputContainer) -> Fraction:
    """Seconds on the container's clock at which it begins."""
    if int(container.format.flags) & _BROADCAST_CLOCK and container.start_time:
        return Fraction(container.start_time, 1_000_000)
    return Fraction(0)
