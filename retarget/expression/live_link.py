"""The CSV layout of the Live Link Face app, for exchange with animation tools.

One row per frame: a timecode `hh:mm:ss:ff.fff`, the number of values, the 52 ARKit weights in the
app's own order, then head and eye angles in radians. A row with a count of 0 has no face. Drop-
frame timecode, `hh:mm:ss;ff.fff`, is read, too.
"""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from retarget.errors import UnreadableInput
from retarget.expression import measure
from retarget.expression.performance import Guard, Performance, opened
from retarget.expression.timecode import DAY, RATE, TICK, counting_rate, timecode
from retarget.flow import blendshapes
from retarget.flow.face_model import face_model
from retarget.flow.gaze import read_gaze, said_gaze
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import ExpressedFrame, Expression, HeadPose, Instant, RestFace

_SIDED_EYE = ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")
_SHAPES: tuple[str, ...] = (
    *(f"eye{what}{side}" for side in ("Left", "Right") for what in _SIDED_EYE),
    "jawForward", "jawRight", "jawLeft", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft",
    *(f"mouth{what}{side}" for what in ("Smile", "Frown", "Dimple", "Stretch")
      for side in ("Left", "Right")),
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    *(f"mouth{what}{side}" for what in ("Press", "LowerDown", "UpperUp")
      for side in ("Left", "Right")),
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight",
    "tongueOut",
)  # fmt: skip
_PLACES = [blendshapes.INDEX[name] for name in _SHAPES]
_ANGLES = tuple(
    f"{what}{axis}" for what in ("Head", "LeftEye", "RightEye") for axis in ("Yaw", "Pitch", "Roll")
)
HEADER: tuple[str, ...] = (
    "Timecode", "BlendShapeCount", *(n[0].upper() + n[1:] for n in _SHAPES), *_ANGLES,
)  # fmt: skip
_MAY_LACK = ("TongueOut", *_ANGLES)
"""Columns that may be missing, and are 0 then."""
_BROADCAST = Fraction(1000, 1001)
"""Ratio of broadcast rates to whole ones: 29.97 to 30."""
_ENOUGH = 4096
"""Rows from which the timecode's rate is estimated."""
_MOST_WEIGHT, _MOST_ANGLE = 2.0, np.pi
"""Apps overshoot 1 a little; larger numbers are percent or degrees by mistake."""
_NONE = re.compile(r"0+(\.0*)?")
"""A count of 0 blendshapes, as tables may write it."""
_LONGEST_LINE = 8192


def write(part: Path, frames: Iterator[ExpressedFrame], guard: Guard) -> None:
    """Write a line for each frame as it comes; times count from 0 of the clip."""
    with opened(lambda: part.open("w", newline="", encoding="ascii"), guard) as out:
        table = csv.writer(out, lineterminator="\n")
        for row in chain([HEADER], map(_row, frames)):
            with guard():
                table.writerow(row)


def _row(frame: ExpressedFrame) -> list[str]:
    time = timecode(frame.at.exact)
    if frame.expression is None:
        return [time, "0", *[""] * (len(HEADER) - 2)]
    head = frame.pose.angles if frame.pose is not None else (0.0, 0.0, 0.0)
    seen = frame.expression.measured
    eyes = said_gaze(frame.expression.weights) if seen is None else seen.gaze
    angles = np.radians([*head, *eyes[0], 0.0, *eyes[1], 0.0])
    weights = frame.expression.weights[_PLACES]
    return [time, str(len(HEADER) - 2), *(f"{v:.6f}" for v in (*weights, *angles))]


def average_rest() -> RestFace:
    """The average face at rest, for weights that come without a face."""
    model = face_model()
    neutral = model.neutral
    return RestFace(
        head=neutral, aperture=measure.lid_opening(neutral).astype(np.float32),
        gaze=read_gaze(neutral).astype(np.float32), lip_gap=measure.lip_gap(neutral),
        found="an average face",
    )  # fmt: skip


