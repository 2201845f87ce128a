"""The identity lane: one photo, understood once, or a clip, understood picture by picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import TYPE_CHECKING

from retarget.errors import UnreadableInput
from retarget.expression.settings import FitSettings, RestSettings
from retarget.face.settings import TrackSettings
from retarget.flow.report import Report
from retarget.jobs.naming import naming
from retarget.jobs.tracker import with_model
from retarget.source.settings import SourceSettings

if TYPE_CHECKING:
    from retarget.flow.values import Identity, RestFace
    from retarget.source.source import Source


@dataclass(frozen=True, kw_only=True)
class IdentityLane:
    """The person who shall perform, opened."""

    first: Identity
    """The photo, or the clip's first picture with a face; to be drawn as often as wanted."""
    pictures: Iterator[Identity]
    """One for each driving frame: the photo again and again, or the clip's, from its start again
    where it is shorter."""
    photo: bool

    def driven_by(self, rest: RestFace) -> IdentityLane:
        """The same person, known better if it is the driving one, whose rest a clip tells."""
        from retarget.expression.same_person import with_driving_rest

        if not self.photo:
            return self
        return _of_photo(with_driving_rest(self.first, rest))


@contextmanager
def open_identity(
    identity: str, track: TrackSettings, report: Report, *, source: SourceSettings | None = None
) -> Iterator[IdentityLane]:
    """Open a photo or a clip of the person who shall perform.

    Args:
        identity: its name.
        track: which face of it.
        report: where times and warnings go.
        source: how its pixels are read.

    Raises:
        UnreadableInput: it cannot be read.
        NoFaceFound: it does not show a face.
    """
    from retarget.expression.performance import is_performance
    from retarget.source.open import open_source

    if is_performance(identity):
        raise UnreadableInput(
            f"{identity} is a saved performance, which keeps no pixels of a face.",
            do="Give a photo or a clip of the person who shall perform.",
        )
    track = with_model(track)
    with open_source(identity, source, warn=report.warn) as opened:
        with report.clock("identity"), naming(identity):
            lane = _photo(opened, track, report) if opened.info.still else _clip(opened, track)
        yield lane


def _photo(source: Source, track: TrackSettings, report: Report) -> IdentityLane:
    from retarget.expression.rest import understand
    from retarget.face.still import find_face

    frame = next(source.frames())
    return _of_photo(understand(frame, find_face(frame, track, report)))


def _of_photo(photo: Identity) -> IdentityLane:
    return IdentityLane(first=photo, pictures=repeat(photo), photo=True)


def _clip(source: Source, track: TrackSettings) -> IdentityLane:
    from retarget.expression.rest import find_rest
    from retarget.face.track import Track

    tracked = Track(track, Report())(source.sample(RestSettings().samples))
    rest = find_rest([t.without_pixels() for t in tracked])
    pictures = _pictures(source, track, rest)
    first = replace(next(pictures), passing=False)
    return IdentityLane(first=first, pictures=chain([first], pictures), photo=False)


def _pictures(source: Source, track: TrackSettings, rest: RestFace) -> Iterator[Identity]:
    """The clip's pictures with a face, over and over."""
    from retarget.expression.fit import Fit
    from retarget.face.track import Track
    from retarget.flow.values import Identity

    fit = Fit(rest, FitSettings())
    while True:
        for frame in fit(Track(track, Report())(source.frames())):
            tracked = frame.tracked
            if tracked is None or tracked.face is None or frame.pose is None:
                continue
            if frame.expression is not None:
                yield Identity(
                    frame=tracked.frame,
                    face=tracked.face,
                    pose=frame.pose,
                    expression=frame.expression,
                    rest=rest,
                    passing=True,
                )
