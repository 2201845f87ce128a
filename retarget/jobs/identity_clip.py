"""A clip of the person who shall perform: its pictures, when they are shown, eyes open.

The clip runs at its own speed beside the driving video, whatever the two frame rates are. Where it
is shorter it is played back and forth: a person who jumped would draw every eye.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import cycle

from retarget.composite.open_eyes import OpenEyes
from retarget.expression.eye_contact import EyeContact
from retarget.expression.fit import Fit
from retarget.expression.measure import lid_opening
from retarget.expression.rest import find_rest
from retarget.expression.settings import FitSettings, RestSettings
from retarget.face.settings import TrackSettings
from retarget.face.track import Track
from retarget.flow.report import Report
from retarget.flow.values import ExpressedFrame, Face, Identity, TrackedFrame, VideoFrame
from retarget.source.backwards import Passed, backwards
from retarget.source.settings import SourceSettings
from retarget.source.source import Source

_EARLY = Fraction(1, 4)
"""Of its duration that a picture may be shown early: stamps of many files are rounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A picture of the clip, and when."""

    identity: Identity
    begins: Fraction
    """Seconds after the first one."""
    lasts: Fraction
    """Seconds."""


class IdentityClip:
    """The picture of the person at a time; times may not go back.

    Args:
        spec: what was opened.
        settings: how.
        source: the clip.
        track: which face of it.

    Raises:
        NoFaceFound: it does not show a face.
    """

    def __init__(
        self, spec: str, settings: SourceSettings, source: Source, track: TrackSettings
    ) -> None:
        self._spec, self._settings, self._source, self._track = spec, settings, source, track
        self._eyes = OpenEyes()
        samples = list(self._samples())
        self._fit = Fit(find_rest(samples), FitSettings())
        seen = [self._fit.express(sample.face) for sample in samples if sample.face is not None]
        self._contact = EyeContact(self._fit.rest, seen)
        usual = source.info.rate or Fraction(25)
        self._usual = 1 / usual
        self._shown = self._pictures()
        first = next(self._shown)
        self._now = replace(first, identity=replace(first.identity, passing=False))
        self._next = next(self._shown)

    @property
    def first(self) -> Identity:
        """The first picture with a face; to be drawn as often as wanted."""
        return self._now.identity

    def __call__(self, seconds: Fraction) -> Identity:
        """The picture to show so many seconds after the first one."""
        while self._next.begins <= seconds + _EARLY * self._next.lasts:
            self._now, self._next = self._next, next(self._shown)
        return self._now.identity

    def _samples(self) -> Iterator[TrackedFrame]:
        for tracked in Track(self._track, Report())(self._source.sample(RestSettings().samples)):
            if tracked.face is not None:
                self._eyes.look(tracked.frame, tracked.face, lid_opening(tracked.face.points))
            yield tracked.without_pixels()

    def _pictures(self) -> Iterator[_Shown]:
        """The clip's pictures with a face, forth and back without end."""
        begins = Fraction(0)
        passed = Passed()
        for forth in cycle((True, False)):
            frames = (
                passed.watch(self._source.frames())
                if forth
                else backwards(self._spec, self._settings, passed)
            )
            for index, seen in enumerate(self._fit(Track(self._track, Report())(frames))):
                if seen.cut and index > 0:
                    self._eyes.forget()
                if seen.tracked is None or seen.tracked.face is None:
                    continue
                lasts = seen.duration or self._usual
                identity = self._with_open_eyes(seen.tracked.frame, seen.tracked.face, seen)
                yield _Shown(identity=identity, begins=begins, lasts=lasts)
                begins += lasts

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
