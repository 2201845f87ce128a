"""Settings of the warp generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from retarget.flow.declared import AsDeclared, check_range


@dataclass(frozen=True, kw_only=True)
class WarpSettings(AsDeclared):
    """How the photo's own pixels are moved."""

    driving_mouth: bool = True
    """Show the driving frame's inside of the mouth where at hand; off: draw teeth and tongue."""
    creases: float = 1.0
    """How deep an expression folds the skin, between lowered brows or beside a smile: 1 as on an
    average face, 0 not at all, up to 2."""
    wrinkles: float = 0.0
    """How strongly the folds of the driving skin are drawn on the photo's, 0..1; as far as they
    are, they take the place of creases."""
    background: Literal["still", "along"] = "still"
    """Behind a photo's head that moves, or a face that is turned aside: keep still (what was hidden
    is filled in from around it), or bend along, which needs no segmentation of the person.
    """
    threads: int = 0
    """Frames drawn at the same time; the pixels do not depend on it. 0: two of a large face, whose
    drawing takes longest of all stages, else one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("creases", self.creases, 0.0, 2.0)
        check_range("wrinkles", self.wrinkles, 0.0, 1.0)
        check_range("threads", self.threads, 0, 64)
