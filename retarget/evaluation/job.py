"""The command: measure one result, rank several, run a suite, or look at a set of stimuli."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from retarget.errors import RetargetError, UnreadableInput
from retarget.evaluation.settings import EvaluateSettings
from retarget.flow.declared import HERE, AsDeclared, Kept
from retarget.flow.report import Report, begin


@dataclass(frozen=True, kw_only=True)
class EvaluateJob(AsDeclared):
    """Measure how well a result performs what the driving face performs.

    retarget evaluate result.mp4 --driving drive.mp4 --identity face.jpg --page result.html

    retarget evaluate --compare a.mp4 b.mp4 --driving drive.mp4 --identity face.jpg

    retarget evaluate --suite suite.toml --folder results

    retarget evaluate --stimuli stimuli/
    """

    result: tyro.conf.Positional[Kept[Path] | None] = None
    """The video to measure; any tool's."""
    driving: Kept[Path] | None = None
    """Whose expressions it should show; two.mp4#right says which face of it."""
    identity: Kept[Path] | None = None
    """Whose face it should show: a photo or clip; group.jpg#left says which face of both."""
    compare: Kept[tuple[Path, ...]] = ()
    """Rank these results of the same driving video and identity."""
    suite: Kept[Path] | None = None
    """Make and measure all the pairs of a suite (.toml)."""
    stimuli: Kept[Path] | None = None
    """Compare the clips of a set (`retarget micro --set`) with what was asked for; needs the model
    file face_landmarker.task."""
    folder: Kept[Path] | None = None
    """Keeps a suite's videos and figures, to resume it; left out, a folder beside the suite."""
    json: Kept[Path] | None = None
    """Also write all figures as JSON."""
    page: Kept[Path] | None = None
    """Also write one HTML page with plots, the worst frames and findings."""
    measuring: Annotated[EvaluateSettings, HERE] = field(default_factory=EvaluateSettings)

    def run(self, report: Report | None = None) -> str:
        """Measure, write what was asked for, and return the table."""
        report = begin(report)
        what = (self.result is not None, bool(self.compare), self.suite, self.stimuli)
        if sum(map(bool, what)) != 1:
            raise RetargetError(
                "Nothing to measure, or too much at once.",
                do="Name one result, or --compare several, or a --suite, or --stimuli.",
            )
        self._check_without_effect()
        self._check_outputs()
        self._check_room()
        if self.stimuli is not None:
            return self._set(self.stimuli, report)
        if self.suite is not None:
            return self._suite(self.suite, report)
        return self._compared(report) if self.result is None else self._one(self.result, report)

    def _one(self, result: Path, report: Report) -> str:
        from retarget.evaluation.as_json import as_dict
        from retarget.evaluation.evaluate import evaluate
        from retarget.evaluation.page import page
        from retarget.evaluation.table import table

        found = evaluate(result, *self._both(result), self.measuring, report)
        self._write(as_dict(found), lambda: page(found))
        return table(found)

    def _compared(self, report: Report) -> str:
        from retarget.evaluation import compare
        from retarget.evaluation.as_json import as_dict

        found = compare.compare(self.compare, *self._both(*self.compare), self.measuring, report)
        self._write([as_dict(e) for e in found], lambda: compare.page(found))
        return compare.table(found)

    def _suite(self, path: Path, report: Report) -> str:
        from retarget.evaluation import suite_table
        from retarget.evaluation.suite import run_suite
        from retarget.evaluation.suite_file import read_suite

        suite = read_suite(path)
        folder = self.folder or path.with_name(f"{path.stem}_results")
        found = run_suite(suite, folder, self.measuring, report)
        self._write(suite_table.as_dict(found), lambda: suite_table.page(suite.name, found))
        return suite_table.table(found)

    def _set(self, folder: Path, report: Report) -> str:
        from retarget.evaluation import stimuli_table
        from retarget.evaluation.stimuli import measure_set

        found = measure_set(folder, self.measuring, report.watch)
        self._write(stimuli_table.as_dict(found))
        return stimuli_table.table(found)

    def _both(self, *results: Path) -> tuple[Path, Path]:
        """The driving video and the identity, after a check that all files exist."""
        from retarget.evaluation.video import present
        from retarget.expression.performance import is_performance

        if self.driving is None or self.identity is None:
            raise RetargetError(
                "A result is measured against what drove it and whom it shows.",
                do="Add --driving VIDEO and --identity PHOTO.",
            )
        for path in (self.driving, self.identity, *results):
            present(path)
        if is_performance(self.driving):
            raise UnreadableInput(
                f"{self.driving} is a saved performance, which keeps no pixels to be measured.",
                do="Give the video that it was saved from.",
            )
        return self.driving, self.identity

    def _check_without_effect(self) -> None:
        """Refuse options that would have no effect."""
        beside, idle = "a result", ["folder"]
        if self.suite is not None:
            beside, idle = "--suite", ["driving", "identity"]
        elif self.stimuli is not None:
            beside, idle = "--stimuli", ["driving", "identity", "folder", "page"]
        for name in idle:
            if getattr(self, name) is not None:
                raise RetargetError(f"--{name} does not count beside {beside}.", do="Leave it out.")

    def _check_room(self) -> None:
        """Refuse to start without enough memory."""
        from retarget.evaluation.model_files import landmarker
        from retarget.face.room import check_room

        check_room(imported=True, tasks=landmarker(self.measuring) is not None)

    def _check_outputs(self) -> None:
        """Refuse at once outputs that cannot be written or would replace inputs."""
        from retarget.evaluation.video import named
        from retarget.sink.refusals import check_apart, check_free

        faces = (self.result, self.driving, self.identity, *self.compare)
        read = (self.suite, *(named(path).file for path in faces if path is not None))
        for path in (self.json, self.page):
            if path is not None:
                check_free(path, overwrite=True, read=read)
        if self.page is not None:
            check_apart(self.page, [self.json], use="written to")

    def _write(self, told: object, page: Callable[[], str] = str) -> None:
        """Write what was asked for; files from an earlier run are replaced."""
        from retarget.sink.partial import save_text

        if self.json is not None:
            save_text(self.json, json.dumps(told, indent=1) + "\n", overwrite=True)
        if self.page is not None:
            save_text(self.page, page(), overwrite=True)
