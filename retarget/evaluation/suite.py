"""Make and measure all pairs of a suite, except what an earlier run finished.

Each pair leaves `NAME.mp4` and `NAME.json` in the suite's folder. The latter holds two hashes: of
all that the video depends on (files, options, program), and of all that the figures depend on (the
video, settings, estimators). Where a hash still fits, video or figures are not made again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from PIL import Image

from retarget.errors import RetargetError, UnreadableInput
from retarget.evaluation import video
from retarget.evaluation.as_json import as_dict
from retarget.evaluation.evaluate import Evaluator
from retarget.evaluation.model_files import arcface, landmarker, smirk
from retarget.evaluation.observe import Estimators
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.suite_file import SELF, Case, Suite
from retarget.evaluation.values import Failures
from retarget.flow import digest
from retarget.flow.lay_over import lay_over
from retarget.flow.report import Report
from retarget.sink.partial import beside, filling, save_text
from retarget.sink.refusals import writing


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of one pair."""

    case: Case
    figures: Mapping[str, float | None]
    """The measures' values by key; empty where it failed."""
    failures: tuple[Failures, ...] = ()
    """Frames in which an estimator saw no face."""
    problem: str | None
    """The message if it failed."""
    seconds: float | None
    """Wall time of making the result; None where it was given."""


def run_suite(
    suite: Suite, folder: Path, settings: EvaluateSettings, report: Report
) -> tuple[Outcome, ...]:
    """Every pair in order. A pair that fails is told and counted, and tried again next time.

    Raises:
        CannotWrite: the folder cannot be made, or another run fills it.
        UnreadableInput: the suite names a job that does not exist, or every pair failed.
    """
    out = []
    with filling(folder):
        runner = _Runner(suite, folder, settings, report)
        for i, case in enumerate(suite.cases):
            report.warn(f"pair {i + 1} of {len(suite.cases)}: {case.name}")
            out.append(runner.outcome(case))
    if all(o.problem is not None for o in out):
        raise UnreadableInput(
            f"None of the {len(out)} pairs could be made and measured; {out[0].case.name}: "
            f"{out[0].problem}",
            do="Correct that first; what was done is kept.",
        )
    return tuple(out)


class _Runner:
    """Runs pairs, which share the networks and the readings of driving videos."""

    def __init__(
        self, suite: Suite, folder: Path, settings: EvaluateSettings, report: Report
    ) -> None:
        self._folder, self._settings, self._report = folder, settings, report
        self._job = job_of(suite.job)
        self._suite = suite
        self._estimators: Estimators | None = None
        self._driven: dict[Path, Evaluator] = {}

    def outcome(self, case: Case) -> Outcome:
        told, made, key = self._kept(case), self._made_key(case), self._key(case)
        if told.get("key") == key:
            return _outcome(case, told)
        try:
            return self._fresh(case, told, made, key)
        except RetargetError as problem:
            self._report.warn(f"{case.name} failed: {problem}")
            return Outcome(case=case, figures={}, problem=str(problem), seconds=None)

    def _fresh(self, case: Case, kept: Mapping[str, Any], made: str, key: str) -> Outcome:
        identity = case.identity or self._own_photo(case)
        told: dict[str, Any] = {"made": made, "kind": case.kind, "seconds": None}
        result = case.given
        if result is None:
            result = self._folder / f"{case.name}.mp4"
            if kept.get("made") == made and result.is_file():
                told["seconds"] = kept.get("seconds")
            else:
                making = Report(bar=self._report.bar)
                make(self._job, case, identity, result, making)
                told["seconds"] = making.seconds
            self._keep(case, told)
        told |= as_dict(self._evaluator(case, identity).evaluate(result)) | {"key": key}
        self._keep(case, told)
        return _outcome(case, told)

    def _evaluator(self, case: Case, identity: Path) -> Evaluator:
        settings = replace(self._settings, start=case.start, self_reenactment=case.kind == SELF)
        self._estimators = self._estimators or Estimators(settings)
        evaluator = Evaluator(
            case.driving,
            identity,
            settings,
            self._report,
            estimators=self._estimators,
            like=self._driven.get(case.driving),
        )
        self._driven.setdefault(case.driving, evaluator)
        return evaluator

    def _own_photo(self, case: Case) -> Path:
        """The driving video's first frame as a picture without loss."""
        path = self._folder / f"{case.name}_photo.png"
        with beside(path, overwrite=True) as hidden, writing(path):
            Image.fromarray(next(video.frames(case.driving)).rgb).save(hidden)
        return Path(f"{path}{video.named(case.driving).mark}")

    def _file(self, case: Case) -> Path:
        return self._folder / f"{case.name}.json"

    def _keep(self, case: Case, told: Mapping[str, Any]) -> None:
        save_text(self._file(case), json.dumps(told) + "\n", overwrite=True)

    def _kept(self, case: Case) -> Mapping[str, Any]:
        """The content of a pair's JSON file of an earlier run; empty where there is none."""
        try:
            told = json.loads(self._file(case).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _made_key(self, case: Case) -> str:
        """A hash of everything the video depends on."""
        read = [p for p in (case.driving, case.identity, case.given) if p is not None]
        return digest.of_parts(
            {
                "program": _source(measuring=False),
                "job": self._suite.job if case.given is None else "given",
                "options": case.options,
                "files": [(str(p), _state(Path(video.named(p).file))) for p in read],
            }
        )

    def _key(self, case: Case) -> str:
        """A hash of everything the figures depend on."""
        found = (find(self._settings) for find in (landmarker, arcface, smirk))
        return digest.of_parts(
            {
                "made": self._made_key(case),
                "program": _source(measuring=True),
                "start": case.start,
                "settings": asdict(self._settings),
                "estimators": [(str(p), _state(p)) for p in found if p is not None],
            }
        )


def _outcome(case: Case, told: Mapping[str, Any]) -> Outcome:
    return Outcome(
        case=case,
        figures={key: m["value"] for key, m in told["measures"].items()},
        failures=tuple(Failures(**{**f, "frames": tuple(f["frames"])}) for f in told["failures"]),
        problem=None,
        seconds=told["seconds"],
    )


@cache
def _source(*, measuring: bool) -> str:
    """A hash of the source code of this room (`measuring`), or of all other rooms."""
    room = Path(__file__).resolve().parent
    files = sorted(room.parent.rglob("*.py"))
    return digest.of_files(path for path in files if (room in path.parents) == measuring)


def _state(path: Path) -> tuple[int, int] | None:
    """Size and time of last change; None for a file that is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def job_of(name: str) -> type[Any]:
    """The class of a job named module:Class.

    It is found by name, as evaluation does not import jobs, and a suite may name a job of another
    package.

    Raises:
        UnreadableInput: there is no such job.
    """
    module, _, kind = name.partition(":")
    try:
        found: type[Any] = getattr(import_module(module), kind)
        if not (isinstance(found, type) and is_dataclass(found)):
            raise ValueError("it is no class of settings")
    except (ImportError, AttributeError, ValueError) as problem:
        raise UnreadableInput(
            f"The suite's job {name} cannot be found: {problem}.",
            do='Write job = "module:Class", or leave it out.',
        ) from problem
    return found


def make(job: type[Any], case: Case, identity: Path, output: Path, report: Report) -> None:
    """Make one result with the case's options in place of the job's defaults."""
    empty = job(driving=str(case.driving), identity=str(identity), output=output)
    built = lay_over(empty, case.options, where=f"options of {case.name}")
    output.unlink(missing_ok=True)
    built.run(report)
