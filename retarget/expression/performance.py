"""Save what a face did, without its pixels, and perform it again.

`.npz` keeps everything: the rest, the weights, what was measured, the pose and exact times. It is
a zip of plain arrays (no pickle), written chunk by chunk as frames come, so memory does not grow
with the length of a clip, and read chunk by chunk again. `.csv` is the Live Link Face layout (see
`live_link.py`) for exchange with animation tools; it keeps weights and angles only.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from retarget.errors import CannotWrite, UnknownWord, UnreadableInput
from retarget.expression.packed import (
    FRAME,
    REST,
    packed,
    packed_info,
    packed_rest,
    unpacked,
    unpacked_info,
)
from retarget.flow import blendshapes
from retarget.flow.arrays import Bytes
from retarget.flow.report import Warn
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import (
    ExpressedFrame,
    Expression,
    RestFace,
)
from retarget.flow.whole import alone, becoming, landed_line

Guard: TypeAlias = Callable[[], AbstractContextManager[None]]
"""Entered around each write, to word what the system says of it."""
File = TypeVar("File", TextIO, zipfile.ZipFile)

VERSION = 1
SUFFIXES = (".csv", ".npz")
_CHUNK = 128
"""Frames per chunk: 400 kB with detail."""
_MAX_CHUNK_BYTES = 4 << 20
_MAX_HEADER_BYTES = 1 << 20
_MAX_CHUNKS = 100_000
_MOST_AT_REST = 360.0
"""Degrees of gaze; head units, of which a face is a few wide, are far fewer."""
_HEADER, _REST = "header.npy", "rest.npy"


class Performance(AbstractContextManager["Performance"], ABC):
    """A saved performance; nothing stays open between calls, `with` is a courtesy."""

    path: Path
    rest: RestFace
    """Whose zero the weights count from; an average face where the layout has no room for it."""
    info: SourceInfo
    """The source it was taken from, as far as the layout tells; `count` is exact."""

    @abstractmethod
    def frames(self) -> Iterator[ExpressedFrame]:
        """Every frame, in order; each call begins anew."""

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""


def save_performance(
    path: str | Path,
    frames: Iterable[ExpressedFrame],
    rest: RestFace,
    info: SourceInfo,
    kept: Warn | None = None,
) -> Path:
    """Write a performance as its frames come; nothing is left behind when they fail.

    Args:
        path: `.npz` or `.csv`.
        frames: what to save; pixels are left out.
        rest: whose zero the weights count from; `.csv` leaves it out.
        info: the source it was taken from.
        kept: called with one line where something came to be at `path` meanwhile that is to stay,
            and the performance took the next free name; None: `path` is replaced.

    Returns:
        Where the performance is.

    Raises:
        UnknownWord: the name ends in neither.
        CannotWrite: the place refuses, or the file could not be read again: there is no frame,
            or one is not later than the one before or holds what is no number.
    """
    path = Path(path)
    as_table, guard = suffix_of(path) == ".csv", partial(_writing, path)
    places = [path]
    landed = None if kept is None else places.append
    with alone(path), becoming(path, guard, landed) as part:
        some = _some(iter(frames), path)
        if as_table:
            _write_csv(part, some, guard)
        else:
            _write_npz(part, some, rest, info, guard)
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
        from retarget.expression import live_link

        return live_link.LiveLinkPerformance(path)
    return NpzPerformance(path)


def is_performance(spec: str | Path) -> bool:
    """Whether a name is one of a saved performance."""
    return Path(spec).suffix.lower() in SUFFIXES


def suffix_of(path: Path) -> str:
    """The ending that says how a performance is laid out.

    Raises:
        UnknownWord: it is neither `.npz` nor `.csv`.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UnknownWord("kind of performance", suffix or path.name, SUFFIXES)
    return suffix


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what the system says while writing into one sentence about `path`."""
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
def _opened(file: Callable[[], File], guard: Guard) -> Iterator[File]:
    """A file to write to; the guard is around its opening and closing, not around the body."""
    with guard():
        opened = file()
    try:
        yield opened
    finally:
        with guard():
            opened.close()


def _check_readable(part: Path, path: Path) -> None:
    """Refuse what is written to `part` before it takes the place of `path`."""
    try:
        with open_performance(part) as written:
            deque(written.frames(), maxlen=0)
    except UnreadableInput as wrong:
        said = wrong.what.replace(str(part), path.name)
        raise CannotWrite(
            f"What was to be written could not be read again: {said}",
            do="Correct the frames or the rest; .npz keeps finer times than .csv.",
        ) from wrong


def _write_csv(part: Path, frames: Iterator[ExpressedFrame], guard: Guard) -> None:
    from retarget.expression import live_link

    with _opened(lambda: part.open("w", newline="", encoding="ascii"), guard) as out:
        table = csv.writer(out, lineterminator="\n")
        for row in live_link.rows(frames):
            with guard():
                table.writerow(row)


def _write_npz(
    part: Path, frames: Iterator[ExpressedFrame], rest: RestFace, info: SourceInfo, guard: Guard
) -> None:
    count = chunks = 0
    zipped = partial(zipfile.ZipFile, part, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with _opened(zipped, guard) as out:
        for block in _blocks(frames):
            with guard():
                _put(out, _chunk_name(chunks), block)
            chunks += 1
            count += len(block)
        header = {
            "format": "retarget performance", "version": VERSION, "basis": Expression.basis,
            "blendshapes": blendshapes.NAMES, "chunks": chunks,
            "rest": rest.found, "info": packed_info(replace(info, count=count)),
        }  # fmt: skip
        text = json.dumps(header).encode()
        with guard():
            _put(out, _REST, packed_rest(rest))
            _put(out, _HEADER, np.frombuffer(text, np.uint8))


def _blocks(frames: Iterator[ExpressedFrame]) -> Iterator[npt.NDArray[Any]]:
    """The frames, packed, in arrays of a chunk's length and a last one of the rest."""
    rows = map(packed, frames)
    while held := list(islice(rows, _CHUNK)):
        yield np.concatenate(held)


