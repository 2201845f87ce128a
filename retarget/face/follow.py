"""Follow one face: read it where it was, search for it when lost, keep it apart from others."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import cycle
from typing import NamedTuple

import numpy as np

from retarget.face.choose import choose
from retarget.face.likeness import Sight
from retarget.face.people import Person, matched
from retarget.face.region import MARGIN, Reading, Region, overlap, whole
from retarget.face.search import SAME, FaceModel, Search, plausible, tiles
from retarget.face.settings import TrackSettings, parse_choice
from retarget.face.shots import Change, Shots
from retarget.flow.arrays import Picture

_SURVEY = 15
"""Frames between two searches of the whole frame while one face is in view."""
_SURVEY_AMONG = 5
"""The same while others are in view."""
_CLOSE = 3.0
"""Faces nearer than this (in widths of the larger) may cross and are read in every frame."""
_FORGET = 3
"""Seconds after which a lost face is given up, and one of those in view is chosen."""
_GONE = 1
"""Seconds after which another person out of view is forgotten."""
_JUMP, _STRANGE = 0.6, 3.0
"""`Person.astray` and `Person.unlike` above which a face may be somebody else in front."""
_STILL = 0.1
"""Part of its width below which a mesh's movement between two frames is not a cut."""
_QUICK, _REREADS = 0.03, 2
"""Movement in a region, in widths, above which a face is read again, and how often at most."""
_DOUBT = 0.95
"""Presence below which the detector has to confirm a mesh."""


class Followed(NamedTuple):
    """The followed face in one frame."""

    face: Reading | None
    cut: bool
    others: int


