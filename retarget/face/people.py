"""Tell people apart from frame to frame by place, size and appearance, also when they cross.

This is continuity, not recognition: a face is expected where it was heading, with its last size and
appearance. Where two faces overlap, the one that fits better is taken as visible, and the other as
hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from retarget.face.region import MARGIN, Reading, Region
from retarget.flow.arrays import Floats, Picture

_LOOK_PIXELS = 24
_PLACE, _SIZE, _LOOK = 0.5, 0.4, 0.1
"""Differences that count as 1: half a face's width in place, a factor of 1.5 in size, a tenth of
full brightness in appearance (one person: 0.03 to 0.08, two people: 0.12 to 0.3)."""
_TOO_UNLIKE = 5.0
_LEARN, _LEARN_EVERY = 0.5, 5
_HEADING, _OFTEN = 0.5, 30
"""Weight of a new heading relative to the old one, at so many frames per second."""
_GOES_ON = 0.4
"""Seconds for which a hidden face is expected to move on."""
_STIRS, _HANGS = 0.01, 3
"""Part of its width, and seconds: a mesh that moves less in this time is a picture's, not a
person's. A person sitting still moves twice as much, a picture on a wall a third as much."""
_LOOSER = 3.0
"""Growth of the tolerance of place per second unseen, as a factor of itself."""


class Person:
    """One face, with its expected place, size and appearance."""

    def __init__(self, rgb: Picture, face: Reading) -> None:
        self.face = face
        self.unseen = Fraction(0)
        """Seconds from when it was last seen to the last frame."""
        self.since = Fraction(0)
        """Seconds from the last frame to this one."""
        self._look = look(rgb, face.region)
        self._heading = np.zeros(2)  # pixels per second
        self._since_learned = 0
        self._first = face.points[:, :2]
        self._known = Fraction(0)
        self._stirred = 0.0

    @property
    def pictured(self) -> bool:
        """Whether it is a picture, as on a wall."""
        return self._known >= _HANGS and self._stirred < _STIRS

    @property
    def region(self) -> Region:
        """Where it was last seen."""
        return self.face.region

    def expected(self) -> tuple[float, float]:
        """Its expected place (x, y) in this frame."""
        ahead = min(float(self.unseen + self.since), _GOES_ON)
        x, y = np.array([self.region.x, self.region.y]) + self._heading * ahead
        return float(x), float(y)

    def astray(self, face: Reading) -> float:
        """The difference of a face from this person's expected place and size; 0: none."""
        here, last = face.region, self.region
        x, y = self.expected()
        side = max(here.side, last.side) / MARGIN * (1 + _LOOSER * float(self.unseen))
        place = float(np.hypot(here.x - x, here.y - y)) / side / _PLACE
        return place + abs(float(np.log(here.side / last.side))) / _SIZE

    def unlike(self, rgb: Picture, face: Reading) -> float:
        """The difference of a face from this person: 0 none, above 5 it is somebody else."""
        return self.astray(face) + self.other_look(rgb, face) / _LOOK

    def other_look(self, rgb: Picture, face: Reading) -> float:
        """Mean difference in appearance, 0..1."""
        return float(np.abs(look(rgb, face.region) - self._look).mean())

    def seen(self, rgb: Picture, face: Reading, *, alone: bool) -> None:
        """Take a face as this person's; its appearance is learned only while nobody is close."""
        before = self.region
        moved = np.array([face.region.x - before.x, face.region.y - before.y])
        heading = moved / float(self.unseen + self.since)
        learned = 1 - (1 - _HEADING) ** float(_OFTEN * self.since)
        self._heading += learned * (heading - self._heading)
        self._known += max(self.unseen, self.since)
        if self._stirred < _STIRS:
            apart = np.linalg.norm(face.points[:, :2] - self._first, axis=1).mean()
            self._stirred = max(self._stirred, float(apart) * MARGIN / face.region.side)
        self.face, self.unseen = face, Fraction(0)
        self._since_learned += 1
        if alone and self._since_learned >= _LEARN_EVERY:
            self._look += _LEARN * (look(rgb, face.region) - self._look)
            self._since_learned = 0


def look(rgb: Picture, region: Region) -> Floats:
    """The appearance of a face: a small upright picture (24, 24, 3) in 0..1."""
    return region.cut(rgb, _LOOK_PIXELS).astype(np.float32) / 255.0


def matched(rgb: Picture, people: Sequence[Person], faces: Sequence[Reading]) -> dict[int, int]:
    """The optimal assignment of people (index) to faces (index)."""
    if not people or not faces:
        return {}
    from scipy.optimize import linear_sum_assignment

    unlike = np.array([[person.unlike(rgb, face) for face in faces] for person in people])
    rows, columns = linear_sum_assignment(np.minimum(unlike, 2 * _TOO_UNLIKE))
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {row: column for row, column in pairs if unlike[row, column] < _TOO_UNLIKE}
