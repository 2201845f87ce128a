"""Find blinks and brief expressions in a driving video or a saved performance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from retarget.expression.settings import (
    FitSettings,
    MomentsSettings,
    RestSettings,
    SmoothSettings,
)
from retarget.face.settings import TrackSettings
from retarget.flow.lanes import Lanes
from retarget.flow.names import TakesNames
from retarget.flow.report import Report
from retarget.jobs.driving import DrivingSettings, open_driving
from retarget.source.settings import SourceSettings

if TYPE_CHECKING:
    from retarget.expression.moments import Moment
    from retarget.flow.values import ExpressedFrame
    from retarget.jobs.moments_plot import Curves

_HERE = tyro.conf.arg(name="")


@dataclass(frozen=True, kw_only=True)
class MomentsJob(TakesNames):
    """Find blinks and brief expressions in a driving video or a saved performance.

    retarget moments drive.mp4 --json moments.json --plot moments.svg
    """

    driving: tyro.conf.Positional[str]
    """Where to look: a video, a folder of pictures, an http(s) address, or a performance."""
    json: Path | None = None
    """Also write what was found as JSON."""
    plot: Path | None = None
    """Also draw it over time as .svg."""
    overwrite: bool = False
    """Replace existing files."""
    find: Annotated[MomentsSettings, _HERE] = field(default_factory=MomentsSettings)
    """What counts as a moment."""
    source: Annotated[SourceSettings, _HERE] = field(default_factory=SourceSettings)
    """How the driving video is read."""
    track: TrackSettings = field(default_factory=TrackSettings)
    """Which face is followed, and how."""
    rest: Annotated[RestSettings, _HERE] = field(default_factory=RestSettings)
    """Where the driving face is at rest."""
    fit: FitSettings = field(default_factory=FitSettings)
    """How blendshapes are read off the face."""
    smooth: SmoothSettings = field(default_factory=SmoothSettings)
    """How tremble is taken out."""

    def run(self, report: Report | None = None) -> str:
        """Look through the whole piece and return a table.

        Raises:
            RetargetError: something its reader can put right.
        """
        from retarget.expression.moments import find_moments
        from retarget.jobs.moments_plot import Curves
        from retarget.sink.partial import check_free

        report = report or Report()
        for path in (self.json, self.plot):
            if path is not None:
                check_free(path, overwrite=self.overwrite)
        settings = DrivingSettings(
            source=self.source, track=self.track, rest=self.rest, fit=self.fit, smooth=self.smooth
        )
        curves = Curves()
        with open_driving(self.driving, settings, report) as driving, Lanes() as lanes:
            frames = report.watch(driving.frames(lanes), driving.info.count)
            found = find_moments(_noted(frames, curves), self.find)
        if self.json is not None:
            self._write(self.json, as_json(self.driving, found, curves.seconds))
        if self.plot is not None:
            self._write(self.plot, curves.svg(found, Path(self.driving).name))
        return as_table(found, curves.seconds)

    def _write(self, path: Path, text: str) -> None:
        from retarget.sink.partial import beside, writing

        with beside(path, overwrite=self.overwrite) as hidden, writing(path):
            hidden.write_text(text, "utf-8")


def _noted(frames: Iterator[ExpressedFrame], curves: Curves) -> Iterator[ExpressedFrame]:
    for frame in frames:
        curves.add(frame)
        yield replace(frame, tracked=None)


def as_json(driving: str, found: list[Moment], seconds: float) -> str:
    """Everything that was found, for machines."""
    from retarget import __version__

    told = {
        "retarget": __version__,
        "driving": driving,
        "seconds": round(seconds, 3),
        "moments": [asdict(moment) for moment in found],
    }
    return json.dumps(told, indent=2) + "\n"


def as_table(found: list[Moment], seconds: float) -> str:
    """What was found, for people."""
    blinks = sum(m.kind == "blink" for m in found)
    rate = f" ({60 * blinks / seconds:.0f} a minute)" if seconds > 10 else ""
    head = f"{blinks} blinks{rate}, {len(found) - blinks} brief expressions in {seconds:.1f} s."
    if not found:
        return head
    lines = [head, "", f"{'':6} {'onset':>8} {'apex':>8} {'offset':>8} {'ms':>5} {'height':>6}"]
    for moment in found:
        times = " ".join(f"{at:8.3f}" for at in moment.seconds)
        strongest = ", ".join(list(moment.weights)[:3])
        where = "" if moment.kind == "blink" else f"  {'+'.join(moment.regions)}: {strongest}"
        lines.append(
            f"{moment.kind:6} {times} {1000 * moment.lasted:5.0f} {moment.intensity:6.2f}{where}"
        )
    return "\n".join(lines)
