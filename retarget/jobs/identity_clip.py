"""A clip as the identity: which of its pictures is shown when, with open eyes.

The clip runs at its own speed beside the driving video, whatever the two frame rates are. Where it
is shorter it is played back and forth: a jump back to the beginning would be noticed. Where its
face is away its pictures stay as they are; for a moment, the picture with a face beside it is held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from retarget.composite.open_eyes import OpenEyes
from retarget.expression.eye_contact import EyeContact
from retarget.expression.fit import Fit
from retarget.expression.measure import lid_opening
from retarget.expression.rest import find_rest
from retarget.expression.settings import FitSettings, RestSettings
from retarget.face.settings import TrackSettings
from retarget.face.track import Track
from retarget.flow.report import Report, Warn
from retarget.flow.values import ExpressedFrame, Face, Identity, TrackedFrame, VideoFrame
from retarget.source.backwards import Passed, backwards
from retarget.source.settings import SourceSettings
from retarget.source.source import Source

_EARLY = Fraction(1, 4)
"""Part of its duration that a picture may be shown early, as many files round time stamps."""
_HELD = Fraction(1, 4)
"""Seconds for which a lost face is taken for one that was only not seen, as in a blurred frame."""
_KEPT_BYTES = 32_000_000
"""Bytes of pixels up to which a clip is kept in memory, not read again."""

_Lasting = tuple[Fraction, Identity]
"""Seconds for which a picture is shown, and the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A picture of the clip, and when it is shown."""

    identity: Identity
    begins: Fraction
    """Seconds after the first one."""
    lasts: Fraction
    """Seconds."""


class _Kept:
    """The pictures of a clip short enough to be kept in memory."""

    def __init__(self) -> None:
        self._pictures: list[_Lasting] = []

    def watch(self, pictures: Iterator[_Lasting]) -> Iterator[_Lasting]:
        """Pass the pictures on, and keep them while they fit into `_KEPT_BYTES`."""
        free = _KEPT_BYTES
        for picture in pictures:
            free -= picture[1].frame.rgb.nbytes
            if free >= 0:
                self._pictures.append(picture)
            else:
                self._pictures.clear()
            yield picture

    def back_and_forth(self) -> list[_Lasting]:
        """One round backwards and forwards; empty where the clip was too large to keep."""
        there = self._pictures
        return [*there[-2:0:-1], *there]


class IdentityClip:
    """The person's picture at a given time; times must not go back.

    Raises:
        NoFaceFound: it does not show a face.
    """

    def __init__(
        self, spec: str, settings: SourceSettings, source: Source, track: TrackSettings, warn: Warn
    ) -> None:
        self._spec, self._settings, self._source, self._track = spec, settings, source, track
        self._eyes, self._warn = OpenEyes(), warn
        looked = Report()
        samples = list(self._samples(looked))
        for line in looked.warnings:
            warn(line)
        self._fit = Fit(find_rest(samples), FitSettings())
        faces = [(sample.frame, sample.face) for sample in samples if sample.face is not None]
        seen = [self._fit.express(face) for _, face in faces]
        self._contact = EyeContact(self._fit.rest, seen)
        (frame, face), (expression, pose) = faces[0], seen[0]
        self._seen = sampled = Identity(
            frame=frame, face=face, pose=pose, expression=expression, rest=self._contact.at(pose)
        )
        self._usual = 1 / (source.info.rate or Fraction(25))
        self._asked, self._told = Fraction(0), False
        self._shown = self._pictures()
        self._now, self._next = next(self._shown), next(self._shown)
        self.first = sampled if self._now.identity.away else self._now.identity
        """The first picture, or another one that shows a face."""

    def __call__(self, seconds: Fraction) -> Identity:
        """The picture to show so many seconds after the first one."""
        self._asked = seconds
        while self._next.begins <= seconds + _EARLY * self._next.lasts:
            self._now, self._next = self._next, next(self._shown)
        return self._now.identity

    def _samples(self, report: Report) -> Iterator[TrackedFrame]:
        """Pictures spread over the clip; of those with a face only the first keeps its pixels."""
        shown = False
        track = Track(self._track, report, called=self._spec)
        for tracked in track(self._source.sample(RestSettings().samples)):
            if tracked.face is not None:
                self._eyes.look(tracked.frame, tracked.face, lid_opening(tracked.face.points))
            yield tracked.without_pixels() if shown or tracked.face is None else tracked
            shown = shown or tracked.face is not None

    def _pictures(self) -> Iterator[_Shown]:
        """The clip's pictures, back and forth without end."""
        passed, kept = Passed(), _Kept()
        begins = Fraction(0)
        pictures = kept.watch(self._lasting(passed.watch(self._source.frames())))
        while True:
            begun = begins
            for lasts, identity in pictures:
                yield _Shown(identity=identity, begins=begins, lasts=lasts)
                begins += lasts
            lasted = begins - begun
            if begun > 0 and lasted > 0:  # whole rounds between two driving frames are skipped
                begins += max(0, (self._asked - begins) // lasted) * lasted
            pictures = iter(kept.back_and_forth() or self._read_back_and_forth(passed))

    def _read_back_and_forth(self, passed: Passed) -> Iterator[_Lasting]:
        yield from self._lasting(backwards(self._spec, self._settings, passed))
        yield from self._lasting(passed.watch(self._source.frames()))

    def _lasting(self, frames: Iterator[VideoFrame]) -> Iterator[_Lasting]:
        for lasts, identity in _held(self._understood(frames)):
            if identity.away and not self._told:
                self._told = True
                self._warn(
                    f"{self._spec} shows no face at {identity.frame.at.seconds:.1f} s; where it "
                    "does not for longer than a moment, its pictures stay as they are."
                )
            yield lasts, identity

    def _understood(self, frames: Iterator[VideoFrame]) -> Iterator[_Lasting]:
        """Seconds and identity of each frame."""
        for index, seen in enumerate(self._fit(Track(self._track, Report())(frames))):
            if seen.cut and index > 0:
                self._eyes.forget()
            if seen.tracked is None:
                continue
            frame, face = seen.tracked.frame, seen.tracked.face
            if face is None:
                identity = replace(self._seen, frame=frame, passing=True, away=True)
            else:
                identity = self._seen = self._with_open_eyes(frame, face, seen)
            yield seen.duration or self._usual, identity

    def _with_open_eyes(self, picture: VideoFrame, face: Face, seen: ExpressedFrame) -> Identity:
        expression, pose = seen.expression, seen.pose
        opened = picture
        if expression is not None and expression.measured is not None:
            opened, face = self._eyes(picture, face, expression.measured.aperture)
        if opened is not picture or expression is None or pose is None:
            expression, pose = self._fit.express(face)
        return Identity(
            frame=opened, face=face, pose=pose, expression=expression,
            rest=self._contact.at(pose), passing=True,
        )  # fmt: skip


def _held(pictures: Iterator[_Lasting]) -> Iterator[_Lasting]:
    """The pictures; of a face lost for a moment, the one before, at the beginning the one after."""
    before: Identity | None = None
    lost: list[_Lasting] = []
    gone = False  # for longer than a moment
    for lasts, identity in pictures:
        if identity.away:
            lost.append((lasts, identity))
            gone = gone or sum(lasted for lasted, _ in lost) > _HELD
            if gone:
                yield from lost
                lost = []
            continue
        yield from ((lasted, before or identity) for lasted, _ in lost)
        yield lasts, identity
        before, lost, gone = identity, [], False
    yield from ((lasted, before or away) for lasted, away in lost)
