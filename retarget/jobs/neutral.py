"""The frame in which the driving face is at rest: `12`, `3.5s`, `0:03.5` or `face.png`."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from retarget.errors import NoFaceFound, RetargetError, UnreadableInput
from retarget.flow.report import Report
from retarget.flow.spoken_time import seconds_of
from retarget.source.settings import SourceSettings

if TYPE_CHECKING:
    from retarget.expression.settings import RestSettings
    from retarget.face.settings import TrackSettings
    from retarget.flow.values import RestFace, VideoFrame

AUTO = "auto"
_FRAME = re.compile(r"\d{1,18}")


def parse_neutral(word: str) -> int | float | Path:
    """Read `RestSettings.neutral`: a frame's number, seconds, or a picture.

    Raises:
        RetargetError: it is neither a frame number nor a time nor a file that exists.
    """
    if _FRAME.fullmatch(word):
        return int(word)
    seconds = seconds_of(word)
    if seconds is not None:
        return seconds
    if _is_file(word):
        return Path(word)
    raise RetargetError(
        f"The neutral {word!r} is no frame number, no time and no picture file.",
        do="Give a frame such as 12, a time such as 3.5s, a picture's path, or auto.",
    )


def _is_file(word: str) -> bool:
    try:
        return Path(word).is_file()
    except OSError as error:  # a folder that may not be entered, a name that is too long
        raise UnreadableInput(
            f"The neutral {word!r} cannot be read: {error.strerror}.",
            do="Check the path and who may read it.",
        ) from error


def rest_of(frame: VideoFrame, rest: RestSettings, track: TrackSettings) -> RestFace:
    """The rest face of a given neutral frame, without doubting that it is at rest.

    Args:
        frame: the frame that `rest.neutral` names.
        rest: how the rest is measured.
        track: chooses the face in the frame, and how it is found.

    Raises:
        NoFaceFound: it shows no face.
    """
    from retarget.expression.rest import find_rest
    from retarget.face.track import Track

    try:
        shown = list(Track(track, Report())(iter([frame])))
    except NoFaceFound as error:
        raise NoFaceFound(
            f"The neutral {rest.neutral!r} shows no face.",
            do="Choose a moment or a picture in which the face can be seen.",
        ) from error
    return find_rest(shown, replace(rest, certainty=0.0))


def picture_frame(path: Path) -> VideoFrame:
    """The picture that shows the driving face at rest."""
    from retarget.source.open import open_source

    with open_source(str(path), SourceSettings()) as picture:
        return next(picture.frames())


def neutral_frame(word: str, driving: str, settings: SourceSettings) -> VideoFrame:
    """The frame that shows the driving face at rest.

    Args:
        word: `RestSettings.neutral`, not `auto`; it counts from the beginning of the whole video.
        driving: the video, as a source is opened from it.
        settings: how it is read, and the piece of it that drives.

    Raises:
        UnreadableInput: the video has no such frame.
        RetargetError: `word` makes no sense.
    """
    where = parse_neutral(word)
    if isinstance(where, Path):
        return picture_frame(where)
    found = _at(where, driving, settings)
    if found is None:
        raise UnreadableInput(
            f"The neutral {word!r} lies after the end of {driving}.", do="Choose an earlier one."
        )
    return found


def _at(where: int | float, driving: str, settings: SourceSettings) -> VideoFrame | None:
    """The frame with that number, or at that time, from the beginning of the whole video."""
    from retarget.source.open import open_source

    start, number = (0.0, where) if isinstance(where, int) else (where, 0)
    try:
        with open_source(driving, replace(settings, start=start, end=None)) as there:
            return next(islice(there.frames(), number, None), None)
    except UnreadableInput:  # the video opened before, so it ends before this time
        return None
