"""How strongly, and in which way, the identity follows the driving face."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Gains:
    """How much of each region is passed on: 0 none, 1 as performed, 2 doubled."""

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


@dataclass(frozen=True, kw_only=True)
class TransferSettings:
    """What of the performance the identity does."""

    motion: Literal["expression", "full"] = "expression"
    """expression: the head stays as in the photo; full: it follows the driving head."""
    relative: bool = False
    """Add the performance to the photo's own expression instead of replacing it."""
    lost: Literal["hold", "ease", "neutral"] = "ease"
    """While the driving face is away: hold the last expression, ease to neutral, or be neutral."""
    strength: float = 1.0
    """One gain for the whole performance, multiplied with the gains of the regions."""
    detail: float = 1.0
    """How much of the measured shape beyond the 52 blendshapes is passed on, 0 to 1."""
    gain: Gains = field(default_factory=Gains)
    """Gains for single regions."""
