"""Every command: its words, and the job behind it, imported only when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from retarget.flow.report import Report


class Job(Protocol):
    """A frozen dataclass of settings that can be run."""

    def run(self, report: Report) -> object:
        """Do it; what is returned is printed, a path as where the result is."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One word after `retarget`."""

    module: str
    job: str
    does: str
    """What `retarget --help` says of it."""

    def load(self) -> type[Any]:
        """The job's dataclass."""
        loaded: type[Any] = getattr(import_module(self.module), self.job)
        return loaded


VIDEO = "video"
"""The command that is meant where none is named."""

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
         "a brief expression as a clip, true in its timing"),
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
