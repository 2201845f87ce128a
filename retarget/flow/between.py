"""Values between this process and one that it started: pickled, large arrays as they are.

Only what one of the two wrote is read, never a file or anything of a user's.
"""

from __future__ import annotations

import io
import pickle
import struct
from typing import IO, Any

from retarget.flow.report import Report

_SIZES = struct.Struct("<QQ")
_LARGE = 32_768
"""Bytes from which an array is sent as it is, not copied into the pickled rest."""


class _Pickler(pickle.Pickler):
    """Leaves one report out: it holds the terminal, and another one takes its place."""

    def __init__(self, file: IO[bytes], report: Report) -> None:
        super().__init__(file)
        self._report = report

    def persistent_id(self, obj: object) -> str | None:
        return "report" if obj is self._report else None


class _Unpickler(pickle.Unpickler):
    """Puts a report where one was left out."""

    def __init__(self, file: IO[bytes], report: Report | None) -> None:
        super().__init__(file)
        self._report = report

    def persistent_load(self, _: str) -> Report | None:
        return self._report


def pickled(value: object, report: Report) -> bytes:
    """A value whose report, wherever it holds it, is left out."""
    out = io.BytesIO()
    _Pickler(out, report).dump(value)
    return out.getvalue()


def unpickled(pipe: IO[bytes], report: Report | None = None) -> Any:
    """The next pickled value, in which `report` takes the place of the one left out."""
    return _Unpickler(pipe, report).load()


def send(pipe: IO[bytes], value: object) -> None:
    """Write a value: its pickled form, and behind it as it is the first large array in it."""
    large: list[memoryview] = []

    def copied(buffer: pickle.PickleBuffer) -> bool:
        if large or buffer.raw().nbytes < _LARGE:
            return True
        large.append(buffer.raw())
        return False

    parts = [memoryview(pickle.dumps(value, protocol=5, buffer_callback=copied)), *large]
    pipe.write(_SIZES.pack(parts[0].nbytes, sum(part.nbytes for part in large)))
    for part in parts:
        pipe.write(part)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """The next value; None where the process has ended."""
    sizes = read(pipe, _SIZES.size)
    if sizes is None:
        return None
    first, large = (read(pipe, size) for size in _SIZES.unpack(sizes))
    if first is None or large is None:
        return None
    return pickle.loads(first, buffers=[large])  # noqa: S301  (our own process wrote it)


def read(pipe: IO[bytes], size: int) -> bytearray | None:
    """So many bytes; None where the pipe ends before."""
    out, done = bytearray(size), 0
    while done < size:
        count = pipe.readinto(memoryview(out)[done:])  # type: ignore[attr-defined]
        if not count:
            return None
        done += count
    return out
