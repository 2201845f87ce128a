"""The people in a driving video: after a cut it may be somebody else, with a rest of their own.

One person's rest under another one's performance is a grimace that never goes away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from retarget.face.likeness import ANOTHER, edges, unlikeness
from retarget.flow.arrays import Floats
from retarget.flow.values import RestFace, TrackedFrame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Person:
    """One person, as samples of the video show them."""

    samples: list[TrackedFrame] = field(default_factory=list)
    """Without pixels: those of 32 frames of 4K would take 800 megabytes."""
    looks: list[Floats] = field(default_factory=list)
    """Edges of their face where each of their shots begins; empty where the video has one shot."""

    def unlike(self, look: Floats) -> float:
        """The distance of a face from the most similar of their looks; see `unlikeness`."""
        return min((unlikeness(look, own) for own in self.looks), default=0.0)


def people_in(frames: Iterable[TrackedFrame]) -> list[Person]:
    """The people in consecutive frames, the one with the most frames first.

    Faces are compared only after cuts, so that videos without cuts take no longer.
    """
    people: list[Person] = []
    begun: TrackedFrame | None = None
    for tracked in frames:
        if tracked.face is None:
            continue
        if begun is None:
            begun = tracked
            people.append(Person())
            now = people[0]
        elif tracked.cut:
            if not people[0].looks:
                people[0].looks.append(_look(begun))
            now = _known(_look(tracked), people)
        now.samples.append(tracked.without_pixels())
    return sorted(people, key=lambda person: -len(person.samples))


def _look(tracked: TrackedFrame) -> Floats:
    if tracked.face is None:
        raise ValueError("there is no face to look at")
    return edges(tracked.frame.rgb, tracked.face)


def _known(look: Floats, people: list[Person]) -> Person:
    """The person who looks like this; a new one is added where nobody does."""
    nearest = min(people, key=lambda person: person.unlike(look))
    if nearest.unlike(look) > ANOTHER:
        nearest = Person()
        people.append(nearest)
    nearest.looks.append(look)
    return nearest


class Cast:
    """Chooses the rest of the person whom a new shot shows."""

    def __init__(self, people: Sequence[Person], rests: Sequence[RestFace]) -> None:
        self._people = list(zip(people, rests, strict=True))

    def __call__(self, tracked: TrackedFrame) -> RestFace:
        """The rest of the person most similar to the face in a frame with pixels."""
        look = _look(tracked)
        return min(self._people, key=lambda known: known[0].unlike(look))[1]