class Follower:
    """Follow one face through one video; `step` takes its frames in order."""

    def __init__(self, model: FaceModel, settings: TrackSettings) -> None:
        self.model = model
        self.search = Search(model, settings.certainty)
        self.choice = parse_choice(settings.which)
        self.shots = Shots() if settings.cuts else None
        self.person: Person | None = None
        self.company: list[Person] = []
        self.others = 0
        self.most = 0
        """Faces ever seen at once."""
        self._last: Picture | None = None
        self._sight: Sight | None = None
        """The last face that was compared with the one before it."""
        self._begun = False
        self._until_survey = 0
        self._pieces: Iterator[Region] = iter(())

    def step(self, rgb: Picture, since: Fraction) -> Followed:
        """Find the followed face in the next frame.

        Args:
            rgb: the frame.
            since: seconds from the frame before, above 0.
        """
        for one in [self.person, *self.company]:
            if one is not None:
                one.since = since
        change = Change.NONE if self.shots is None else self.shots.change(rgb)
        if not self._begun:
            self._pieces = cycle(tiles(rgb))
            self._begun, self._last = True, rgb
            return Followed(self._begin(rgb), cut=False, others=self.others)
        was_in_view = self.person is not None and self.person.unseen == 0
        before = self.person.face if self.person is not None and was_in_view else None
        face = self._again(rgb)
        another = self._another(before, rgb, face)
        if (
            another
            or change is Change.SURE
            or (change is Change.MAYBE and not _goes_on(before, face))
        ):
            self.person, self.company = None, []
            found = self.search.again(rgb, None, self._pieces)
            if another and face is not None and not found:
                found = [face]
            face, before = self._choose(rgb, found), None
        self._last = rgb
        return Followed(face, cut=face is not None and before is None, others=self.others)

    def _another(self, before: Reading | None, rgb: Picture, now: Reading | None) -> bool:
        """Whether a cut shows somebody else before the same background, which `Shots` misses.

        Where others are in view, `people.py` tells them apart.
        """
        if self.shots is None or self._last is None or self.company:
            return False
        if before is None or now is None:
            return False
        last, self._sight = self._sight, Sight(rgb, now.points)
        if last is None or last.points is not before.points:
            last = Sight(self._last, before.points)
        return last.replaced_by(self._sight)

    def _begin(self, rgb: Picture) -> Reading | None:
        """Search the whole frame and choose a face."""
        complete = self.choice != "largest"
        return self._choose(rgb, self.search.everywhere(rgb, complete=complete))

    def _choose(self, rgb: Picture, found: list[Reading]) -> Reading | None:
        """Begin to follow one of the faces, and remember the others."""
        chosen = choose(found, self.choice)
        face = None if chosen is None else self.search.settled(rgb, chosen)
        self.person = None if face is None else Person(rgb, face)
        self._know(rgb, [other for other in found if other is not chosen])
        return face

    def _know(self, rgb: Picture, others: list[Reading]) -> None:
        self.company = [Person(rgb, face) for face in others]
        self._count(len(others))

    def _count(self, others: int) -> None:
        self.others = others
        self.most = max(self.most, others + (self.person is not None and self.person.unseen == 0))

    def _again(self, rgb: Picture) -> Reading | None:
        """The face in a frame of the same shot as the last."""
        if self.person is None:
            found = self.search.again(rgb, None, self._pieces)
            return self._choose(rgb, found) if found else None
        if self.company:
            return self._among(rgb, self.person)
        face = self._read(rgb, self.person) if self.person.unseen == 0 else None
        if face is None or self._strange(rgb, self.person, face):
            return self._look_for(rgb, self.person)
        self.person.seen(rgb, face, alone=True)
        new = self._survey(rgb, [face], every=_SURVEY)
        if new:
            self._know(rgb, new)
        return face

    @staticmethod
    def _strange(rgb: Picture, person: Person, face: Reading) -> bool:
        """Whether somebody may have come in front; appearances are compared only after a jump."""
        return person.astray(face) > _JUMP and person.unlike(rgb, face) > _STRANGE

    def _read(self, rgb: Picture, person: Person) -> Reading | None:
        """A person's mesh where it was last, if it is still there.

        After a quick movement the first reading only comes nearer, so the mesh is read again there.
        """
        face, region = self.model.read(rgb, person.region), person.region
        for _ in range(_REREADS):
            if face is not None and region.distance(face.region) > _QUICK:
                region = face.region
                face = self.model.read(rgb, region)
        if face is None or face.presence < self.search.certainty:
            return None
        if not (plausible(face, region) and _inside(rgb, face.region)):
            return None
        if face.presence < _DOUBT and self.search.confirmed(rgb, face.region) < 0.3:
            return None
        return face

    def _look_for(self, rgb: Picture, person: Person) -> Reading | None:
        """Find a lost face while no other is in view: the one that fits best."""
        person.unseen += person.since
        found = self.search.again(rgb, person.region, self._pieces)
        if not found:
            return None
        if person.unseen > _FORGET:
            return self._choose(rgb, found)
        nearest = min(found, key=lambda f: person.unlike(rgb, f))
        face = self.search.settled(rgb, nearest)
        person.seen(rgb, face, alone=False)
        self._know(rgb, [other for other in found if other is not nearest])
        return face

    def _among(self, rgb: Picture, person: Person) -> Reading | None:
        """The face among others, of which those close to it are followed as well."""
        close = [one for one in self.company if one.region.distance(person.region) < _CLOSE]
        faces: list[Reading] = []
        hidden = False
        for one in [person, *close]:
            face = self._read(rgb, one) if one.unseen == 0 else None
            if face is None or any(overlap(face.region, f.region) > SAME for f in faces):
                hidden = True
            else:
                faces.append(face)
        faces += self._survey(rgb, faces, every=1 if hidden else _SURVEY_AMONG)
        people = [person, *self.company]
        whose = matched(rgb, people, faces)
        for index, one in enumerate(people):
            one.unseen += one.since
            if index in whose:
                face = faces[whose[index]]
                near = (f.region.distance(face.region) for f in faces if f is not face)
                one.seen(rgb, face, alone=min(near, default=9.0) > 1.2 and not hidden)
        new = [face for index, face in enumerate(faces) if index not in whose.values()]
        self.company = [one for one in self.company if one.unseen < _GONE]
        self.company += [Person(rgb, face) for face in new]
        self._count(len(self.company))
        if person.unseen == 0:
            return person.face
        if person.unseen <= _FORGET:
            return None
        hung = [whose[index] for index, one in enumerate(people) if index in whose and one.pictured]
        others = [face for index, face in enumerate(faces) if index not in hung]
        return self._choose(rgb, others) if others else None

    def _survey(self, rgb: Picture, known: list[Reading], *, every: int) -> list[Reading]:
        """Every so many frames, search the whole frame for new faces."""
        self._until_survey = min(self._until_survey, every) - 1
        if self._until_survey > 0:
            return []
        self._until_survey = every
        return self.search.believed(rgb, self.model.detect(rgb, whole(rgb)), known)


def _inside(rgb: Picture, region: Region) -> bool:
    """Whether most of a face lies in the frame."""
    height, width = rgb.shape[:2]
    return 0 <= region.x < width and 0 <= region.y < height


def _goes_on(before: Reading | None, now: Reading | None) -> bool:
    """Whether the face of one frame is at the same place in the next."""
    if before is None or now is None:
        return False
    apart = np.linalg.norm(before.points[:, :2] - now.points[:, :2], axis=1).mean()
    return float(apart) < _STILL * max(before.region.side, now.region.side) / MARGIN
