"""What the identity should do: the performance, scaled, on the identity's own face.

Every driving moment becomes one request, also those in which no face was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from retarget.flow.arrays import Doubles, Floats
from retarget.flow.face_model import face_model
from retarget.flow.gaze import read_gaze
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
from retarget.transfer.shape import Photo, Shape
from retarget.transfer.strength import Strength

if TYPE_CHECKING:
    from retarget.transfer.head import HeadMotion


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrivingFace:
    """What is known of the driving face before its first frame comes."""

    rest: RestFace
    usual: Sequence[HeadPose] = ()
    """Poses seen over the clip; needed for `motion = "full"`."""
    moments: Sequence[Doubles] = ()
    """(478, 3) each: its head-frame mesh at these, where the clip was looked through."""
    at_rest: ExpressedFrame | None = None
    """The moment nearest to its rest, with its pixels."""
    others: Sequence[DrivingFace] = ()
    """Further people whom the video shows; `ExpressedFrame.rest` tells whose turn it is."""


class Transfer:
    """Ask of each identity picture what the driving face does at that moment."""

    name = "transfer"

    def __init__(
        self,
        settings: TransferSettings,
        driving: DrivingFace | None,
        identity_at: Callable[[Fraction], Identity],
    ) -> None:
        """Prepare for one video.

        Args:
            settings: gains and ways.
            driving: None where the expressions were said, not seen.
            identity_at: the identity's picture so many seconds after the first driving frame.
        """
        model = face_model()
        self._settings, self._model = settings, model
        self._strength = Strength(settings, model)
        self._shape = Shape(model, None if driving is None else driving.rest)
        self._usual_gaze = None if driving is None else _usual_gaze(driving.rest)
        self._at_rest = None if driving is None else driving.at_rest
        self._identity_at = identity_at
        self._head: HeadMotion | None = None
        self._own_head: HeadMotion | None = None
        """Of a photo as filmed."""
        self._heads: list[tuple[RestFace, HeadMotion]] = []
        if settings.motion == "full" and driving is not None and driving.usual:
            from retarget.transfer.head import HeadMotion  # its SciPy takes long to load

            gain = settings.of_head
            self._head = HeadMotion(driving.usual, gain)
            self._heads = [(one.rest, HeadMotion(one.usual, gain)) for one in driving.others]

    def __call__(self, frames: Iterator[ExpressedFrame]) -> Iterator[FaceRequest]:
        """One request for each driving frame, in order."""
        shown = FillLost(self._settings.lost, self._head)(map(self._as_usual, frames))
        first: Fraction | None = None
        for moment in shown:
            at = moment.frame.at.exact
            first = at if first is None else first
            yield self._request(moment, self._identity_at(at - first))

    def _as_usual(self, frame: ExpressedFrame) -> ExpressedFrame:
        """Its gaze against where the driving eyes usually look.

        A head that is turned all the time and keeps its eyes on the camera looks aside; the photo's
        head is not turned that way, and its eyes should keep to the camera too.
        """
        expression = frame.expression
        if self._usual_gaze is None or expression is None or expression.measured is None:
            return frame
        usual = self._usual_gaze if frame.rest is None else _usual_gaze(frame.rest)
        seen = replace(expression.measured, gaze=expression.measured.gaze - usual)
        return replace(frame, expression=replace(expression, measured=seen))

    def _request(self, shown: Shown, identity: Identity) -> FaceRequest:
        performed = self._strength(shown.expression)
        pose = self._pose(shown, identity)
        bent = self._model.bent(identity.pose)  # so are the photo's points, which are to be moved
        photo = (identity.pose.to_head(identity.face.points) - bent).astype(np.float32)
        if self._settings.relative:
            mesh = self._shape(identity.rest, photo, performed)
        else:
            own = identity.expression if identity.as_filmed else None
            mesh = self._shape(identity.rest, identity.rest.head, performed, Photo(photo, own))
        bent = bent + self._model.turned(identity.pose, pose)
        return FaceRequest(
            index=shown.frame.index,
            at=shown.frame.at,
            duration=shown.frame.duration,
            identity=identity,
            expression=self._total(identity, performed),
            pose=pose,
            points=pose.to_picture(mesh + bent).astype(np.float32),
            driving=shown.frame,
            driving_rest=self._at_rest,
            away=shown.away,
            cut=shown.frame.cut,
        )

    def _pose(self, shown: Shown, identity: Identity) -> HeadPose:
        """Where the identity's head should be."""
        if self._head is None or shown.pose is None:
            return identity.pose
        heads = (head for rest, head in self._heads if rest is shown.frame.rest)
        head = next(heads, self._head)
        if identity.as_filmed and head is self._head:
            head = self._own_head = self._own_head or head.from_moment_as_in(identity.pose)
        return head(shown.pose, identity.pose)

    def _total(self, identity: Identity, performed: Expression) -> Expression:
        if not self._settings.relative:
            return performed
        weights = np.clip(identity.expression.weights + performed.weights, 0.0, 1.0)
        return Expression(weights=weights, measured=performed.measured)


def _usual_gaze(rest: RestFace) -> Floats:
    """(2, 2) degrees, as `Measurement.gaze`: where the eyes of a face at rest look."""
    return (read_gaze(rest.head) - rest.gaze).astype(np.float32)
