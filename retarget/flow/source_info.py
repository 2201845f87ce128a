"""What is known about a piece of video before its first frame is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo:
    """What one source will give, as far as it can be known beforehand."""

    name: str
    """As the person wrote it, for messages."""
    size: tuple[int, int]
    """(width, height) of its frames in pixels: upright, pixels square."""
    time_base: Fraction
    """Seconds in one tick of its frames' time stamps."""
    rate: Fraction | None
    """Frames per second: exact where it is constant, else the average; None for one picture."""
    count: int | None = None
    """About how many frames it gives, for a progress bar; None where nobody knows."""
    duration: Fraction | None = None
    """About how many seconds it lasts; None where nobody knows."""
    cut: bool = False
    """True where a later start was asked for: a copy then begins at 0 with its first frame. Else
    time stamps are kept as they are, a late start included."""
    still: bool = False
    """True for one picture that has no time."""
