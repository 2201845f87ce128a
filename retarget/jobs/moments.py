"""Find blinks and brief expressions in a driving video or a saved performance."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from retarget import __version__
from retarget.errors import CannotWrite, RetargetError
from retarget.expression.settings import FitSettings, MomentsSettings, RestSettings, SmoothSettings
from retarget.face.settings import TrackSettings, named_face
from retarget.flow.declared import HERE, AsDeclared, Kept
from retarget.flow.report import Report, begin
from retarget.jobs.driving import DrivingSettings, read_driving
from retarget.source.settings import SourceSettings

if TYPE_CHECKING:
    from retarget.expression.moments import Moment


@dataclass(frozen=True, kw_only=True)
class MomentsJob(AsDeclared):
    """Find blinks and brief expressions in a driving video or a saved performance.

    retarget moments drive.mp4 --json moments.json --plot moments.svg
    """

    driving: tyro.conf.Positional[Kept[str]]
    """Where to look: a video, a folder of pictures, an http(s) address, or a performance."""
    json: Kept[Path] | None = None
    """Also write what was found as JSON; times are the whole video's, frames count from 0 at the
    start of the piece."""
    plot: Kept[Path] | None = None
    """Also draw it over time as .svg."""
    overwrite: bool = False
    """Replace existing files."""
    find: Annotated[MomentsSettings, HERE] = field(default_factory=MomentsSettings)
    """What counts as a moment."""
    source: Annotated[SourceSettings, HERE] = field(default_factory=SourceSettings)
    """How the driving video is read."""
    track: TrackSettings = field(default_factory=TrackSettings)
    """Which face is followed, and how."""
    rest: Annotated[RestSettings, HERE] = field(default_factory=RestSettings)
    """Where the driving face is at rest."""
    fit: FitSettings = field(default_factory=FitSettings)
    """How blendshapes are read off the face."""
    smooth: SmoothSettings = field(default_factory=SmoothSettings)
    """How tremble is taken out."""

    def run(self, report: Report | None = None) -> str:
        """Look through the whole piece and return a table."""
        from retarget.expression.moments import find_moments
        from retarget.jobs.moments_plot import Curves
        from retarget.sink.partial import save_text

        report = begin(report)
        self._check()
        settings = DrivingSettings(
            source=self.source, track=self.track, rest=self.rest, fit=self.fit, smooth=self.smooth
        )
        curves = Curves()
        with read_driving(self.driving, settings, report) as (_, frames):
            found = find_moments(curves.noted(frames), self.find)
        if curves.seconds <= 0:
            raise RetargetError(
                f"{Path(self.driving).name} is one single picture, and moments are found in time.",
                do="Name a video.",
            )
        if self.json is not None:
            told = as_json(self.driving, found, curves.seconds)
            save_text(self.json, told, overwrite=self.overwrite, warn=report.warn)
        if self.plot is not None:
            drawn = curves.svg(found, Path(self.driving).name)
            save_text(self.plot, drawn, overwrite=self.overwrite, warn=report.warn)
        return as_table(found, curves.seconds)

    def _check(self) -> None:
        from retarget.sink.refusals import check_apart, check_free

        for path in (self.json, self.plot):
            if path is not None:
                read = (named_face(self.driving).file, self.rest.neutral)
                check_free(path, overwrite=self.overwrite, read=read)
        _check_ending("What is found is written", self.json, ".json")
        if self.plot is not None:
            check_apart(self.plot, [self.json], use="written to")
            _check_ending("A plot is drawn", self.plot, ".svg")


def _check_ending(made: str, path: Path | None, ending: str) -> None:
    if path is not None and path.suffix.lower() != ending:
        raise CannotWrite(
            f"{made} as {ending}, not as {path.suffix or path.name!r}.",
            do=f"Name it {path.with_suffix(ending).name}.",
        )


def as_json(driving: str, found: list[Moment], seconds: float) -> str:
    """Everything that was found, for machines."""
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
    brief = len(found) - blinks
    head = (
        f"{blinks} blink{'' if blinks == 1 else 's'}{rate}, "
        f"{brief} brief expression{'' if brief == 1 else 's'} in {seconds:.1f} s."
    )
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
