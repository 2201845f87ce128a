"""The identity lane: one photo, understood once, or a clip, understood picture by picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING

from retarget.errors import NoFaceFound, UnreadableInput
from retarget.expression.settings import FitSettings, RestSettings
from retarget.face.settings import TrackSettings
from retarget.flow.report import Report
from retarget.jobs.tracker import with_model
from retarget.source.settings import SourceSettings

if TYPE_CHECKING:
    from retarget.flow.values import Identity, RestFace
    from retarget.source.source import Source


@dataclass(frozen=True, kw_only=True)
class IdentityLane:
    """The person who shall perform, opened."""

    first: Identity
    """The photo, or the clip's first picture with a face."""
    pictures: Iterator[Identity]
    """One for each driving frame: the photo again and again, or the clip's, from its start again
    where it is shorter."""


@contextmanager
def open_identity(identity: str, track: TrackSettings, report: Report) -> Iterator[IdentityLane]:
    """Open a photo or a clip of the person who shall perform.

    Raises:
        UnreadableInput: it cannot be read.
        NoFaceFound: it does not show a face.
    """
    from retarget.source.open import open_source

    track = with_model(track)
    with open_source(identity, SourceSettings(), warn=report.warn) as source:
        with report.clock("identity"):
            try:
                lane = _photo(source, track, report) if source.info.still else _clip(source, track)
            except (NoFaceFound, UnreadableInput) as error:
                raise error.placed(identity) from None
        yield lane


def _photo(source: Source, track: TrackSettings, report: Report) -> IdentityLane:
    from retarget.expression.rest import understand
    from retarget.face.still import find_face

    frame = next(source.frames())
    photo = understand(frame, find_face(frame, track, report))
    return IdentityLane(first=photo, pictures=repeat(photo))


def _clip(source: Source, track: TrackSettings) -> IdentityLane:
    from retarget.expression.rest import find_rest
    from retarget.face.track import Track

    rest = find_rest(list(Track(track, Report())(iter(source.sample(RestSettings().samples)))))
    pictures = _pictures(source, track, rest)
    first = next(pictures)
    return IdentityLane(first=first, pictures=chain([first], pictures))


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
                )
