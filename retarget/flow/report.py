"""What happened: progress, time per stage, frames without a face, warnings worth a line."""

from __future__ import annotations

import logging
import platform
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from retarget import __version__
from retarget.flow.thread_clock import busy_time

In = TypeVar("In")
Out = TypeVar("Out")
T = TypeVar("T")
Warn = Callable[[str], None]
"""Called with one line worth telling; `Report.warn` is one."""

_telling = threading.RLock()
"""No report's own: a report can be sent on to another process, as a lock cannot."""


def unheard(line: str) -> None:
    """Let a warning go by."""


class ProgressBar(Protocol):
    """Where progress is shown."""

    def advance(self, done: int, total: int | None) -> None:
        """Show that `done` of `total` (None: unknown) frames are finished."""

    def warn(self, line: str) -> None:
        """Show one warning without breaking the bar."""


class _Silent:
    def advance(self, done: int, total: int | None) -> None:
        """Show nothing."""

    def warn(self, line: str) -> None:
        """Show nothing."""


class _Logged(_Silent):
    """What a caller hears of who keeps no report: warnings, in the log of the package's name."""

    def warn(self, line: str) -> None:
        """Log one warning."""
        logging.getLogger("retarget").warning("%s", line)


class _Clock:
    """Time one stage works itself: its input's time, on the same thread, is taken out.

    The work of its lanes counts for their own stages; waiting for them counts for none.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._upstream = 0.0
        self._thread = 0

    def inside(self, values: Iterator[T]) -> Iterator[T]:
        """Count the time between asking `values` and its answer as not the stage's own."""
        while True:
            start = busy_time()
            try:
                value = next(values)
            except StopIteration:
                self._waited(start)
                return
            self._waited(start)
            yield value

    def _waited(self, start: float) -> None:
        if threading.get_ident() == self._thread:
            self._upstream += busy_time() - start

    def outside(self, values: Iterator[T]) -> Iterator[T]:
        """Count the rest of the time until each value as the stage's own."""
        try:
            while True:
                self._thread = threading.get_ident()
                start, before = busy_time(), self._upstream
                try:
                    value = next(values)
                except StopIteration:
                    return
                finally:
                    spent = busy_time() - start
                    self.seconds += spent - (self._upstream - before)
                yield value
        finally:
            close = getattr(values, "close", None)
            if close is not None:
                close()


@dataclass
class Report:
    """The account of one run; hand the same one to every stage of a job.

    Handed to a further run, it begins anew.
    """

    bar: ProgressBar = field(default_factory=_Silent, repr=False)
    frames: int = 0
    away: list[int] = field(default_factory=list)
    """Indices of frames in which no face was found."""
    warnings: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """Whatever else a job wants to tell: settings, how a neutral was found, the generator."""
    _clocks: dict[str, _Clock] = field(default_factory=dict, repr=False)
    _seen: Counter[str] = field(default_factory=Counter, repr=False)
    _started: float = field(default_factory=time.perf_counter, repr=False)
    _first: float | None = field(default=None, repr=False)
    _last: float = field(default=0.0, repr=False)
    _ended: float = field(default=0.0, repr=False)
    _taken: bool = field(default=False, repr=False)
    """Whether a run has begun to be told of here."""

    def stage(
        self, name: str, stage: Callable[[Iterator[In]], Iterator[Out]], values: Iterator[In]
    ) -> Iterator[Out]:
        """Run `stage` over `values` and measure the time it spends itself under `name`."""
        clock = self._clocks.setdefault(name, _Clock())
        return clock.outside(iter(stage(clock.inside(values))))

    def timed(self, name: str, values: Iterator[T]) -> Iterator[T]:
        """Measure the time a first stage (one without an input) spends under `name`."""
        return self._clocks.setdefault(name, _Clock()).outside(iter(values))

    @contextmanager
    def clock(self, name: str) -> Iterator[None]:
        """Measure a block under `name`, for the last stage of a job."""
        clock, start = self._clocks.setdefault(name, _Clock()), time.perf_counter()
        try:
            yield
        finally:
            clock.seconds += time.perf_counter() - start

    def watch(self, values: Iterator[T], total: int | None = None) -> Iterator[T]:
        """Count finished values and move the progress bar."""
        for value in values:
            self.frames += 1
            self._last = time.perf_counter()
            if self._first is None:
                self._first = self._last
            self.bar.advance(self.frames, total)
            yield value

    def lost(self, index: int) -> None:
        """Note a frame in which no face was found."""
        self.away.append(index)

    def warn(self, line: str) -> None:
        """Say something worth a line, once: the same line again is only counted."""
        with _telling:
            self._seen[line] += 1
            if self._seen[line] == 1:
                self.warnings.append(line)
                self.bar.warn(line)

    def end(self) -> None:
        """Note that the run's result is in place: a GIF's colours are chosen after its frames."""
        self._ended = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Wall time since the run began."""
        return time.perf_counter() - self._started

    @property
    def frames_per_second(self) -> float:
        """Finished frames per second from the run's beginning to its end, or to its last frame."""
        until = self._ended or self._last or time.perf_counter()
        return self.frames / max(until - self._started, 1e-9)

    @property
    def steady_frames_per_second(self) -> float:
        """Finished frames per second from the first finished frame to the last."""
        if self._first is None or self.frames < 2:
            return 0.0
        return (self.frames - 1) / max(self._last - self._first, 1e-9)

    def stages(self) -> dict[str, float]:
        """Seconds each stage worked itself, in the order the stages began.

        Lanes work at the same time, so these may add up to more than the whole took: the one that
        worked longest is what the others waited for.
        """
        return {name: clock.seconds for name, clock in list(self._clocks.items())}

    def as_dict(self) -> dict[str, Any]:
        """Everything, in plain values for JSON."""
        return {
            "retarget": __version__,
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}",
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
            "frames_per_second": round(self.frames_per_second, 2),
            "steady_frames_per_second": round(self.steady_frames_per_second, 2),
            "peak_megabytes": peak_megabytes(),
            "stages": {name: round(s, 3) for name, s in self.stages().items()},
            "frames_without_face": self.away,
            "warnings": [
                line if self._seen[line] < 2 else f"{line} ({self._seen[line]} times)"
                for line in self.warnings
            ],
            **self.facts,
        }


def begin(report: Report | None) -> Report:
    """The account of a run that begins now; what is left in it of an earlier run is cleared.

    Where none is given, nobody will read it, so its warnings are logged.

    Raises:
        ValueError: it is none, such as the name of a file to write one to.
    """
    report = Report(bar=_Logged()) if report is None else report
    if not isinstance(report, Report):
        raise ValueError(f"a run is told of in a Report, not in {report!r}")
    if report._taken:
        vars(report).update(vars(Report(bar=report.bar)))
    report._taken, report._started = True, time.perf_counter()
    return report


def peak_megabytes() -> float | None:
    """The most memory this process has held so far, in MB; None where the system cannot tell."""
    try:
        import resource
    except ImportError:  # Windows has no such count
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if platform.system() == "Darwin" else 1e3), 1)
