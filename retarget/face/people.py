"""Tell people apart from frame to frame: by place, size and look, over a crossing or a short loss.

There is no recognition here, only continuity: a face is expected where it was heading, as large as
it was, and looking as it did. Where two faces come together one hides the other; the one whose
look and place fit better is the one still seen, and the other is waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from retarget.face.region import MARGIN, Reading, Region
from retarget.flow.arrays import Floats, Picture

_LOOK_PIXELS = 24
_PLACE, _SIZE, _LOOK = 0.5, 0.4, 0.1
"""What counts as one unit of unlikeness: half a face's width, a size 1.5 times another, a tenth of
full brightness between two looks (one person: 0.03 to 0.08, two people: 0.12 to 0.3)."""
_TOO_UNLIKE = 5.0
_LEARN, _LEARN_EVERY = 0.5, 5
_HEADING, _OFTEN = 0.5, 30
"""What a new heading counts for beside the old one at so many frames per second."""
_GOES_ON = 0.4
"""Seconds for which a face that is not seen is expected to go on."""
_STIRS, _HANGS = 0.01, 3
"""A mesh that moves by less than this part of its width in so many seconds is no person's: who
sits still moves by twice as much, a picture on a wall by a third."""
_LOOSER = 3.0
"""How much the tolerance of place grows in each second unseen, as a part of itself."""


class Person:
    """One face that has been seen, and what to expect of it."""

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
        """Whether it hangs on a wall."""
        return self._known >= _HANGS and self._stirred < _STIRS

    @property
    def region(self) -> Region:
        """Where it was last seen."""
        return self.face.region

    def expected(self) -> tuple[float, float]:
        """Where it should be now, if it went on for a while."""
        ahead = min(float(self.unseen + self.since), _GOES_ON)
        x, y = np.array([self.region.x, self.region.y]) + self._heading * ahead
        return float(x), float(y)

    def astray(self, face: Reading) -> float:
        """How far a face is from where and how large this person should be; 0 not at all."""
        here, last = face.region, self.region
        x, y = self.expected()
        side = max(here.side, last.side) / MARGIN * (1 + _LOOSER * float(self.unseen))
        place = float(np.hypot(here.x - x, here.y - y)) / side / _PLACE
        return place + abs(float(np.log(here.side / last.side))) / _SIZE

    def unlike(self, rgb: Picture, face: Reading) -> float:
        """How badly a face fits this person: 0 perfectly, above 5 it is somebody else."""
        return self.astray(face) + self.other_look(rgb, face) / _LOOK

    def other_look(self, rgb: Picture, face: Reading) -> float:
        """Mean difference of the looks, 0..1."""
        return float(np.abs(look(rgb, face.region) - self._look).mean())

    def seen(self, rgb: Picture, face: Reading, *, alone: bool) -> None:
        """Take a face as this person's; its look is learned only while nobody is close."""
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
    """A face as a small picture that stands upright, (24, 24, 3) in 0..1."""
    return region.cut(rgb, _LOOK_PIXELS).astype(np.float32) / 255.0


def matched(rgb: Picture, people: Sequence[Person], faces: Sequence[Reading]) -> dict[int, int]:
    """Which person (index) has which face (index), so that all fit best together."""
    if not people or not faces:
        return {}
    from scipy.optimize import linear_sum_assignment

    unlike = np.array([[person.unlike(rgb, face) for face in faces] for person in people])
    rows, columns = linear_sum_assignment(np.minimum(unlike, 2 * _TOO_UNLIKE))
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {row: column for row, column in pairs if unlike[row, column] < _TOO_UNLIKE}
