"""What can be chosen about the file that is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from retarget.flow.declared import AsDeclared, check_range


@dataclass(frozen=True, kw_only=True)
class SinkSettings(AsDeclared):
    """How to write the result."""

    codec: Literal["auto", "h264", "h265", "av1", "vp9", "prores", "ffv1"] = "auto"
    """Video codec; `auto` depends on the output's name: VP9 for .webm, else H.264."""
    quality: int = 75
    """Picture quality, 0 to 100, on one scale for every codec: 50 has visible losses,
    75 hardly any, 90 is good enough to be encoded again. `ffv1` is always lossless."""
    speed: Literal["fast", "balanced", "small"] = "fast"
    """Speed of encoding: `small` is several times slower, for smaller files of equal quality."""
    sound: bool = True
    """Carry the driving video's sound over, if there is one."""
    overwrite: bool = False
    """Replace an existing file."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("quality", self.quality, 0, 100)
