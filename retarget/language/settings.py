"""How fast expressions come and go, and how the eyes blink."""

from __future__ import annotations

from dataclasses import dataclass

from retarget.flow.declared import AsDeclared, check_range

MOST_LAG = 200
"""The most milliseconds that one side of a face may lag behind the other."""


@dataclass(frozen=True, kw_only=True)
class PaceSettings(AsDeclared):
    """Times of steps that do not give their own."""

    hold_ms: float = 1000.0
    """How long a step without a time of its own lasts, the change into it included."""
    travel_ms: float = 400.0
    """How long an ordinary change takes, at most half of its step."""
    lag_ms: float = 0.0
    """How much later the left side of the face moves; negative: the right side."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("hold_ms", self.hold_ms, 1.0, 600_000.0)
        check_range("travel_ms", self.travel_ms, 0.0, 600_000.0)
        check_range("lag_ms", self.lag_ms, -MOST_LAG, MOST_LAG)


@dataclass(frozen=True, kw_only=True)
class BlinkSettings(AsDeclared):
    """Blinks of human statistics (Bentivoglio 1997; Kwon 2013), the same for the same seed."""

    blinks: bool = False
    """Whether the eyes blink."""
    per_minute: float = 17.0
    """Blinks a minute: about 17 at rest, 26 while talking, 5 while reading."""
    partial: float = 0.52
    """Share of blinks that do not close the eye wholly."""
    during_events: bool = False
    """Whether a blink may fall into an expression that has an onset and an offset."""
    seed: int = 0
    """Seed of the random times."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("per_minute", self.per_minute, 0.0, 120.0)
        check_range("partial", self.partial, 0.0, 1.0)
