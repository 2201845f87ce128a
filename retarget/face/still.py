"""The face in a single picture."""

from __future__ import annotations

from collections.abc import Sequence

from retarget.errors import NoFaceFound, UnreadableInput
from retarget.face.choose import choose
from retarget.face.open import open_model
from retarget.face.region import MARGIN, Reading
from retarget.face.search import Search
from retarget.face.settings import (
    AUTO,
    TrackSettings,
    none_in_picture,
    none_of_several,
    not_so_many,
    of_several,
    parse_choice,
)
from retarget.flow.report import Report
from retarget.flow.values import Face, VideoFrame

SMALLEST = 48
"""Pixels a face must be wide or high to be worth making a video of."""
_SMALL = 96
_ALIKE = 0.8
"""Part of the largest face's width above which another face could be meant as well."""


def find_face(
    frame: VideoFrame, settings: TrackSettings, report: Report, *, called: str = "The picture"
) -> Face:
    """The face that `settings.which` names in a picture, upright, lying or upside down.

    Warnings speak of the picture as it is `called`.

    Raises:
        NoFaceFound: the picture shows no human face, or not as many as `which` counts.
        UnreadableInput: the picture or its face is too small, or it shows several, none much
            larger than the others, and `which` does not say which.
    """
    if min(frame.size) < SMALLEST:
        width, height = frame.size
        raise UnreadableInput(
            f"The picture has only {width}x{height} pixels.",
            do=f"Use one in which the face alone is {_SMALL} pixels wide or more.",
        )
    choice = parse_choice(settings.which)
    model = open_model(settings)
    try:
        search = Search(model, settings.certainty)
        found = search.everywhere(frame.rgb, complete=choice != "largest", turned=True)
        face = choose(found, choice)
        if face is None:
            raise _nobody(len(found), settings)
        unsaid = settings.which == AUTO and len(found) > 1
        if unsaid:
            _check_largest(face, found, called)
        face = search.settled(frame.rgb, face)
    finally:
        model.close()
    _check_size(face, report, called)
    if unsaid:
        report.warn(of_several(called, "the largest is taken"))
    return Face(points=face.points, scores=face.scores)


def _check_largest(face: Reading, found: Sequence[Reading], called: str) -> None:
    if sum(other.region.side > _ALIKE * face.region.side for other in found) > 1:
        raise none_of_several(called, len(found))


def _check_size(face: Reading, report: Report, called: str) -> None:
    wide = face.region.side / MARGIN
    if wide < SMALLEST:
        raise UnreadableInput(
            f"The face in the picture is only {wide:.0f} pixels wide.",
            do=f"Use a picture in which it is {_SMALL} pixels wide or more.",
        )
    if wide < _SMALL:
        report.warn(
            f"{called} shows a face only {wide:.0f} pixels wide, which looks soft and is "
            "read less surely than a larger one."
        )


def _nobody(count: int, settings: TrackSettings) -> NoFaceFound:
    if count:
        shown = f"The picture shows {count} {'face' if count == 1 else 'faces'}"
        return not_so_many(shown, settings.which)
    return none_in_picture()
