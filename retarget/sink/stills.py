"""Numbered pictures, or one picture."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from retarget.errors import CannotWrite
from retarget.flow.values import FinishedFrame
from retarget.sink.mark import Mark
from retarget.sink.names import numbered, pattern_of
from retarget.sink.refusals import writing

KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""Pillow's name of each kind of picture, by the ending of its file."""
SUFFIXES = tuple(KINDS)


def save_still(file: Path, frame: FinishedFrame, mark: Mark, quality: int) -> None:
    """Write one picture of the kind its name says, with the mark in it."""
    image = Image.fromarray(frame.frame.rgb)
    kind = KINDS[file.suffix.lower()]
    how = {
        "PNG": {"compress_level": 2},
        "WEBP": {"quality": min(100, quality + 15)},
        "JPEG": {"quality": min(97, 57 + quality // 2), "subsampling": 0},
    }[kind]
    image.save(file, format=kind, **how, **mark.for_pillow(kind))


class _AtOnce:
    """A sink that writes each frame at once."""

    def finish(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""


class PicturesSink(_AtOnce):
    """A file for each frame, numbered by its index ("frame_%05d.png"); see `OpenSink`."""

    def __init__(
        self, folder: Path, target: Path, *, pattern: str, mark: Mark, quality: int
    ) -> None:
        self._folder = folder
        self._target = target
        self._pattern = pattern
        self._mark = mark
        self._quality = quality

    def write(self, frame: FinishedFrame) -> None:
        """Write the next picture; see `Sink.write`."""
        with writing(self._target):
            file = self._folder / numbered(self._pattern, frame.frame.index)
            save_still(file, frame, self._mark, self._quality)


class PictureSink(_AtOnce):
    """One picture; see `OpenSink`."""

    def __init__(self, file: Path, target: Path, *, mark: Mark, quality: int) -> None:
        self._file = file
        self._target = target
        self._mark = mark
        self._quality = quality
        self._full = False

    def write(self, frame: FinishedFrame) -> None:
        """Write the picture; see `Sink.write`.

        Raises:
            CannotWrite: there is one already.
        """
        if self._full:
            raise CannotWrite(
                f"{self._target} holds one picture, and there are more.",
                do=f"Name the output {pattern_of(self._target.name)}, or as a video.",
            )
        with writing(self._target):
            save_still(self._file, frame, self._mark, self._quality)
        self._full = True
