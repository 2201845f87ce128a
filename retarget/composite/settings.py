"""How a generated face is put back into its picture."""

from __future__ import annotations

from dataclasses import dataclass

from retarget.flow.declared import AsDeclared


@dataclass(frozen=True, kw_only=True)
class PasteSettings(AsDeclared):
    """How generated pixels join the photo's own."""

    match_color: bool = True
    """Bring a generated face to the light and colour of the photo around it; the warp generator
    uses the photo's own pixels and needs none."""
