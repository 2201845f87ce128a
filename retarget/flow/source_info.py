"""What is known about a source before its first frame is read."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo:
    """The properties of a source, as far as they are known beforehand."""

    name: str
    """The source as the user named it, for messages."""
    size: tuple[int, int]
    """(width, height) of its frames in pixels: upright, pixels square."""
    time_base: Fraction
    """Seconds in one tick of its frames' time stamps."""
    rate: Fraction | None
    """Frames per second: exact where it is constant, else the average; None for one picture."""
    count: int | None = None
    """Approximate number of frames, for a progress bar; None where unknown."""
    duration: Fraction | None = None
    """Approximate duration in seconds; None where unknown."""
    cut: bool = False
    """True where `--start` cuts off the beginning: the output then begins at 0. Otherwise time
    stamps are kept, a late start included."""
    timecode: str | None = None
    """SMPTE timecode of the first frame; None where the source has none."""
    still: bool = False
    """True for one picture that has no time."""
