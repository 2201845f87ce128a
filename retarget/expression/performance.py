"""Save what a face did, without its pixels, and perform it again.

`.npz` keeps everything: the rest, the weights, what was measured, the pose and exact times. It is
a zip of plain arrays (no pickle), written chunk by chunk as frames come, so memory does not grow
with the length of a clip, and read chunk by chunk again. `.csv` is the Live Link Face layout (see
`live_link.py`) for exchange with animation tools; it keeps weights and angles only.
"""

from __future__ import annotations

import io
import json
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retarget.errors import CannotWrite, UnknownWord, UnreadableInput
from retarget.flow import blendshapes, landmarks
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import (
    ExpressedFrame,
    Expression,
    HeadPose,
    Instant,
    Measurement,
    RestFace,
)
from retarget.flow.whole import becoming

VERSION = 1
SUFFIXES = (".csv", ".npz")
_CHUNK = 128
"""Frames per chunk: 400 kB with detail."""
_MAX_CHUNK_BYTES = 4 << 20
_MAX_HEADER_BYTES = 1 << 20
_MAX_CHUNKS = 100_000
_HEADER, _REST = "header.npy", "rest.npy"

_FRAME = np.dtype(
    [
        ("index", "<i8"), ("pts", "<i8"), ("time_base", "<i8", 2), ("duration", "<i8", 2),
        ("cut", "?"), ("expressed", "?"), ("measured", "?"), ("detailed", "?"), ("posed", "?"),
        ("weights", "<f4", blendshapes.COUNT), ("gaze", "<f4", (2, 2)), ("aperture", "<f4", 2),
        ("lip_gap", "<f4"), ("rotation", "<f8", (3, 3)), ("translation", "<f8", 3),
        ("scale", "<f8"), ("detail", "<f2", (landmarks.COUNT, 3)),
    ]
)  # fmt: skip
"""One frame. Detail as half floats: a hundredth of a pixel on any face."""
_REST_TYPE = np.dtype(
    [("head", "<f4", (landmarks.COUNT, 3)), ("aperture", "<f4", 2), ("gaze", "<f4", (2, 2)),
     ("lip_gap", "<f4")]
)  # fmt: skip


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
    frames: Iterator[ExpressedFrame],
    rest: RestFace,
    info: SourceInfo,
) -> Path:
    """Write a performance as its frames come; nothing is left behind when they fail.

    Args:
        path: `.npz` or `.csv`.
        frames: what to save; pixels are left out.
        rest: whose zero the weights count from; `.csv` leaves it out.
        info: the source it was taken from.

    Raises:
        UnknownWord: the name ends in neither.
        CannotWrite: the place refuses.
    """
    path = Path(path)
    if suffix_of(path) == ".csv":
        from retarget.expression import live_link

        with _whole(path) as part, part.open("w", newline="", encoding="ascii") as out:
            live_link.write(out, frames)
    else:
        with _whole(path) as part:
            _write_npz(part, frames, rest, info)
    return path


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
def _whole(path: Path) -> Iterator[Path]:
    """A hidden file that becomes `path` at the end, or vanishes."""
    try:
        with becoming(path) as part:
            yield part
    except OSError as refused:
        raise CannotWrite(
            f"Cannot write {path}: {refused.strerror or refused}.",
            do="Choose another place with -o, or make room there.",
        ) from refused


def _write_npz(
    part: Path, frames: Iterator[ExpressedFrame], rest: RestFace, info: SourceInfo
) -> None:
    count = chunks = 0
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        block = np.zeros(_CHUNK, _FRAME)
        filled = 0
        for frame in frames:
            _pack(block[filled : filled + 1], frame)
            filled += 1
            count += 1
            if filled == _CHUNK:
                _put(out, _chunk_name(chunks), block)
                chunks += 1
                filled = 0
                block = np.zeros(_CHUNK, _FRAME)
        if filled:
            _put(out, _chunk_name(chunks), block[:filled])
            chunks += 1
        _put(out, _REST, _packed_rest(rest))
        header = {
            "format": "retarget performance", "version": VERSION, "basis": Expression.basis,
            "blendshapes": blendshapes.NAMES, "chunks": chunks,
            "rest": rest.found, "info": _packed_info(replace(info, count=count)),
        }  # fmt: skip
        text = json.dumps(header).encode()
        _put(out, _HEADER, np.frombuffer(text, np.uint8))


def _chunk_name(number: int) -> str:
    return f"frames_{number:05d}.npy"


def _put(out: zipfile.ZipFile, name: str, array: npt.NDArray[Any]) -> None:
    # A fixed date makes equal performances equal files.
    held = io.BytesIO()
    np.save(held, array, allow_pickle=False)
    member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    member.compress_type = zipfile.ZIP_DEFLATED
    out.writestr(member, held.getvalue())


