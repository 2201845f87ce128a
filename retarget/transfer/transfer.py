"""The stage: apply the scaled performance to the identity's own face.

Every driving frame becomes one request, including those without a face.
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
    """What is known of the driving face before its first frame."""

    rest: RestFace
    usual: Sequence[HeadPose] = ()
    """Head poses over the clip; needed for `motion = "full"`."""
    moments: Sequence[Doubles] = ()
    """(478, 3) each: head-frame meshes over the clip, where it was sampled beforehand."""
    at_rest: ExpressedFrame | None = None
    """The frame nearest to its rest, with pixels."""
    others: Sequence[DrivingFace] = ()
    """Further people in the video; `ExpressedFrame.rest` says which one a frame shows."""


class Transfer:
    """Turn each expressed driving frame into a request for the identity."""

    name = "transfer"

    def __init__(
        self,
        settings: TransferSettings,
        driving: DrivingFace | None,
        identity_at: Callable[[Fraction], Identity],
    ) -> None:
        """Prepare for one video.

        Args:
            settings: gains and modes.
            driving: None where the expressions come from words.
            identity_at: the identity at a time in seconds after the first driving frame.
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
        """For a photo that is a frame of the driving clip; see `Identity.as_filmed`."""
        self._heads: list[tuple[RestFace, HeadMotion]] = []
        if settings.motion == "full" and driving is not None and driving.usual:
            from retarget.transfer.head import HeadMotion  # its import of SciPy is slow

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
        """The frame with its gaze relative to the driving eyes' usual direction.

        A head that is turned throughout and looks at the camera has a sideways gaze; the photo's
        head is not turned that way, and its eyes should look at the camera, too.
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
        bent = self._model.bent(identity.pose)  # as in the photo's points, which are to be moved
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
        """The pose requested of the identity's head."""
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
    """(2, 2) degrees, as `Measurement.gaze`: the direction of a face's eyes at rest."""
    return (read_gaze(rest.head) - rest.gaze).astype(np.float32)
