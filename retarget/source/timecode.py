"""SMPTE timecode (ST 12-1), by which editing programs align shots."""

from __future__ import annotations

import re
from fractions import Fraction

from av.container import InputContainer
from av.video.stream import VideoStream

_WRITTEN = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)([:;.])(\d\d)")
"""A mark other than `:` before the frames stands for drop-frame timecode."""
_TENS = 24 * 6
"""Pieces of ten minutes in a day."""


def timecode_of(container: InputContainer, stream: VideoStream) -> str | None:
    """The timecode of a stream's first frame, as the file's metadata give it."""
    for tags in (stream.metadata, container.metadata):
        for name, value in tags.items():
            if name.lower() == "timecode":
                return value
    return None


def advanced(timecode: str, frames: int, rate: Fraction) -> str | None:
    """The timecode so many frames later; None where it is none at that frame rate.

    Drop-frame timecode leaves out the first numbers of a minute (2 of 30), save every tenth one.
    """
    found, counted = _WRITTEN.fullmatch(timecode), round(rate)
    if found is None or int(found[5]) >= counted:
        return None
    hours, minute, second, frame = (int(found[i]) for i in (1, 2, 3, 5))
    dropped = 0 if found[4] == ":" else counted // 15
    if dropped and counted % 30:
        return None
    minute += 60 * hours
    number = (60 * minute + second) * counted + frame - dropped * (minute - minute // 10) + frames
    tens, within = divmod(number, 600 * counted - 9 * dropped)
    passed = max(0, within - dropped) // (60 * counted - dropped)
    within += dropped * passed
    whole, frame = divmod(within, counted)
    minute, second = tens % _TENS * 10 + whole // 60, whole % 60
    return f"{minute // 60:02d}:{minute % 60:02d}:{second:02d}{found[4]}{frame:02d}"
