"""How strongly, and in which way, the identity follows the driving face."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal

from retarget.flow.declared import AsDeclared, check_range

MOST_GAIN = 4.0
"""A larger gain would only drive every movement into its limit."""
MADE_UP = 1.15
"""The strength that makes up for the folds and shadows a warped photo lacks: without them its
expressions look weaker than they are."""


@dataclass(frozen=True, kw_only=True)
class Gains(AsDeclared):
    """How much of each region's movement is transferred: 0 none, 1 as performed, 2 doubled."""

    brows: float = 1.0
    """Raising, lowering and knitting the brows."""
    eyes: float = 1.0
    """Blinking, squinting and widening."""
    gaze: float = 1.0
    """Where the eyes look."""
    mouth: float = 1.0
    """Lips, cheeks and nose."""
    jaw: float = 1.0
    """Opening and shifting the jaw."""
    head: float = 1.0
    """Turning and moving the head; felt with `--motion full` only."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for gain in fields(self):
            check_range(gain.name, getattr(self, gain.name), 0.0, MOST_GAIN)


@dataclass(frozen=True, kw_only=True)
class TransferSettings(AsDeclared):
    """What of the performance the identity does."""

    motion: Literal["expression", "full"] = "expression"
    """expression: the head stays as in the photo; full: it follows the driving head."""
    relative: bool = False
    """Add the performance to the photo's own expression instead of replacing it."""
    lost: Literal["hold", "ease", "neutral"] = "ease"
    """While the driving face is away: hold the last expression, ease to neutral, or be neutral."""
    strength: float = MADE_UP
    """One gain for the whole performance, multiplied with the gains of the regions. 1 moves every
    point as measured (pursed and sideways mouths further: a mesh under-reports them). The default
    is a little more, as a warped photo lacks the folds and shadows of the movement and without them
    looks weaker; the head's own movement lacks none and stays as measured up to the default."""
    detail: float = 1.0
    """How much of the measured shape beyond the 52 blendshapes is passed on, 0 to 1."""
    gain: Gains = field(default_factory=Gains)
    """Gains for single regions."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("strength", self.strength, 0.0, MOST_GAIN)
        check_range("detail", self.detail, 0.0, 1.0)

    @property
    def of_head(self) -> float:
        """What the head's movement is multiplied by: 1 for strengths from 1 to `MADE_UP`."""
        return min(self.strength, max(1.0, self.strength / MADE_UP)) * self.gain.head
