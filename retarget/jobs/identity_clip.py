"""A clip as the identity: which of its pictures is shown when, with open eyes.

The clip runs at its own speed beside the driving video, whatever the two frame rates are. Where it
is shorter it is played back and forth: a jump back to the beginning would be noticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
        self._eyes = OpenEyes()
        looked = Report()
        samples = list(self._samples(looked))
        for line in looked.warnings:
            warn(line)
        self._fit = Fit(find_rest(samples), FitSettings())
        seen = [self._fit.express(sample.face) for sample in samples if sample.face is not None]
        self._contact = EyeContact(self._fit.rest, seen)
        self._usual = 1 / (source.info.rate or Fraction(25))
        self._asked = Fraction(0)
        self._shown = self._pictures()
        self._now, self._next = next(self._shown), next(self._shown)

    @property
    def first(self) -> Identity:
        """The first picture with a face."""
        return self._now.identity

    def __call__(self, seconds: Fraction) -> Identity:
        """The picture to show so many seconds after the first one."""
        self._asked = seconds
        while self._next.begins <= seconds + _EARLY * self._next.lasts:
            self._now, self._next = self._next, next(self._shown)
        return self._now.identity

    def _samples(self, report: Report) -> Iterator[TrackedFrame]:
        track = Track(self._track, report, called=self._spec)
        for tracked in track(self._source.sample(RestSettings().samples)):
            if tracked.face is not None:
                self._eyes.look(tracked.frame, tracked.face, lid_opening(tracked.face.points))
            yield tracked.without_pixels()

    def _pictures(self) -> Iterator[_Shown]:
        """The clip's pictures with a face, back and forth without end."""
        passed, kept = Passed(), _Kept()
        begins = Fraction(0)
        pictures = kept.watch(self._understood(passed.watch(self._source.frames())))
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
        yield from self._understood(backwards(self._spec, self._settings, passed))
        yield from self._understood(passed.watch(self._source.frames()))

    def _understood(self, frames: Iterator[VideoFrame]) -> Iterator[_Lasting]:
        """Seconds and identity of each frame with a face."""
        for index, seen in enumerate(self._fit(Track(self._track, Report())(frames))):
            if seen.cut and index > 0:
                self._eyes.forget()
            if seen.tracked is not None and seen.tracked.face is not None:
                identity = self._with_open_eyes(seen.tracked.frame, seen.tracked.face, seen)
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
