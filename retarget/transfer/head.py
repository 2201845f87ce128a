"""Let the identity's head follow the driving head, within what one photo can show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from retarget.flow.arrays import Doubles
from retarget.flow.ease import smoothstep
from retarget.flow.values import HeadPose

MAX_TURN = 15.0
"""Degrees: beyond this a single photo has no pixels for what would come into view, and those of a
far cheek are drawn out into streaks. Every generator draws the turn that it is asked for."""
TURNED, BACK = (20.0, 40.0), 6.0
"""Degrees from which on a photo's head is turned so far that its averted side has no pixels, and at
which all of it lacks them; and how far it turns back to the front at most, then."""
MAX_SHIFT = 0.35
"""Eye-corner distances."""
MAX_ZOOM = 1.15
FREE = 0.6
"""Share of a limit up to which it is not felt at all."""


class HeadMotion:
    """Relative head motion: where the driving head is against its own usual place.

    It is the person's own left and up that count, not the picture's: a photo that lies on its side
    nods towards its own chest.

    Args:
        usual: poses of the driving head seen over the clip; their middle is the zero.
        gain: 1 as performed, 0 still.
    """

    def __init__(self, usual: Sequence[HeadPose], gain: float) -> None:
        self._gain = gain
        self._seen = usual
        self._usual = HeadPose(
            rotation=Rotation.from_matrix([p.rotation for p in usual]).mean().as_matrix(),
            translation=np.median([p.translation for p in usual], axis=0),
            scale=float(np.median([p.scale for p in usual])),
        )

    def __call__(self, driving: HeadPose, identity: HeadPose) -> HeadPose:
        """The identity's pose that answers the driving one."""
        usual = self._usual
        tilt = HeadPose.rotation_of(0, 0, identity.angles[2] - usual.angles[2])
        turned = Rotation.from_matrix(driving.rotation @ usual.rotation.T).as_rotvec()
        turn = soft_limit(self._gain * turned, np.radians(MAX_TURN))
        turn = tilt @ _less_to_the_front(turn, tilt.T @ identity.rotation)
        shift = (driving.translation - usual.translation) / usual.scale * (1, 1, 0)
        shift = tilt @ soft_limit(self._gain * shift, MAX_SHIFT)
        closer = np.log([driving.scale / usual.scale])
        zoom = np.exp(soft_limit(self._gain * closer, np.log(MAX_ZOOM)))[0]
        return HeadPose(
            rotation=Rotation.from_rotvec(turn).as_matrix() @ identity.rotation,
            translation=identity.translation + identity.scale * shift,
            scale=identity.scale * float(zoom),
        )

    def from_moment_as_in(self, photo: HeadPose) -> HeadMotion:
        """The motion whose zero is where the driving head lies most nearly as in a photo.

        A photo of the same person then turns to where the driving head really is, and not as far
        aside from its own pose as the driving head from its usual one.
        """
        return HeadMotion([min(self._seen, key=photo.apart)], self._gain)

    def between(self, one: HeadPose | None, two: HeadPose | None, share: float) -> HeadPose:
        """The driving pose `share` (0..1) of the way from one to two; None is the usual one."""
        one, two = one or self._usual, two or self._usual
        turn = Rotation.from_matrix(two.rotation @ one.rotation.T).as_rotvec()
        return HeadPose(
            rotation=Rotation.from_rotvec(share * turn).as_matrix() @ one.rotation,
            translation=(1 - share) * one.translation + share * two.translation,
            scale=float(one.scale ** (1 - share) * two.scale**share),
        )


def _less_to_the_front(turn: Doubles, rotation: Doubles) -> Doubles:
    """A turn (3,: radians about each axis) that shows less of an averted side (3, 3: the photo's).

    To nod, and to turn farther aside, the photo has its pixels.
    """
    yaw = float(np.arctan2(-rotation[0, 2], rotation[2, 2]))
    back = float(turn[1]) * np.sign(yaw)  # a turn about y is a yaw to the other side
    if back <= 0:
        return turn
    most = MAX_TURN - (MAX_TURN - BACK) * smoothstep(*TURNED, abs(np.degrees(yaw)))
    shown = float(soft_limit(np.array([back]), np.radians(most))[0])
    return np.asarray(turn * (1.0, shown / back, 1.0))


def soft_limit(vector: Doubles, limit: float) -> Doubles:
    """Shorten a vector (n,) so that it is never longer than `limit` and stays as it is if short."""
    length, free = float(np.linalg.norm(vector)), FREE * limit
    if length <= free:
        return vector
    room = limit - free
    return np.asarray(vector * ((free + room * np.tanh((length - free) / room)) / length))