class LiveLinkPerformance(Performance):
    """A performance in a CSV file of that layout, read row by row.

    Columns are found by their names, upper or lower case, in any order; those of the tongue and
    the nine angles may be missing. The first row is time 0.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rest = average_rest()
        self._step: Fraction | None = None
        """Seconds from each frame to the next, where rows round those of a broadcast rate."""
        latest = frames = 0
        told: list[tuple[int, float]] = []
        for line, row in self._rows():
            hours, minutes, seconds, count = self._fields(line, row[0])
            if frames < _ENOUGH:
                told.append((hours * 3600 + minutes * 60 + seconds, count))
            latest = max(latest, int(count))
            frames += 1
        if frames == 0:
            raise self._wrong(1, "is the last: there are no frames")
        self._rate = counting_rate(told, latest)
        last, end = self._lasted()
        rate = Fraction(frames - 1) / last if last else None
        if rate and self._runs_at(broadcast := round(rate / _BROADCAST) * _BROADCAST):
            self._step = 1 / broadcast
            rate, end = broadcast, frames * self._step
        self.info = SourceInfo(
            name=str(path), size=(0, 0), time_base=self._step or TICK, count=frames,
            duration=end, rate=rate,
        )  # fmt: skip

    def _lasted(self) -> tuple[Fraction, Fraction]:
        """Seconds from the first frame to the last and its end, every time checked on the way."""
        last = end = Fraction(0)
        for frame in self.frames():
            last = frame.at.exact
            end = last + frame.duration
        return last, end

    def _runs_at(self, rate: Fraction) -> bool:
        """Whether every frame's time is that of the rate, as nearly as rows can say."""
        return all(
            abs(frame.at.exact * rate - frame.index) < TICK * rate for frame in self.frames()
        )

    def frames(self) -> Iterator[ExpressedFrame]:
        """Every frame, in order; one row is read ahead, to know how long each lasts.

        The last one lasts as long as the one before it; a single one lasts a timecode frame.
        """
        lasts = 1000
        before: tuple[int, int, list[str]] | None = None
        start: int | None = None
        index = 0
        for line, row in self._rows():
            tick = self._tick(line, row[0])
            start = tick if start is None else start
            tick -= start
            if before is not None:
                if tick < before[0]:
                    # Past midnight the timecode starts again.
                    start -= DAY * RATE * 1000
                    tick += DAY * RATE * 1000
                if not 0 < tick - before[0] < DAY * RATE * 500:
                    raise self._wrong(line, "has a time that is not later than the line before")
                lasts = tick - before[0]
                yield self._frame(index, before, lasts)
                index += 1
            before = (tick, line, row)
        if before is not None:
            yield self._frame(index, before, lasts)

    def _frame(self, index: int, held: tuple[int, int, list[str]], ticks: int) -> ExpressedFrame:
        tick, line, row = held
        expression = pose = None
        if not _NONE.fullmatch(row[1]):
            weights, angles = self._values(line, row)
            expression = Expression(weights=weights)
            pose = HeadPose(
                rotation=HeadPose.rotation_of(*np.degrees(angles)),
                translation=np.zeros(3),
                scale=1.0,
            )
        step = self._step
        return ExpressedFrame(
            index=index, at=Instant(index, step) if step else Instant(tick, TICK),
            duration=step or ticks * TICK,
            expression=expression, pose=pose, cut=index == 0,
        )  # fmt: skip

    def _values(self, line: int, row: Sequence[str]) -> tuple[Any, tuple[float, float, float]]:
        weights = np.zeros(blendshapes.COUNT)
        end = 2 + len(_SHAPES)
        weights[_PLACES] = [self._number(line, i, row[i]) for i in range(2, end)]
        yaw, pitch, roll = (self._number(line, i, row[i] or "0") for i in range(end, end + 3))
        if not np.isfinite([*weights, yaw, pitch, roll]).all():
            raise self._wrong(line, "holds a number that is not finite")
        if np.abs(weights).max() > _MOST_WEIGHT:
            raise self._wrong(
                line, f"holds the weight {np.abs(weights).max():g}, not one of 0 to 1"
            )
        if max(abs(yaw), abs(pitch), abs(roll)) > _MOST_ANGLE:
            raise self._wrong(line, "turns the head by more than half a turn: angles are radians")
        return np.clip(weights, 0.0, 1.0).astype(np.float32), (yaw, pitch, roll)

    def _number(self, line: int, column: int, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            what = f"holds {text[:20]!r} under {HEADER[column]}, which is not a number"
            raise self._wrong(line, what) from None

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line number, fields in the order of `HEADER`) of every frame."""
        try:
            with self.path.open(newline="", encoding=self._encoding()) as file:
                first = file.readline(_LONGEST_LINE)
                mark = max(",;\t", key=first.count)  # `;` as a spreadsheet in Europe saves it
                further = iter(lambda: file.readline(_LONGEST_LINE), "")
                table = csv.reader(chain([first], further), delimiter=mark)
                order = self._order(_plain(next(table)))
                for fields in map(_plain, table):
                    line = table.line_num
                    if not any(fields):
                        continue
                    if len(fields) != order[0]:
                        raise self._wrong(
                            line, f"has {len(fields)} columns where the first has {order[0]}"
                        )
                    yield line, [fields[i] if i >= 0 else "0" for i in order[1]]
        except (OSError, UnicodeDecodeError, csv.Error) as wrong:
            raise UnreadableInput.at(self.path, wrong) or UnreadableInput(
                f"{self.path} is not a text file that can be read.",
                do="Give a CSV in the Live Link Face layout.",
            ) from wrong

    def _encoding(self) -> str:
        """UTF-16, Excel's "Unicode text", if the file has its byte-order mark; else UTF-8."""
        with self.path.open("rb") as file:
            return "utf-16" if file.read(2) in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"

    def _order(self, first: Sequence[str]) -> tuple[int, list[int]]:
        """How many columns there are, and where each of `HEADER` is (-1: nowhere)."""
        names = [name.lower() for name in first]
        places = [names.index(n.lower()) if n.lower() in names else -1 for n in HEADER]
        missing = [n for n, at in zip(HEADER, places, strict=True) if at < 0 and n not in _MAY_LACK]
        if missing:
            raise self._wrong(1, f"names no column {missing[0]!r}")
        return len(names), places

    def _fields(self, line: int, text: str) -> tuple[int, int, int, float]:
        parts = text.replace(";", ":").split(":")
        try:
            hours, minutes, seconds = (int(p) for p in parts[:3])
            frame = float(parts[3])
        except (ValueError, IndexError):
            raise self._wrong(line, f"has no timecode hh:mm:ss:ff.fff but {text[:20]!r}") from None
        if not (0 <= hours < 100 and 0 <= minutes < 60 and 0 <= seconds < 60 and 0 <= frame < 1000):
            raise self._wrong(line, f"has the impossible timecode {text[:20]!r}")
        return hours, minutes, seconds, frame

    def _tick(self, line: int, text: str) -> int:
        hours, minutes, seconds, frame = self._fields(line, text)
        minutes += 60 * hours
        rate = Fraction(self._rate)
        counted = (60 * minutes + seconds) * self._rate * 1000 + round(frame * 1000)
        if ";" in text:  # drop-frame: a slower clock, some of whose numbers are left out
            rate *= Fraction(1000, 1001)
            counted -= self._rate // 15 * (minutes - minutes // 10) * 1000
        return int(counted * RATE / rate)

    def _wrong(self, line: int, what: str) -> UnreadableInput:
        return UnreadableInput(
            f"Line {line} of {self.path} {what}.",
            do="Give a CSV in the Live Link Face layout, as retarget fit -o NAME.csv writes it.",
        )


def _plain(fields: list[str]) -> list[str]:
    """Fields without surrounding spaces; a comma inside a field is a decimal point."""
    return [f.strip().replace(",", ".") for f in fields]
