"""The identity lane: a photo, analysed once, or a clip, analysed frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from retarget.errors import UnreadableInput
from retarget.face.settings import NamedFace, TrackSettings, named_face
from retarget.flow.report import Report
from retarget.jobs.naming import naming
from retarget.jobs.tracker import with_model
from retarget.source.settings import SourceSettings

if TYPE_CHECKING:
    from retarget.flow.values import Identity
    from retarget.generate.settings import WarpSettings
    from retarget.source.source import Source
    from retarget.transfer.settings import TransferSettings
    from retarget.transfer.transfer import DrivingFace

AVERTED = 15.0
"""Degrees of yaw from which the face's far outline lies against the background: at less, ear, hair
or neck lie between the two."""


@dataclass(frozen=True, kw_only=True)
class IdentityLane:
    """The person who performs, opened."""

    first: Identity
    """The photo, or the clip's first picture with a face."""
    at: Callable[[Fraction], Identity]
    """The picture to show so many seconds after the first driving frame: the photo, or the clip's
    picture at that time. Times must not go back."""
    photo: bool

    def driven_by(
        self, driving: DrivingFace, transfer: TransferSettings, warp: WarpSettings
    ) -> IdentityLane:
        """The same person; if it is the driving person, with the rest found in the driving clip.

        Args:
            driving: the driving face.
            transfer: whether the head follows the driving head.
            warp: whether the background keeps still; if so, and the outline of the person moves
                before it, the photo is split into person and background.
        """
        from retarget.expression.same_person import with_driving_rest

        if not self.photo:
            return self
        photo = with_driving_rest(self.first, driving.rest, driving.usual, driving.moments)
        apart = warp.background == "still" and (transfer.motion == "full" or is_averted(photo))
        return _of_photo(with_person_matte(photo) if apart else photo)


def is_averted(photo: Identity) -> bool:
    """Whether cheek and jaw of this face border on the background."""
    return abs(photo.pose.angles[0]) > AVERTED


def with_person_matte(photo: Identity) -> Identity:
    """The same photo with a matte of the person, which separates them from the background."""
    from retarget.composite.matte import PersonMatte

    person = PersonMatte().where(photo.frame.rgb, photo.face.points)
    return replace(photo, person=person)


@contextmanager
def open_identity(
    identity: str,
    track: TrackSettings,
    report: Report,
    *,
    source: SourceSettings | None = None,
    models: Path | None = None,
) -> Iterator[IdentityLane]:
    """Open a photo or a clip of the person who performs.

    Args:
        identity: the file's name; a mark chooses one face of several: group.jpg#left.
        track: chooses the face where the name has no mark, and how it is found.
        report: receives times and warnings.
        source: how the pixels are read.
        models: folder with model files; None: RETARGET_MODELS or the user's cache.

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
    named, source = named_face(identity), source or SourceSettings()
    track = with_model(named.chosen(track), models)
    with open_source(named.file, source, warn=report.warn) as opened:
        with report.clock("identity"), naming(named.file):
            if opened.info.still:
                lane = _photo(named, opened, track, report)
            else:
                from retarget.jobs.identity_clip import IdentityClip

                clip = IdentityClip(named.file, source, opened, track, report.warn)
                lane = IdentityLane(first=clip.first, at=clip, photo=False)
        yield lane


def understood(
    photo: str, track: TrackSettings, report: Report, *, models: Path | None = None
) -> Identity:
    """The person of a photo, or of a clip's first picture with a face; see `open_identity`."""
    with open_identity(photo, track, report, models=models) as lane:
        return lane.first if lane.photo else replace(lane.first, passing=False)


def _photo(named: NamedFace, source: Source, track: TrackSettings, report: Report) -> IdentityLane:
    from retarget.expression.rest import understand
    from retarget.face.still import find_face

    frame = next(source.frames())
    face = find_face(frame, track, report, called=named.file)
    return _of_photo(understand(frame, face))


def _of_photo(photo: Identity) -> IdentityLane:
    return IdentityLane(first=photo, at=lambda _: photo, photo=True)
