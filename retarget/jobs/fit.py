"""Save what a driving face performs: no pixels, and usable wherever a driving video is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from retarget.expression.settings import FitSettings, RestSettings, SmoothSettings
from retarget.face.settings import TrackSettings, named_face
from retarget.flow.atomic_files import given_or_free
from retarget.flow.declared import HERE, AsDeclared, Kept
from retarget.flow.report import Report, begin
from retarget.jobs.driving import DrivingSettings, read_driving
from retarget.source.settings import SourceSettings


@dataclass(frozen=True, kw_only=True)
class FitJob(AsDeclared):
    """Save a performance: 52 blendshapes, gaze, lids and head pose of every frame.

    retarget fit drive.mp4
    """

    driving: tyro.conf.Positional[Kept[str]]
    """Whose expressions: a video, a folder of pictures, an http(s) address, or a performance."""
    output: Annotated[Kept[Path] | None, tyro.conf.arg(aliases=["-o"])] = None
    """.npz keeps everything that was measured; .csv is the layout of Live Link Face, read with its
    first line as second 0. Left out, drive.npz beside drive.mp4."""
    overwrite: bool = False
    """Replace an existing file."""
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

    def run(self, report: Report | None = None) -> Path:
        """Write the performance and return its path."""
        from retarget.sink.names import made_name

        report = begin(report)
        with given_or_free(self.output, made_name(self.driving, "", ".npz")) as output:
            return self._run(output, report)

    def _run(self, output: Path, report: Report) -> Path:
        from retarget.expression.performance import save_performance, suffix_of
        from retarget.sink.refusals import check_free

        read = (named_face(self.driving).file, self.rest.neutral)
        check_free(output, overwrite=self.overwrite, read=read)
        suffix_of(output)
        settings = DrivingSettings(
            source=self.source, track=self.track, rest=self.rest, fit=self.fit, smooth=self.smooth
        )
        kept = None if self.overwrite else report.warn
        with read_driving(self.driving, settings, report) as (driving, frames):
            return save_performance(output, frames, driving.face.rest, driving.info, kept)
