"""Settings of reading videos and pictures."""

from __future__ import annotations

from dataclasses import dataclass

from retarget.flow.declared import AsDeclared, Kept, check_range
from retarget.flow.spoken_time import seconds_of
from retarget.source.bounds import MAX_SIDE

LONGEST = 1e9
"""Seconds (30 years), within the range of ticks in 64 bits."""
SMALLEST = 64
"""The smallest longer side of a picture in pixels."""


@dataclass(frozen=True, kw_only=True)
class SourceSettings(AsDeclared):
    """Which piece to read, and how."""

    start: Kept[float] = 0.0
    """Seconds (or 1:02.5) to leave out at the beginning; the first frame is not before that."""
    end: Kept[float] | None = None
    """Second (or 1:02.5) at which to stop; the frame shown at that moment is left out."""
    picture_rate: float = 25.0
    """Frames per second of a folder of pictures: 24, or 23.976 for 24000/1001."""
    longest_side: int | None = None
    """Longer side in pixels of the pictures, driving and identity's, at most: larger ones are
    shrunk as they are read. Left out, the result is as large as the identity's picture."""
    background: str = "#ffffff"
    """Colour behind transparent pixels, as #rrggbb."""
    patience: float = 20.0
    """Seconds to wait for a remote video that does not answer."""

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            given = getattr(self, name)
            if isinstance(given, str) and (seconds := seconds_of(given)) is not None:
                object.__setattr__(self, name, seconds)
        super().__post_init__()
        check_range("picture_rate", self.picture_rate, 0.01, 1000.0)
        check_range("patience", self.patience, 0.01, LONGEST)
        if self.longest_side is not None:
            check_range("longest_side", self.longest_side, SMALLEST, MAX_SIDE)
