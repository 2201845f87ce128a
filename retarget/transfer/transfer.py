"""What the identity should do: the performance, scaled, on the identity's own face.

Every driving moment becomes one request, also those in which no face was seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retarget.flow.face_model import face_model
from retarget.flow.values import (
    ExpressedFrame,
    Expression,
    FaceRequest,
    HeadPose,
    Identity,
    RestFace,
)
from retarget.transfer.lost import FillLost, Shown
from retarget.transfer.settings import TransferSettings
from retarget.transfer.shape import Shape
from retarget.transfer.strength import Strength

if TYPE_CHECKING:
    from retarget.transfer.head import HeadMotion


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrivingFace:
    """What is known of the driving face before its first frame comes."""

    rest: RestFace
    usual: Sequence[HeadPose] = ()
    """Poses seen over the clip; needed for `motion = "full"`."""
    at_rest: ExpressedFrame | None = None
    """The moment nearest to its rest, with its pixels."""


class Transfer:
    """Ask of each identity picture what the driving face does at that moment."""

    name = "transfer"

    def __init__(
        self,
        settings: TransferSettings,
        driving: DrivingFace | None,
        identities: Iterator[Identity],
    ) -> None:
        """Prepare for one video.

        Args:
            settings: gains and ways.
            driving: None where the expressions were said, not seen.
            identities: one picture of the identity for each driving frame.
        """
        model = face_model()
        self._settings = settings
        self._strength = Strength(settings, model)
        self._shape = Shape(model, None if driving is None else driving.rest)
        self._at_rest = None if driving is None else driving.at_rest
        self._identities = identities
        self._head: HeadMotion | None = None
        if settings.motion == "full" and driving is not None and driving.usual:
            from retarget.transfer.head import HeadMotion  # its SciPy takes long to load

            self._head = HeadMotion(driving.usual, settings.strength * settings.gain.head)

    def __call__(self, frames: Iterator[ExpressedFrame]) -> Iterator[FaceRequest]:
        """One request for each driving frame, in order."""
        shown = FillLost(self._settings.lost)(frames)
        for moment, identity in zip(shown, self._identities, strict=False):
            yield self._request(moment, identity)

    def _request(self, shown: Shown, identity: Identity) -> FaceRequest:
        performed = self._strength(shown.expression)
        pose = identity.pose
        if self._head is not None and shown.pose is not None:
            pose = self._head(shown.pose, identity.pose)
        photo = identity.pose.to_head(identity.face.points).astype(np.float32)
        start = photo if self._settings.relative else identity.rest.head
        mesh = self._shape(identity.rest, start, performed)
        return FaceRequest(
            index=shown.frame.index,
            at=shown.frame.at,
            duration=shown.frame.duration,
            identity=identity,
            expression=self._total(identity, performed),
            pose=pose,
            points=pose.to_picture(mesh).astype(np.float32),
            driving=shown.frame,
            driving_rest=self._at_rest,
            away=shown.away,
            cut=shown.frame.cut,
        )

    def _total(self, identity: Identity, performed: Expression) -> Expression:
        if not self._settings.relative:
            return performed
        weights = np.clip(identity.expression.weights + performed.weights, 0.0, 1.0)
        return Expression(weights=weights, measured=performed.measured)
