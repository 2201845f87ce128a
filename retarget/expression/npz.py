"""Performances in `.npz`: a zip of plain arrays (no pickle) that keeps everything.

The frames lie in chunks, written as they come and read one at a time, so memory does not grow with
the length of a clip. The layout of a frame is in `packed.py`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retarget.errors import UnreadableInput
from retarget.expression.packed import (
    FRAME,
    REST,
    packed,
    packed_info,
    packed_rest,
    unpacked,
    unpacked_info,
)
from retarget.expression.performance import Guard, Performance, opened
from retarget.flow import blendshapes
from retarget.flow.arrays import Bytes
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import ExpressedFrame, Expression, RestFace

VERSION = 1
_CHUNK = 128
"""Frames per chunk: 400 kB with detail."""
_MAX_CHUNK_BYTES = 4 << 20
_MAX_HEADER_BYTES = 1 << 20
_MAX_CHUNKS = 100_000
_MOST_AT_REST = 360.0
"""The largest number in a rest: degrees of gaze; all others are in head units and smaller."""
_HEADER, _REST = "header.npy", "rest.npy"


def write(
    part: Path, frames: Iterator[ExpressedFrame], rest: RestFace, info: SourceInfo, guard: Guard
) -> None:
    """Write frames as they come, then rest and header."""
    count = chunks = 0
    zipped = partial(zipfile.ZipFile, part, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with opened(zipped, guard) as out:
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
                self.info, found = unpacked_info(header["info"]), str(header["rest"])
            except (KeyError, TypeError, ValueError, ArithmeticError) as wrong:
                raise self._not_ours("its header is damaged") from wrong
            self._chunks: int = header["chunks"]
            row = self._array(zipped, _REST, REST, _MAX_HEADER_BYTES)
            self.rest = self._unpacked_rest(row, found)

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
        # Besides BadZipFile, zipfile raises ValueError for a forged place of an entry, and
        # NotImplementedError for a version of the format that it does not know.
        except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as wrong:
            denied = UnreadableInput.at(self.path, wrong)
            raise denied or self._not_ours("it is not a zip archive") from wrong
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