def _pack(row: npt.NDArray[Any], frame: ExpressedFrame) -> None:
    row["index"], row["pts"], row["cut"] = frame.index, frame.at.pts, frame.cut
    row["time_base"] = frame.at.time_base.as_integer_ratio()
    row["duration"] = frame.duration.as_integer_ratio()
    if frame.pose is not None:
        row["posed"], row["scale"] = True, frame.pose.scale
        row["rotation"], row["translation"] = frame.pose.rotation, frame.pose.translation
    if frame.expression is None:
        return
    row["expressed"], row["weights"] = True, frame.expression.weights
    seen = frame.expression.measured
    if seen is None:
        return
    row["measured"], row["gaze"], row["aperture"] = True, seen.gaze, seen.aperture
    row["lip_gap"] = seen.lip_gap
    if seen.detail is not None:
        row["detailed"], row["detail"] = True, np.clip(seen.detail, -100, 100)


def _packed_rest(rest: RestFace) -> npt.NDArray[Any]:
    row = np.zeros(1, _REST_TYPE)
    row["head"], row["aperture"], row["gaze"] = rest.head, rest.aperture, rest.gaze
    row["lip_gap"] = rest.lip_gap
    return row


def _packed_info(info: SourceInfo) -> dict[str, Any]:
    exact = {n: None if v is None else str(v) for n, v in _fractions(info).items()}
    known = {name: getattr(info, name) for name in ("name", "size", "count", "cut", "still")}
    return {**known, **exact}


def _fractions(info: SourceInfo) -> dict[str, Fraction | None]:
    return {"time_base": info.time_base, "rate": info.rate, "duration": info.duration}


def _unpacked_info(said: dict[str, Any]) -> SourceInfo:
    width, height = (int(x) for x in said["size"])
    rate, duration = (None if said[n] is None else Fraction(said[n]) for n in ("rate", "duration"))
    return SourceInfo(
        name=str(said["name"]), size=(width, height), time_base=Fraction(said["time_base"]),
        rate=rate, count=int(said["count"]), duration=duration,
        cut=bool(said.get("cut")), still=bool(said.get("still")),  # older files have neither
    )  # fmt: skip


class NpzPerformance(Performance):
    """A performance in an `.npz` file, read chunk by chunk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._opened() as zipped:
            text = self._array(zipped, _HEADER, np.dtype(np.uint8), _MAX_HEADER_BYTES)
            header = self._header(text)
            try:
                self.info = _unpacked_info(header["info"])
            except (KeyError, TypeError, ValueError, ZeroDivisionError) as wrong:
                raise self._not_ours("its header is damaged") from wrong
            self._chunks: int = header["chunks"]
            row = self._array(zipped, _REST, _REST_TYPE, _MAX_HEADER_BYTES)
            self.rest = self._unpacked_rest(row, str(header["rest"]))

    def frames(self) -> Iterator[ExpressedFrame]:
        """Every frame, in order."""
        before: Fraction | None = None
        with self._opened() as zipped:
            for number in range(self._chunks):
                name = _chunk_name(number)
                for row in self._array(zipped, name, _FRAME, _MAX_CHUNK_BYTES):
                    with self._checked():
                        frame = _unpacked(row)
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

    def _header(self, text: npt.NDArray[np.uint8]) -> dict[str, Any]:
        try:
            header = json.loads(text.tobytes())
        except ValueError as wrong:
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
        if list(header.get("blendshapes", ())) != list(blendshapes.NAMES):
            raise self._not_ours("its blendshapes are others")
        return header

    def _unpacked_rest(self, row: npt.NDArray[Any], found: str) -> RestFace:
        numbers = [row[name] for name in ("head", "aperture", "gaze", "lip_gap")]
        if len(row) != 1 or not all(np.isfinite(n).all() for n in numbers):
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


def _unpacked(row: np.void) -> ExpressedFrame:
    expression = pose = None
    finite: Sequence[str] = ("weights", "gaze", "aperture", "lip_gap", "rotation", "translation",
                             "scale", "detail")  # fmt: skip
    if not all(np.isfinite(row[name]).all() for name in finite):
        raise ValueError("it holds NaN or infinity")
    duration = Fraction(*(int(x) for x in row["duration"]))
    if duration < 0:
        raise ValueError("it lasts a negative time")
    if row["posed"]:
        if not row["scale"] > 0:
            raise ValueError("its head has no size")
        pose = HeadPose(
            rotation=row["rotation"].copy(), translation=row["translation"].copy(),
            scale=float(row["scale"]),
        )  # fmt: skip
    if row["expressed"]:
        measured = None
        if row["measured"]:
            measured = Measurement(
                gaze=row["gaze"].copy(), aperture=row["aperture"].copy(),
                lip_gap=float(row["lip_gap"]),
                detail=row["detail"].astype(np.float32) if row["detailed"] else None,
            )  # fmt: skip
        expression = Expression(weights=row["weights"].copy(), measured=measured)
    return ExpressedFrame(
        index=int(row["index"]),
        at=Instant(int(row["pts"]), Fraction(*(int(x) for x in row["time_base"]))),
        duration=duration,
        expression=expression, pose=pose, cut=bool(row["cut"]),
    )  # fmt: skip
