"""Eyes that keep to the camera while their head turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from retarget.flow.arrays import Doubles
from retarget.flow.gaze import carried, move_irises, read_gaze
from retarget.flow.values import Expression, HeadPose, RestFace

_FARTHEST = 15.0
"""The most degrees of head rotation away from the usual pose that eyes compensate."""
_SEEING = 0.8
"""Aperture from which an eye's gaze is used."""
_ENOUGH = 4
"""The fewest samples to learn from."""


class EyeContact:
    """Where a person's eyes rest in each pose of the head, learned from a clip.

    Some people look at the camera however the head is turned, others where the head points. The
    model that explains the clip with less spread is used, for yaw and pitch separately.

    Args:
        rest: the person's rest.
        seen: expressions and head poses of samples of the clip.
    """

    def __init__(self, rest: RestFace, seen: Sequence[tuple[Expression, HeadPose]]) -> None:
        self._rest = rest
        self._usual = np.zeros(2)
        self._follows = np.zeros(2)
        told = [
            (e.measured.gaze.mean(axis=0), _turned(pose))
            for e, pose in seen
            if e.measured is not None and e.measured.aperture.min() > _SEEING
        ]
        if len(told) < _ENOUGH:
            return
        gaze, turn = (np.array(values) for values in zip(*told, strict=True))
        self._usual = np.median(turn, axis=0)
        self._follows = (_spread(gaze + turn) < _spread(gaze)).astype(np.float64)

    def at(self, pose: HeadPose) -> RestFace:
        """The person's rest, with the eyes where they usually look in this pose of the head."""
        away = np.clip(_turned(pose) - self._usual, -_FARTHEST, _FARTHEST)
        head = self._rest.head.copy()
        now = read_gaze(head)
        move_irises(head, carried(now - self._follows * away) - carried(now))
        return replace(self._rest, head=head)


def _turned(pose: HeadPose) -> Doubles:
    """(2,) yaw and pitch in degrees."""
    return np.array(pose.angles[:2])


def _spread(angles: Doubles) -> Doubles:
    """(2,) median distance of angles (n, 2) from their median."""
    return np.asarray(np.median(np.abs(angles - np.median(angles, axis=0)), axis=0))
