"""A path, a folder or an address → the right source."""

from __future__ import annotations

import errno
import math
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from retarget.errors import RetargetError, UnreadableInput
from retarget.flow.arrays import Bytes
from retarget.flow.paths import check_no_stream, is_folder
from retarget.flow.report import Warn, unheard
from retarget.source import animation, folder, stills, url
from retarget.source.place import Place
from retarget.source.settings import LONGEST, SourceSettings
from retarget.source.shrunk import shrunk
from retarget.source.source import Source
from retarget.source.video_file import VideoFile

_SAID = 60
"""Characters of an overlong name in messages."""
_NUMBERED = re.compile(r"%0?\d*d|#|\*")
"""Placeholders of numbers in names, as in FFmpeg, compositing programs and shells."""
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)


@contextmanager
def open_source(
    spec: str | Path, settings: SourceSettings | None = None, *, warn: Warn = unheard
) -> Iterator[Source]:
    """Open whatever `spec` names.

    Args:
        spec: a video file, a picture file, a folder of pictures, or an http(s) address of either
            file.
        settings: which piece, and how to read it.
        warn: called with a line for a problem that is not fatal, such as a broken packet.

    Raises:
        UnreadableInput: it does not exist, is no video or picture, or is too large.
        RetargetError: a setting is invalid.
    """
    settings = settings or SourceSettings()
    check_piece(settings)
    background = _color(settings.background)
    source = _source(str(spec), settings, background, warn)
    if settings.longest_side is not None:
        source = shrunk(source, settings.longest_side)
    yield source


def _source(spec: str, settings: SourceSettings, background: Bytes, warn: Warn) -> Source:
    path = Path(spec)
    scheme = _SCHEME.match(spec)
    try:
        found = path.stat()
    except (OSError, ValueError) as cause:
        if scheme:
            return url.open_url(spec, scheme[1].lower(), settings, background, warn)
        check_no_stream(spec)
        raise _not_found(spec, cause) from cause
    if not spec:  # which Path takes as the current folder
        raise UnreadableInput("There is no file (no name).", do="Check the path.")
    if stat.S_ISDIR(found.st_mode):
        return folder.Folder(path, spec, settings, background, warn)
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableInput(f"{spec} is not a file.", do="Give a video or a picture.")
    if found.st_size == 0:
        raise UnreadableInput(f"{spec} is empty.", do="Choose another file.")
    if stills.is_picture(path):
        return animation.picture_file(path, spec, settings, background, warn)
    place = Place(name=spec, address=str(path.resolve()))
    return VideoFile(place, settings, background, warn)


def _not_found(spec: str, cause: Exception) -> UnreadableInput:
    number = getattr(cause, "errno", None)
    if number in (errno.EACCES, errno.EPERM):
        return UnreadableInput(
            f"{spec} lies in a folder that you may not enter.",
            do="Change the folder's permissions, or copy the file to another one.",
        )
    if number == errno.ENAMETOOLONG:
        return UnreadableInput(
            f"There is no file {spec[:_SAID]}…: its name is too long.", do="Check the path."
        )
    folder = Path(spec).parent
    if _NUMBERED.search(Path(spec).name) and is_folder(folder):
        do = f"Numbered pictures are read in order where their folder is named: {folder}."
    else:
        do = "Check the path."
    return UnreadableInput(f"There is no file {spec}.", do=do)


def check_piece(settings: SourceSettings) -> None:
    """Refuse a piece that is not in any video.

    Raises:
        RetargetError: it starts before the beginning, or ends before it starts.
    """
    start, end = settings.start, settings.end
    if not 0 <= start < LONGEST:
        raise RetargetError(
            f"A start of {start:g} s is not in any video.", do="Give a time that the video has."
        )
    if end is not None and math.isinf(end):
        raise RetargetError(
            f"An end of {end:g} s is not in any video.", do="Leave it out to read to the end."
        )
    if end is not None and not end > start:
        raise RetargetError(
            f"There is no piece from {start:g} s to {end:g} s.", do="Let end be after start."
        )


def _color(text: str) -> Bytes:
    """A colour written as #rrggbb as (3,) uint8 RGB."""
    color = re.fullmatch(r"#?([0-9a-fA-F]{6})", text)
    if color is None:
        raise RetargetError(
            f"{text!r} is not a colour.", do="Write it as #rrggbb, such as #ffffff."
        )
    return np.frombuffer(bytes.fromhex(color[1]), np.uint8)
