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
    VIDEO: Command(
        module="retarget.jobs.video",
        job="VideoJob",
        does="the identity performs what the driving face performs (may be left out)",
    ),
    "fit": Command(
        module="retarget.jobs.fit",
        job="FitJob",
        does="save a performance: no pixels, usable as a driving video",
    ),
    "still": Command(
        module="retarget.jobs.still",
        job="StillJob",
        does="one picture, or a grid of them, of the identity in an expression",
    ),
    "story": Command(
        module="retarget.jobs.story",
        job="StoryJob",
        does="a storyboard: characters, expressions, backgrounds, captions, a page",
    ),
    "micro": Command(
        module="retarget.jobs.micro",
        job="MicroJob",
        does="a brief expression as a clip, true in its timing",
    ),
    "expressions": Command(
        module="retarget.jobs.expressions",
        job="ExpressionsJob",
        does="list, search and draw the expressions that can be said",
    ),
    "moments": Command(
        module="retarget.jobs.moments",
        job="MomentsJob",
        does="find blinks and brief expressions in a video",
    ),
    "evaluate": Command(
        module="retarget.evaluation.job",
        job="EvaluateJob",
        does="measure a result against its driving video and its identity",
    ),
    "models": Command(
        module="retarget.jobs.models",
        job="ModelsJob",
        does="list and fetch model files; the default generator needs none",
    ),
    "bench": Command(
        module="retarget.jobs.bench",
        job="BenchJob",
        does="how fast this machine is, stage by stage",
    ),
}
