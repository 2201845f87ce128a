"""Keep to one face: read it where it was, look for it where it is gone, keep others from it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import NamedTuple

import numpy as np

from retarget.face.choose import choose
from retarget.face.people import Person, matched
from retarget.face.region import MARGIN, Picture, Reading, Region, overlap, whole
from retarget.face.search import SAME, FaceModel, Search, plausible, tiles
from retarget.face.settings import TrackSettings, parse_choice
from retarget.face.shots import Change, Shots

_SURVEY = 15
"""Frames between two looks at the whole frame while one face is in view."""
_SURVEY_AMONG = 4
"""The same while others are close."""
_CLOSE = 3.0
"""Faces nearer than this (in widths of the larger) may cross and are read in every frame."""
_FORGET = 90
"""Frames after which a lost face is given up, and one is chosen anew among those in view."""
_STILL = 0.1
"""A mesh that moves by less than this part of its width from one frame to the next is no cut."""
_DOUBT = 0.95
"""A mesh the network is less sure of than this is looked at again by the detector."""


class Followed(NamedTuple):
    """What one frame shows of the face that is followed."""

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
        self._begun = False
        self._until_survey = 0
        self._pieces: Iterator[Region] = iter(())

    def step(self, rgb: Picture) -> Followed:
        """Find the followed face in the next frame."""
        change = Change.NONE if self.shots is None else self.shots.change(rgb)
        if not self._begun:
            self._pieces = cycle(tiles(rgb))
            self._begun = True
            return Followed(self._begin(rgb), cut=False, others=self.others)
        was_in_view = self.person is not None and self.person.unseen == 0
        before = self.person.face if self.person is not None and was_in_view else None
        face = self._again(rgb)
        if change is Change.SURE or (change is Change.MAYBE and not _goes_on(before, face)):
            self.person, self.company = None, []
            face, before = self._choose(rgb, self.search.again(rgb, None, self._pieces)), None
        return Followed(face, cut=face is not None and before is None, others=self.others)

    def _begin(self, rgb: Picture) -> Reading | None:
        """Look everywhere and choose."""
        complete = self.choice.rule != "largest"
        return self._choose(rgb, self.search.everywhere(rgb, complete=complete))

    def _choose(self, rgb: Picture, found: list[Reading]) -> Reading | None:
        chosen = choose(found, self.choice)
        self.most = max(self.most, len(found))
        self.person = None if chosen is None else Person(rgb, chosen)
        self._note_others(rgb, [face for face in found if face is not chosen])
        return chosen

    def _again(self, rgb: Picture) -> Reading | None:
        """The face in a frame that goes on from the last."""
        if self.person is None:
            found = self.search.again(rgb, None, self._pieces)
            return self._choose(rgb, found) if found else None
        if self.company:
            return self._among(rgb, self.person)
        face = self._read(rgb, self.person) if self.person.unseen == 0 else None
        if face is None:
            return self._look_for(rgb, self.person)
        self.person.seen(rgb, face, alone=True)
        self._survey(rgb, [face], every=_SURVEY)
        return face

    def _read(self, rgb: Picture, person: Person) -> Reading | None:
        """A person's mesh where it was last, if it is still there."""
        face = self.model.read(rgb, person.region)
        if face is None or face.presence < self.search.certainty:
            return None
        if not (plausible(face, person.region) and _inside(rgb, face.region)):
            return None
        if face.presence < _DOUBT and self.search.confirmed(rgb, face.region) < 0.3:
            return None
        return face

    def _look_for(self, rgb: Picture, person: Person) -> Reading | None:
        """A lost face, when nobody else is about: whoever turns up and looks most like it."""
        person.unseen += 1
        found = self.search.again(rgb, person.region, self._pieces)
        if not found:
            return None
        if person.unseen > _FORGET:
            return self._choose(rgb, found)
        face = min(found, key=lambda f: person.unlike(rgb, f))
        person.seen(rgb, face, alone=False)
        self._note_others(rgb, [other for other in found if other is not face])
        return face

    def _among(self, rgb: Picture, person: Person) -> Reading | None:
        """The face among others that are close, each followed for itself."""
        people = [person, *self.company]
        faces: list[Reading] = []
        for one in people:
            face = self._read(rgb, one) if one.unseen == 0 else None
            if face is not None and all(overlap(face.region, f.region) < SAME for f in faces):
                faces.append(face)
        hidden = len(faces) < len(people)
        faces += self._survey(rgb, faces, every=1 if hidden else _SURVEY_AMONG)
        whose = matched(rgb, people, faces)
        for index, one in enumerate(people):
            one.unseen += 1
            if index in whose:
                face = faces[whose[index]]
                near = (f.region.distance(face.region) for f in faces if f is not face)
                one.seen(rgb, face, alone=min(near, default=9.0) > 1.2 and not hidden)
        self.company = [one for one in self.company if one.unseen < _FORGET // 3]
        if person.unseen == 0:
            return person.face
        if person.unseen > _FORGET:
            return self._choose(rgb, faces)
        return None

    def _survey(self, rgb: Picture, known: list[Reading], *, every: int) -> list[Reading]:
        """Now and then look over the whole frame for faces that are not known."""
        self._until_survey -= 1
        if self._until_survey > 0:
            return []
        self._until_survey = every
        seen = self.model.detect(rgb, whole(rgb))
        new = self.search.believed(rgb, seen, known)
        self._note_others(rgb, [*known[1:], *new] if self.company else new)
        return new

    def _note_others(self, rgb: Picture, others: list[Reading]) -> None:
        """Count the other faces, and keep an eye on those that may come close."""
        self.others = len(others)
        if self.person is None:
            return
        self.most = max(self.most, len(others) + 1)
        here = self.person.region
        for face in others:
            region = face.region
            near = region.distance(here) < _CLOSE and 0.4 < region.side / here.side < 2.5
            known = any(overlap(region, one.region) > SAME for one in self.company)
            if near and not known:
                self.company.append(Person(rgb, face))


def _inside(rgb: Picture, region: Region) -> bool:
    """Whether most of a face lies in the frame."""
    height, width = rgb.shape[:2]
    return 0 <= region.x < width and 0 <= region.y < height


def _goes_on(before: Reading | None, now: Reading | None) -> bool:
    """Whether the face of one frame is still there in the next, where it was."""
    if before is None or now is None:
        return False
    apart = np.linalg.norm(before.points[:, :2] - now.points[:, :2], axis=1).mean()
    return float(apart) < _STILL * max(before.region.side, now.region.side) / MARGIN
