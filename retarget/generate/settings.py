"""How the generators are set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WarpSettings:
    """How the photo's own pixels are moved."""

    driving_mouth: bool = True
    """Take the inside of the mouth from the driving frame where its pixels are at hand; off: always
    draw teeth and tongue."""
    threads: int = 2
    """Frames drawn at the same time; the pixels do not depend on it."""

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= 64:
            raise ValueError(f"threads must lie in 1 to 64, got {self.threads}")
