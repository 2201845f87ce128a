"""Write one clip of a face that follows a timeline, and a table of the commanded weights."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from retarget.flow import blendshapes
from retarget.flow.lanes import Lanes
from retarget.flow.report import Report
from retarget.flow.source_info import SourceInfo
from retarget.jobs.act import Actor, performed
from retarget.language.timeline import Moment, Timeline
from retarget.sink.mark import COMPOSITE
from retarget.sink.open import open_sink
from retarget.sink.partial import beside, telling
from retarget.sink.refusals import writing
from retarget.sink.settings import SinkSettings

if TYPE_CHECKING:
    from retarget.flow.values import ExpressedFrame, Expression, FinishedFrame
    from retarget.jobs.micro_between import Change

RATE = "60"
"""Frames per second where none are asked for."""


@dataclass(frozen=True, kw_only=True)
class ClipWriter:
    """Writes one clip and, if asked for, a table of the commanded weights of each frame."""

    path: Path
    sink: SinkSettings
    report: Report
    """Receives times and warnings."""
    source_type: str = COMPOSITE
    """IPTC's word for how the pictures are made."""
    table: Path | None = None
    """The table's path, a .csv file; None: no table."""

    def performed(self, actor: Actor, timeline: Timeline, rate: Fraction) -> Path:
        """Write an actor that performs a timeline; the path returned is that of `open_sink`."""
        timeline.check(rate)
        frames, lines = actor.perform(_frames(timeline, rate)), _commanded(timeline, rate)
        return self._written(frames, actor.identity.frame.size, timeline, rate, lines)

    def changed(
        self, change: Change, ways: Sequence[float], timeline: Timeline, rate: Fraction
    ) -> Path:
        """Write a change whose frames have come as far as `ways` (0..1) say."""
        lines = _shown(ways, change.expressions(ways), rate)
        return self._written(change.frames(ways, rate), change.size, timeline, rate, lines)

    def _written(
        self,
        frames: Iterator[FinishedFrame],
        size: tuple[int, int],
        timeline: Timeline,
        rate: Fraction,
        lines: Iterable[Sequence[str]],
    ) -> Path:
        """Draw the frames on a thread of their own and write each as it comes."""
        info = SourceInfo(
            name=self.path.name, size=size, time_base=1 / rate, rate=rate,
            count=timeline.frame_count(rate), duration=timeline.duration,
        )  # fmt: skip
        opened = open_sink(
            self.path, self.sink, info=info, warn=self.report.warn, source_type=self.source_type
        )
        with self._beside(lines), Lanes() as lanes, opened as clip:
            drawn = lanes.ahead(frames, name="generate")
            for frame in self.report.watch(drawn, info.count):
                with self.report.clock("sink"):
                    clip.write(frame)
        return clip.target

    @contextmanager
    def _beside(self, lines: Iterable[Sequence[str]]) -> Iterator[None]:
        """Write the table, if asked for; it appears once the clip in the block is complete."""
        if self.table is None:
            yield
            return
        landed = telling(self.table, self.report.warn)
        with beside(self.table, overwrite=self.sink.overwrite, landed=landed) as hidden:
            with writing(self.table), hidden.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(lines)
            yield


def _frames(timeline: Timeline, rate: Fraction) -> Iterator[ExpressedFrame]:
    for moment in timeline.moments(rate):
        yield performed(moment.said, index=moment.index, at=moment.at, duration=1 / rate)


def _commanded(timeline: Timeline, rate: Fraction) -> Iterator[Sequence[str]]:
    """A row for each frame: time, phase, commanded action units and 52 weights."""
    moments = list(timeline.moments(rate))
    units = sorted({name for m in moments for name in m.said.units}, key=_unit_order)
    about = ("frame", "seconds", "phase", "event", "blink", "yaw", "pitch", "roll")
    yield [*about, *units, *blendshapes.NAMES]
    for moment in moments:
        yield _row(moment, units)


def _shown(
    ways: Sequence[float], expressions: Sequence[Expression], rate: Fraction
) -> Iterator[Sequence[str]]:
    """A row for each frame of a change: time, how far it has come (0..1), 52 weights."""
    yield ["frame", "seconds", "way", *blendshapes.NAMES]
    for i, (way, expression) in enumerate(zip(ways, expressions, strict=True)):
        weights = (f"{weight:.5f}" for weight in expression.weights)
        yield [str(i), f"{float(i / rate):.6f}", f"{way:.5f}", *weights]


def _row(moment: Moment, units: list[str]) -> list[str]:
    said = moment.said
    return [
        str(moment.index),
        f"{moment.at.seconds:.6f}",
        moment.phase,
        "" if moment.event is None else str(moment.event),
        f"{moment.blink:.5f}",
        *(f"{angle:.4f}" for angle in said.head),
        *(f"{said.units.get(name, 0.0):.5f}" for name in units),
        *(f"{weight:.5f}" for weight in said.expression.weights),
    ]


def _unit_order(name: str) -> tuple[int, str]:
    digits = "".join(c for c in name if c.isdigit())
    return int(digits or 0), name
