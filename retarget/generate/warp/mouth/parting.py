"""From which gap on the interior of a mouth is drawn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from retarget.flow.arrays import Floats
from retarget.flow.ease import smoothstep
from retarget.flow.values import Identity
from retarget.generate.warp.rims import MOUTH, Rims

PARTED = (0.002, 0.016)
"""Lip gap beyond the photo's, in head units, between which the interior fades in."""
PARTED_PHOTO = (0.012, 0.03)
"""Gap of the photo's lips beyond rest between which they count as parted."""
ALIKE = (0.005, 0.03)
"""Movement of the lips, in head units, between which the interior of a photo whose lips are only
parted gives way. (Were it kept in every mouth that is not wider open, teeth would flash up.)"""
BOTH_RIMS = np.concatenate(MOUTH)


class Parting(NamedTuple):
    """How far the lips of a photo are parted."""

    photo: float
    """Whether they are only parted, 0..1."""
    shut: float
    """Gap in eye distances up to which no interior is drawn."""

    @classmethod
    def of(cls, identity: Identity, gap: float, kept: float) -> Parting:
        """That of a photo.

        Args:
            identity: the photo.
            gap: of its lips, in eye distances.
            kept: how much of its own open mouth can be kept, 0..1.
        """
        touching = min(identity.rest.lip_gap, gap)
        parted = smoothstep(*PARTED_PHOTO, gap - touching)
        shut = max(gap - parted * (gap - touching), 0.0) if kept == 0 else 0.0
        return cls(0.0 if identity.passing else parted * (1 - kept), shut)

    def seen(self, now: Rims, moved: Floats, unit: float) -> float:
        """How far the interior is drawn, 0..1.

        Args:
            now: the moved lips.
            moved: (n, 2) how far an expression moves each point of the mesh.
            unit: eye distance in pixels.
        """
        seen = smoothstep(*PARTED, now.gap / unit - self.shut)
        if self.photo == 0:
            return seen
        apart = float(np.abs(moved[BOTH_RIMS]).max()) / unit
        return seen * (1 - self.photo * (1 - smoothstep(*ALIKE, apart)))
