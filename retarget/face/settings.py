"""Settings of finding and following a face."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from retarget.errors import NoFaceFound, RetargetError, UnreadableInput
from retarget.flow.declared import AsDeclared, Kept, check_range

CHOICES = ("largest", "left", "right")
AUTO = "auto"
"""No face is chosen."""


@dataclass(frozen=True, kw_only=True)
class TrackSettings(AsDeclared):
    """Which face is followed, and how it is found."""

    by: Literal["auto", "mesh", "tasks"] = "auto"
    """Tracker: mesh (its models come with mediapipe 0.10.21), tasks (needs the file
    face_landmarker.task), or auto: mesh where it can run, else tasks."""
    which: Kept[str] = AUTO
    """Face to follow where there are several: largest, left, right (as the picture shows them), a
    number counted from the left starting with 0, or the pixel "x,y" it is nearest to; auto takes
    the largest, which has to stand out in a photo. Or name it with the file: group.jpg#left."""
    certainty: float = 0.5
    """How certain a face must be, 0.05 to 0.95; lower finds more faces, and more false ones."""
    looks: int = 1
    """Crops each mesh is averaged over, 1 to 8: two reduce jitter by a quarter and take twice the
    time (the tasks tracker uses one)."""
    cuts: bool = True
    """Notice cuts to another shot, and choose the face anew after one."""
    patience: float = 120.0
    """Seconds of video without any face, from the start, after which to give up; 0: never."""
    bundle: Kept[Path] | None = None
    """The file face_landmarker.task, for the tasks tracker, which auto takes where it is given."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("certainty", self.certainty, 0.05, 0.95)
        check_range("looks", self.looks, 1, 8)
        check_range("patience", self.patience, 0.0)
        parse_choice(self.which)


Choice: TypeAlias = str | int | tuple[float, float]
"""One face among several: a rule of `CHOICES`, its number from the picture's left, from 0, or the
(x, y) in pixels that it is nearest to."""


def not_so_many(shown: str, which: str) -> NoFaceFound:
    """The error where there is no face with the number of `TrackSettings.which`.

    Args:
        shown: the beginning of the sentence, such as "The picture shows 2 faces".
        which: the number.
    """
    return NoFaceFound(
        f"{shown}, so there is no face number {which}.",
        do="Faces are counted from the left, from 0; right, left or the nearest pixel (320,240) "
        "can also be said where another picture shows fewer faces, or each photo's own choice "
        "behind its name, as in group.jpg#left.",
    )


def none_in_picture() -> NoFaceFound:
    """The error where a picture shows no face."""
    return NoFaceFound(
        "No human face found in the picture.",
        do="Use a picture in which the face is clearly visible, from the front if possible.",
    )


def none_of_several(called: str, count: int) -> UnreadableInput:
    """The error where a picture shows several faces of similar size, and none is chosen."""
    return UnreadableInput(
        f"{called} shows {count} faces, and none is clearly the largest.",
        do="Say which behind the file's name, as in group.jpg#left, or by track.which: "
        f"{', '.join(CHOICES)}, a number from 0, or the nearest pixel as 320,240.",
    )


def of_several(called: str, taken: str) -> str:
    """The warning that a picture or clip shows several faces and none is chosen.

    Args:
        called: its name.
        taken: the face in use, as in "the largest is taken".
    """
    return (
        f"{called} shows several faces, of which {taken}. Another is named by track.which, or "
        "behind the file's name, as in group.jpg#left."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFace:
    """A photo or clip, and the face that a mark in its name chooses: `group.jpg#left`."""

    file: str
    which: str = ""
    """As `TrackSettings.which`, which applies where this is empty."""

    def __str__(self) -> str:
        return f"{self.file}{self.mark}"

    @property
    def mark(self) -> str:
        """The mark after the file's name, `#left`; empty without one."""
        return f"#{self.which}" if self.which else ""

    def chosen(self, track: TrackSettings) -> TrackSettings:
        """The settings, with this face chosen."""
        return replace(track, which=self.which) if self.which else track


def named_face(name: str, folder: Path = Path()) -> NamedFace:
    """Read `group.jpg#left`; an existing file of the whole name has no mark.

    Args:
        name: the name of a photo or clip.
        folder: names are relative to it.

    Raises:
        RetargetError: the mark after # is no rule, number or point.
    """
    file, mark, which = name.rpartition("#")
    # Path.exists raises an error for a name that is too long, or a folder that may not be read.
    if not mark or os.path.lexists(folder / name) or not os.path.lexists(folder / file):
        return NamedFace(file=name)
    parse_choice(which)
    return NamedFace(file=file, which=which)


def parse_choice(word: str) -> Choice:
    """Read `TrackSettings.which`.

    Raises:
        RetargetError: it is no rule, number or point.
    """
    plain = word.strip().lower()
    if plain == AUTO:
        return CHOICES[0]
    if plain in CHOICES:
        return plain
    if plain.isdecimal() and len(plain) < 4:
        return int(plain)
    parts = plain.split(",")
    try:
        x, y = (float(part) for part in parts)
    except ValueError:
        raise _no_choice(word) from None
    if not (abs(x) < 1e6 and abs(y) < 1e6):
        raise _no_choice(word)
    return x, y


def _no_choice(word: str) -> RetargetError:
    return RetargetError(
        f"{word!r} does not say which face to follow.",
        do=f"Say {', '.join(CHOICES)}, a number from 0, or the nearest pixel as 320,240.",
    )
