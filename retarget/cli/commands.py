"""Every command with its job, which is imported only when it is used."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from retarget.flow.report import Report


class Job(Protocol):
    """A frozen dataclass of settings that can be run."""

    def run(self, report: Report) -> object:
        """Run it; the result, or its path, is printed."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of `retarget`."""

    module: str
    job: str
    does: str
    """Its description in `retarget --help`."""

    def load(self) -> type[Any]:
        """The job's dataclass."""
        loaded: type[Any] = getattr(import_module(self.module), self.job)
        return loaded


VIDEO = "video"
"""The default command."""

COMMANDS = {
    name: Command(module=module, job=job, does=does)
    for name, module, job, does in (
        (VIDEO, "retarget.jobs.video", "VideoJob",
         "the identity performs what the driving face performs (may be left out)"),
        ("fit", "retarget.jobs.fit", "FitJob",
         "save a performance: no pixels, usable as a driving video"),
        ("still", "retarget.jobs.still", "StillJob",
         "one picture, or a grid of them, of the identity in an expression"),
        ("story", "retarget.jobs.story", "StoryJob",
         "a storyboard: characters, expressions, backgrounds, captions, a page"),
        ("micro", "retarget.jobs.micro", "MicroJob",
         "a brief expression as a clip with exact timing"),
        ("expressions", "retarget.jobs.expressions", "ExpressionsJob",
         "list, search and draw the expressions that can be said"),
        ("moments", "retarget.jobs.moments", "MomentsJob",
         "find blinks and brief expressions in a video"),
        ("evaluate", "retarget.evaluation.job", "EvaluateJob",
         "measure a result against its driving video and its identity"),
        ("models", "retarget.jobs.models", "ModelsJob",
         "list and fetch model files; the default generator needs none"),
        ("bench", "retarget.jobs.bench", "BenchJob",
         "how fast this machine is, stage by stage"),
    )
}  # fmt: skip
