"""What is shown in frames without a face, which never drop out of the video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retarget.flow import blendshapes
from retarget.flow.ease import eased
from retarget.flow.values import ExpressedFrame, Expression, HeadPose, Measurement

if TYPE_CHECKING:
    from retarget.transfer.head import HeadMotion

EASE_SECONDS = 0.4
"""Long enough not to look like a twitch, short enough not to look frozen."""
RETURN_SECONDS = 0.1
"""From what was shown while away back to what is seen."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """What to show for one driving moment."""

    frame: ExpressedFrame
    expression: Expression
    pose: HeadPose | None
    """None: the head's usual place."""
    away: bool


class FillLost:
    """Give every frame an expression, whether its face was seen or not.

    Args:
        lost: `TransferSettings.lost`.
        head: who knows the way between two poses; None where no head is followed.
    """

    def __init__(self, lost: str, head: HeadMotion | None = None) -> None:
        self._lost, self._head = lost, head

    def __call__(self, frames: Iterator[ExpressedFrame]) -> Iterator[Shown]:
        """One `Shown` for each frame, in order."""
        last: Shown | None = None
        since = 0.0  # the moment at which the face went, or came back
        returning: Shown | None = None
        for frame in frames:
            now = frame.at.seconds
            if frame.expression is not None:
                if last is not None and last.away:
                    returning, since = last, now  # found anew, which is called a cut as well
                elif frame.cut:
                    returning = None
                last = self._seen(frame, frame.expression, returning, now - since)
            else:
                if last is None or not last.away:
                    since, returning = now, last
                last = self._away(frame, returning, now - since)
            yield last

    def _away(self, frame: ExpressedFrame, before: Shown | None, elapsed: float) -> Shown:
        rest = Expression(weights=np.zeros(blendshapes.COUNT, np.float32))
        if before is None:
            return Shown(frame=frame, expression=rest, pose=None, away=True)
        share = 0.0 if self._lost == "hold" else eased(min(1.0, elapsed / EASE_SECONDS))
        pose = self._pose_between(before.pose, None, share)
        if self._lost != "neutral":
            rest = between(before.expression, rest, share)
        return Shown(frame=frame, expression=rest, pose=pose, away=True)

    def _seen(
        self, frame: ExpressedFrame, expression: Expression, before: Shown | None, elapsed: float
    ) -> Shown:
        pose = frame.pose
        if before is not None and before.away and elapsed < RETURN_SECONDS:
            share = eased(elapsed / RETURN_SECONDS)
            expression = between(before.expression, expression, share)
            pose = self._pose_between(before.pose, pose, share)
        return Shown(frame=frame, expression=expression, pose=pose, away=False)

    def _pose_between(
        self, one: HeadPose | None, two: HeadPose | None, share: float
    ) -> HeadPose | None:
        return None if self._head is None else self._head.between(one, two, share)


def between(one: Expression, two: Expression, share: float) -> Expression:
    """The expression `share` (0..1) of the way from one to two; a missing measurement is rest."""
    weights = ((1 - share) * one.weights + share * two.weights).astype(np.float32)
    if one.measured is None and two.measured is None:
        return Expression(weights=weights)
    a, b = one.measured or AT_REST, two.measured or AT_REST
    mixed = Measurement(
        gaze=((1 - share) * a.gaze + share * b.gaze).astype(np.float32),
        aperture=((1 - share) * a.aperture + share * b.aperture).astype(np.float32),
        lip_gap=(1 - share) * a.lip_gap + share * b.lip_gap,
        detail=a.detail * np.float32(1 - share) + b.detail * np.float32(share),
    )
    return Expression(weights=weights, measured=mixed)


AT_REST = Measurement(
    gaze=np.zeros((2, 2), np.float32), aperture=np.ones(2, np.float32), lip_gap=0.0
)
