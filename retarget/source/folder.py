"""A folder of pictures, played as a video."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from retarget.errors import UnreadableInput
from retarget.flow.arrays import Bytes
from retarget.flow.report import Warn
from retarget.flow.source_info import SourceInfo
from retarget.flow.spoken_time import read_rate
from retarget.flow.values import Instant, VideoFrame
from retarget.source.clock import moment
from retarget.source.settings import SourceSettings
from retarget.source.source import Silent, spread
from retarget.source.stills import SUFFIXES, read_still

_FINEST = 1001  # the largest denominator of a frame rate worth telling apart, as in 30000/1001


class Folder(Silent):
    """Pictures of one size in a folder, in numerical order; see `Source`."""

    def __init__(
        self, folder: Path, name: str, settings: SourceSettings, background: Bytes, warn: Warn
    ) -> None:
        self._name = name
        self._background = background
        self._warn = warn
        rate = read_rate(str(settings.picture_rate)).limit_denominator(_FINEST)
        files = pictures_in(folder, name)
        first = max(0, -(-moment(settings.start) * rate // 1))
        last = None if settings.end is None else -(-moment(settings.end) * rate // 1)
        self._files = list(enumerate(files))[slice(first, last)]
        if not self._files:
            raise UnreadableInput(
                f"{name} has no picture between start and end.", do="Give an earlier start."
            )
        self._rate = rate
        beginning = next(self.frames())
        self.info = SourceInfo(
            name=name,
            size=beginning.size,
            time_base=1 / rate,
            rate=rate,
            count=len(self._files),
            duration=len(self._files) / rate,
            cut=settings.start > 0,
        )

    def frames(self) -> Iterator[VideoFrame]:
        """Every picture; see `Source.frames`."""
        return self._read(self._files)

    def sample(self, count: int) -> Iterator[VideoFrame]:
        """Pictures spread over the folder; see `Source.sample`."""
        first = self._files[0][0]
        frames = self._read([self._files[i] for i in spread(count, len(self._files))])
        return (replace(frame, index=frame.at.pts - first) for frame in frames)

    def _read(self, files: list[tuple[int, Path]]) -> Iterator[VideoFrame]:
        size: tuple[int, int] | None = None
        index = 0
        for number, file in files:
            shown = f"{self._name}/{file.name}"
            try:
                rgb = read_still(file, shown, self._background)
            except UnreadableInput as problem:
                self._warn(f"Left out: {problem.what}")
                continue
            frame = VideoFrame(
                rgb=rgb, index=index, at=Instant(number, 1 / self._rate), duration=1 / self._rate
            )
            size = size or frame.size
            if frame.size != size:
                raise UnreadableInput(
                    f"{shown} is {frame.size[0]} x {frame.size[1]} pixels and the pictures before "
                    f"it are {size[0]} x {size[1]}.",
                    do="Bring the pictures of a folder to one size.",
                )
            yield frame
            index += 1
        if index == 0:
            raise UnreadableInput(
                f"Not one picture in {self._name} can be read.", do="Check the files in it."
            )


def pictures_in(folder: Path, name: str) -> list[Path]:
    """The pictures directly in `folder`, `2.png` before `10.png`.

    Raises:
        UnreadableInput: it holds none, or may not be looked into.
    """
    try:
        files = [
            f
            for f in folder.iterdir()
            if f.suffix.lower() in SUFFIXES and not f.name.startswith(".") and f.is_file()
        ]
    except OSError as cause:
        raise UnreadableInput(
            f"The folder {name} may not be looked into.", do="Change its permissions."
        ) from cause
    if not files:
        raise UnreadableInput(
            f"The folder {name} holds no pictures.",
            do="Give a folder of .png or .jpg files, or a video.",
        )
    return sorted(files, key=_counted)


def _counted(file: Path) -> list[tuple[bool, int, str]]:
    parts = re.split(r"(\d+)", file.name.lower())
    return [(p.isdecimal(), int(p) if p.isdecimal() else 0, p) for p in parts if p]
