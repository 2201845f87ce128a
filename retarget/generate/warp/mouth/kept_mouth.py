"""How much of the photo's own open mouth is kept between the moved lips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from retarget.flow.arrays import Bytes, Floats
from retarget.flow.ease import smoothstep
from retarget.flow.values import Identity
from retarget.generate.warp.mouth.own_mouth import OwnInside, own_inside
from retarget.generate.warp.mouth.upper_row import row_of_upper_teeth
from retarget.generate.warp.rims import Rims
from retarget.generate.warp.tones import Tones

OPEN_PHOTO = (0.025, 0.05)
"""Gap of the photo's lips beyond rest between which its own interior fades in,"""
TOOTHY, AGAPE = (0.08, 0.2), (0.12, 0.2)
"""limited by the share of it that is teeth, or by how wide it gapes, each fading in between these.
Lips that are only parted show too little to be enlarged."""
STRETCHED, CLOSED = (1.05, 1.25), (0.2, 0.4)
"""Lip width relative to the photo's between which the photo's toothless interior fades out; lip gap
relative to the photo's between which it fades in."""
RAISED = (0.04, 0.055)
"""Rise of the upper lip above the photo's, in eye distances, between which the photo's teeth fade
out: the part that the lip hid is unknown."""
WHOLE_ROW = 0.09
"""Height of a whole upper row, in eye distances: if less of it is visible in the photo, `RAISED` is
reduced in proportion."""
SLIVER = (0.35, 0.6)
"""Share of a whole row between which teeth count at all: a sliver of them lasts for a frame, as
lips pass the height at which it is neither hidden nor outgrown."""
COVERED = (0.3, 0.9)
"""Share of the photo's upper teeth covered by its lip, between which the rest slides up behind it
and vanishes: the edge left over would have an empty mouth below it."""
EMPTY = (0.1, 0.6)
"""Height of the opening below that edge, relative to the photo's teeth, between which this takes
effect. (Relative to the opening, a tremble of nearly shut lips would let teeth flash up.)"""
BEHIND = 0.2
"""How far behind the lip that edge ends up, in the same measure: teeth differ in length."""
UPPER_RIM = [81, 82, 13, 312, 311]


def opened_by(identity: Identity, gap: float) -> float:
    """Whether the photo's mouth is open, 0..1, for its gap in eye distances.

    In a clip it never counts as open: of a person who talks, each picture would show another mouth.
    """
    return 0.0 if identity.passing else smoothstep(*OPEN_PHOTO, gap - identity.rest.lip_gap)


def toothy_by(teeth: float) -> float:
    """Whether it shows teeth, 0..1, for their share of the opening."""
    return smoothstep(*TOOTHY, teeth)


class Kept(NamedTuple):
    """What is kept of it in one frame."""

    share: float
    """Its opacity, 0..1."""
    hidden: float
    """How far what a lip leaves of its teeth has slid up behind that lip, 0..1,"""
    slid: float
    """and by how many pixels."""
    upper: float
    """How much its upper teeth count, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeptMouth:
    """The photo's own mouth, if it is open."""

    inside: OwnInside | None
    """Its interior; None where it is not used."""
    toothy: float
    """How far its teeth count, 0..1."""
    agape: float
    """How far its throat counts, 0..1."""
    lips: Rims
    """Of the photo."""
    unit: float
    """Eye distance in pixels."""

    @classmethod
    def of(
        cls, photo: Bytes, lips: Rims, tones: Tones, *, unit: float, opened: float, teeth: float,
        gum: Floats,
    ) -> KeptMouth:  # fmt: skip
        """That of a photo.

        Args:
            photo: (height, width, 3) the crop.
            lips: its lips.
            tones: the colours around them.
            unit: eye distance in pixels.
            opened: as `opened_by` tells.
            teeth: their share of the opening.
            gum: (3,) colour of the gum, 0..255.
        """
        toothy = opened * toothy_by(teeth)
        agape = opened * smoothstep(*AGAPE, lips.gap / unit)
        inside = None
        if max(toothy, agape) > 0:
            row = row_of_upper_teeth(photo, lips, tones, until=0.5)
            inside = own_inside(photo, lips, unit, row=row, teeth=toothy_by(teeth), gum=gum)
        if inside is not None:
            toothy *= smoothstep(*SLIVER, _known(inside, unit))
        return cls(inside=inside, toothy=toothy, agape=agape, lips=lips, unit=unit)

    @property
    def worth(self) -> float:
        """How much of it can be kept at all, 0..1."""
        return max(self.toothy, self.agape)

    def between(self, now: Rims, moved: Floats) -> Kept:
        """How much is kept between the moved lips.

        Its teeth are kept until the lip bares parts that the photo hides; a tongue and a throat
        only while the mouth has a similar shape.

        Args:
            now: the moved lips.
            moved: (n, 2) how far an expression moves each point of the mesh.
        """
        if self.inside is None:
            return Kept(0.0, 0.0, 0.0, 0.0)
        row = self.inside.row
        raised = moved[UPPER_RIM] @ -self.lips.down
        least = _known(self.inside, self.unit) * self.unit
        bared = smoothstep(*RAISED, float(raised.max()) / least)
        covered = -float(raised.mean()) / row
        left = max(1 - covered, 0.0)
        hidden = smoothstep(*COVERED, covered) * smoothstep(*EMPTY, now.gap / row - left)
        alike = 1 - smoothstep(*STRETCHED, now.width / self.lips.width)
        alike *= smoothstep(*CLOSED, now.gap / max(self.lips.gap, 1e-3))
        throat = self.agape * alike
        hidden *= 1 - throat
        share = max(self.toothy * (1 - bared), throat)
        return Kept(share, hidden, hidden * (left + BEHIND) * row, self.toothy * (1 - hidden))


def _known(inside: OwnInside, unit: float) -> float:
    """The share of a whole upper row that is visible in the photo, 0..1."""
    return min(inside.row / (WHOLE_ROW * unit), 1.0)