def _chunk_name(number: int) -> str:
    return f"frames_{number:05d}.npy"


def _put(out: zipfile.ZipFile, name: str, array: npt.NDArray[Any]) -> None:
    # A fixed date makes equal performances equal files.
    held = io.BytesIO()
    np.save(held, array, allow_pickle=False)
    member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    member.compress_type = zipfile.ZIP_DEFLATED
    out.writestr(member, held.getvalue())


class NpzPerformance(Performance):
    """A performance in an `.npz` file, read chunk by chunk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._opened() as zipped:
            text = self._array(zipped, _HEADER, np.dtype(np.uint8), _MAX_HEADER_BYTES)
            header = self._header(text)
            try:
                self.info = unpacked_info(header["info"])
            except (KeyError, TypeError, ValueError, ArithmeticError) as wrong:
                raise self._not_ours("its header is damaged") from wrong
            self._chunks: int = header["chunks"]
            row = self._array(zipped, _REST, REST, _MAX_HEADER_BYTES)
            self.rest = self._unpacked_rest(row, str(header["rest"]))

    def frames(self) -> Iterator[ExpressedFrame]:
        """Every frame, in order."""
        before: Fraction | None = None
        with self._opened() as zipped:
            for number in range(self._chunks):
                name = _chunk_name(number)
                for row in self._array(zipped, name, FRAME, _MAX_CHUNK_BYTES):
                    with self._checked():
                        frame = unpacked(row)
                        if before is not None and frame.at.exact <= before:
                            raise ValueError("it is not later than the one before")
                    before = frame.at.exact
                    yield frame

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        try:
            zipped = zipfile.ZipFile(self.path)
        except FileNotFoundError as absent:
            raise UnreadableInput(
                f"There is no file {self.path}.", do="Check its name and folder."
            ) from absent
        except (OSError, zipfile.BadZipFile) as wrong:
            raise self._not_ours("it is not a zip archive") from wrong
        with zipped:
            yield zipped

    @contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, OverflowError, ZeroDivisionError) as wrong:
            raise self._not_ours(f"a frame is damaged ({wrong})") from wrong

    def _array(
        self, zipped: zipfile.ZipFile, name: str, dtype: np.dtype[Any], limit: int
    ) -> npt.NDArray[Any]:
        """One member, only after its size and type are known to be right."""
        try:
            member = zipped.getinfo(name)
        except KeyError as absent:
            raise self._not_ours(f"its part {name} is missing") from absent
        if member.file_size > limit:
            raise self._not_ours(f"its part {name} is too large")
        try:
            with zipped.open(member) as raw:
                array = np.load(io.BytesIO(raw.read(limit)), allow_pickle=False)
        except Exception as wrong:  # zlib, struct, numpy: damage comes in many kinds
            raise self._not_ours(f"its part {name} is damaged") from wrong
        if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != 1:
            raise self._not_ours(f"its part {name} holds something else")
        return array

    def _header(self, text: Bytes) -> dict[str, Any]:
        try:
            header = json.loads(text.tobytes())
        except (ValueError, RecursionError) as wrong:
            raise self._not_ours("its header is damaged") from wrong
        if not isinstance(header, dict) or header.get("format") != "retarget performance":
            raise self._not_ours("its header says something else")
        if header.get("version") != VERSION:
            raise UnreadableInput(
                f"{self.path} is a performance of version {header.get('version')!r}, "
                f"and version {VERSION} is known here.",
                do="Make it anew with retarget fit, or use the retarget that wrote it.",
            )
        chunks, info = header.get("chunks"), header.get("info")
        if not (isinstance(chunks, int) and 0 <= chunks <= _MAX_CHUNKS and isinstance(info, dict)):
            raise self._not_ours("its header is damaged")
        if header.get("blendshapes") != list(blendshapes.NAMES):
            raise self._not_ours("its blendshapes are others")
        return header

    def _unpacked_rest(self, row: npt.NDArray[Any], found: str) -> RestFace:
        numbers = [row[name] for name in ("head", "aperture", "gaze", "lip_gap")]
        whole = len(row) == 1 and all((np.abs(n) < _MOST_AT_REST).all() for n in numbers)
        if not whole or not 0.1 < np.ptp(row["head"][0, :, :2], axis=0).min() < 100:  # head units
            raise self._not_ours("its rest is damaged")
        return RestFace(
            head=row["head"][0], aperture=row["aperture"][0], gaze=row["gaze"][0],
            lip_gap=float(row["lip_gap"][0]), found=found,
        )  # fmt: skip

    def _not_ours(self, why: str) -> UnreadableInput:
        return UnreadableInput(
            f"{self.path} is not a performance that can be read: {why}.",
            do="Make one with: retarget fit CLIP -o NAME.npz",
        )
