"""Let the identity's head follow the driving head, within what one photo can show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from retarget.flow.arrays import Doubles
from retarget.flow.ease import smoothstep
from retarget.flow.values import HeadPose

MAX_TURN = 15.0
"""Degrees. Beyond this a single photo has no pixels for what comes into view, and those of the far
cheek are stretched into streaks. The limit is set here: a generator draws any turn requested."""
TURNED, BACK = (20.0, 40.0), 6.0
"""Degrees. Between the first two yaws of the photo's head, the limit of a turn back to the front
falls from `MAX_TURN` to `BACK`, as the averted side of such a photo has no pixels."""
MAX_SHIFT = 0.35
"""Eye-corner distances."""
MAX_ZOOM = 1.15
FREE = 0.6
"""Share of a limit below which a movement is not reduced."""


class HeadMotion:
    """Relative head motion: the driving pose relative to its mean over the clip.

    Directions are the person's own, not the picture's: a photo that lies on its side nods towards
    its own chest.

    Args:
        usual: poses of the driving head over the clip; their mean is the zero.
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
        """The motion whose zero is the driving pose nearest to that of a photo of the same person.

        The photo's head then takes the driving head's absolute pose instead of repeating, from its
        own pose, the driving head's deviation from the mean.
        """
        return HeadMotion([min(self._seen, key=photo.apart)], self._gain)

    def between(self, one: HeadPose | None, two: HeadPose | None, share: float) -> HeadPose:
        """The driving pose `share` (0..1) of the way from one to two; None is the mean pose."""
        one, two = one or self._usual, two or self._usual
        turn = Rotation.from_matrix(two.rotation @ one.rotation.T).as_rotvec()
        return HeadPose(
            rotation=Rotation.from_rotvec(share * turn).as_matrix() @ one.rotation,
            translation=(1 - share) * one.translation + share * two.translation,
            scale=float(one.scale ** (1 - share) * two.scale**share),
        )


def _less_to_the_front(turn: Doubles, rotation: Doubles) -> Doubles:
    """Limit the part of a turn that would show the averted side of the photo's head.

    Nodding and turning farther to the side are not limited: the photo has the pixels.

    Args:
        turn: (3,) radians about each axis.
        rotation: (3, 3) of the photo's head.
    """
    yaw = float(np.arctan2(-rotation[0, 2], rotation[2, 2]))
    back = float(turn[1]) * np.sign(yaw)  # a turn about y is a yaw to the other side
    if back <= 0:
        return turn
    most = MAX_TURN - (MAX_TURN - BACK) * smoothstep(*TURNED, abs(np.degrees(yaw)))
    shown = float(soft_limit(np.array([back]), np.radians(most))[0])
    return np.asarray(turn * (1.0, shown / back, 1.0))


def soft_limit(vector: Doubles, limit: float) -> Doubles:
    """Shorten a vector (n,) smoothly to at most `limit`; one below `FREE * limit` is unchanged."""
    length, free = float(np.linalg.norm(vector)), FREE * limit
    if length <= free:
        return vector
    room = limit - free
    return np.asarray(vector * ((free + room * np.tanh((length - free) / room)) / length))
