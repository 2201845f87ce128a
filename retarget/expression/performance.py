"""Save what a face did, without its pixels, and perform it again.

`.npz` (see `npz.py`) keeps everything: the rest, the weights, what was measured, the pose and
exact times. `.csv` (see `live_link.py`) is the Live Link Face layout, for exchange with animation
tools; it keeps weights and angles only. Both are written and read frame by frame.
"""

from __future__ import annotations

import zipfile
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TextIO, TypeAlias, TypeVar

from retarget.errors import CannotWrite, UnknownWord, UnreadableInput
from retarget.flow.atomic_files import alone, becoming, landed_line
from retarget.flow.report import Warn
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import ExpressedFrame, RestFace

Guard: TypeAlias = Callable[[], AbstractContextManager[None]]
"""Entered around each write, to turn the system's errors into `CannotWrite`."""
File = TypeVar("File", TextIO, zipfile.ZipFile)

SUFFIXES = (".csv", ".npz")


class Performance(ABC):
    """A saved performance; its file is open only while frames are read."""

    path: Path
    rest: RestFace
    """The rest that weights are relative to; an average face where the layout has none."""
    info: SourceInfo
    """The source it was made from, as far as the layout holds it; `count` is exact."""

    @abstractmethod
    def frames(self) -> Iterator[ExpressedFrame]:
        """Every frame, in order; each call begins anew."""


def save_performance(
    path: str | Path,
    frames: Iterable[ExpressedFrame],
    rest: RestFace,
    info: SourceInfo,
    kept: Warn | None = None,
) -> Path:
    """Write a performance as its frames come; if they fail, no file is left.

    Args:
        path: `.npz` or `.csv`.
        frames: what to save; pixels are left out.
        rest: the rest that weights are relative to; `.csv` leaves it out.
        info: the source it was made from.
        kept: called with a line if a file appeared at `path` meanwhile, which stays, and the
            performance took the next free name; None: `path` is replaced.

    Returns:
        Where the performance is.

    Raises:
        UnknownWord: the name ends in neither.
        CannotWrite: the system refuses, or the file could not be read again: there is no frame,
            or one is not later than the one before, or holds NaN or infinity.
    """
    path = Path(path)
    from retarget.expression import live_link, npz

    as_table, guard = suffix_of(path) == ".csv", partial(_writing, path)
    places = [path]
    landed = None if kept is None else places.append
    with alone(path), becoming(path, guard, landed) as part:
        some = _some(iter(frames), path)
        if as_table:
            live_link.write(part, some, guard)
        else:
            npz.write(part, some, rest, info, guard)
        _check_readable(part, path)
    if kept is not None and places[-1] != path:
        kept(landed_line(path, places[-1]))
    return places[-1]


def open_performance(path: str | Path) -> Performance:
    """A saved performance, its header read and checked.

    Raises:
        UnknownWord: the name ends in neither `.npz` nor `.csv`.
        UnreadableInput: the file is not such a performance.
    """
    path = Path(path)
    if suffix_of(path) == ".csv":
        from retarget.expression.live_link import LiveLinkPerformance

        return LiveLinkPerformance(path)
    from retarget.expression.npz import NpzPerformance

    return NpzPerformance(path)


def is_performance(spec: str | Path) -> bool:
    """Whether a name is one of a saved performance."""
    return Path(spec).suffix.lower() in SUFFIXES


def suffix_of(path: Path) -> str:
    """The ending, which gives a performance's layout.

    Raises:
        UnknownWord: it is neither `.npz` nor `.csv`.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UnknownWord("kind of performance", suffix or path.name, SUFFIXES)
    return suffix


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn the system's errors into one sentence about `path`."""
    try:
        yield
    except OSError as refused:
        raise CannotWrite(
            f"Cannot write {path}: {refused.strerror or refused}.",
            do="Choose another place with -o, or make room there.",
        ) from refused


def _some(frames: Iterator[ExpressedFrame], path: Path) -> Iterator[ExpressedFrame]:
    """The frames, of which there is at least one."""
    first = next(frames, None)
    if first is None:
        raise CannotWrite(f"There is no frame to write to {path}.", do="Check the driving video.")
    return chain([first], frames)


@contextmanager
def opened(file: Callable[[], File], guard: Guard) -> Iterator[File]:
    """A file to write to; the guard is around its opening and closing, not around the body."""
    with guard():
        opened = file()
    try:
        yield opened
    finally:
        with guard():
            opened.close()


def _check_readable(part: Path, path: Path) -> None:
    """Refuse a `part` that cannot be read again, before it replaces `path`."""
    try:
        deque(open_performance(part).frames(), maxlen=0)
    except UnreadableInput as wrong:
        said = wrong.what.replace(str(part), path.name)
        raise CannotWrite(
            f"What was to be written could not be read again: {said}",
            do="Correct the frames or the rest; .npz keeps finer times than .csv.",
        ) from wrong
