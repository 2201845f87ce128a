"""What happened in a run: progress, time per stage, frames without a face, warnings."""

from __future__ import annotations

import logging
import platform
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from retarget import __version__
from retarget.flow.thread_clock import busy_time

In = TypeVar("In")
Out = TypeVar("Out")
T = TypeVar("T")
Warn = Callable[[str], None]
"""Called with a one-line warning; `Report.warn` is one."""

_PACKAGES = (
    "mediapipe", "opencv-contrib-python", "numpy", "scipy", "av", "pillow", "torch", "diffusers",
)  # fmt: skip
"""Packages that pixels may depend on, where they are installed."""
_telling = threading.RLock()
"""Shared by all reports, as a report can be pickled and a lock cannot."""


def unheard(line: str) -> None:
    """Ignore a warning."""


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
    """For callers without a report: warnings go to the log named "retarget"."""

    def warn(self, line: str) -> None:
        """Log one warning."""
        logging.getLogger("retarget").warning("%s", line)


class _Clock:
    """The working time of one stage, without that of its input on the same thread.

    Work in lanes counts for the stages there; waiting for lanes counts for none.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._upstream = 0.0
        self._thread = 0

    def inside(self, values: Iterator[T]) -> Iterator[T]:
        """Exclude the time that `values` takes for each value."""
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
        """Count the remaining time until each value."""
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


@dataclass(frozen=True, slots=True)
class Noted:
    """What the stages of a second process noted since the last time."""

    away: list[int]
    warned: Counter[str]
    facts: dict[str, Any]
    seconds: dict[str, float]
    """Of each stage since the beginning."""
    megabytes: float
    """The most memory of that process so far, without the libraries, whose pages it shares."""


@dataclass
class Report:
    """The record of one run, shared by all stages of a job; a further run clears it."""

    bar: ProgressBar = field(default_factory=_Silent, repr=False)
    frames: int = 0
    away: list[int] = field(default_factory=list)
    """Indices of frames in which no face was found."""
    warnings: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """Further facts of a job: settings, how a neutral was found, the generator."""
    _clocks: dict[str, _Clock] = field(default_factory=dict, repr=False)
    _seen: Counter[str] = field(default_factory=Counter, repr=False)
    _started: float = field(default_factory=time.perf_counter, repr=False)
    _first: float | None = field(default=None, repr=False)
    _last: float = field(default=0.0, repr=False)
    _ended: float = field(default=0.0, repr=False)
    _beside: float = field(default=0.0, repr=False)
    """`Noted.megabytes` of a second process."""
    _shared: float = field(default=0.0, repr=False)
    """The most that a second process has held of libraries."""
    _taken: bool = field(default=False, repr=False)
    """Whether a run has begun to use it."""

    def stage(
        self, name: str, stage: Callable[[Iterator[In]], Iterator[Out]], values: Iterator[In]
    ) -> Iterator[Out]:
        """Run `stage` over `values` and record its own working time under `name`."""
        clock = self._clocks.setdefault(name, _Clock())
        return clock.outside(iter(stage(clock.inside(values))))

    def timed(self, name: str, values: Iterator[T]) -> Iterator[T]:
        """Record the time of a first stage (one without an input) under `name`."""
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
        """Show a warning once; the same line again is only counted."""
        with _telling:
            self._seen[line] += 1
            if self._seen[line] == 1:
                self.warnings.append(line)
                self.bar.warn(line)

    def taken(self) -> Noted:
        """What was noted since the last call, for the report of another process to `add`."""
        self._shared = max(self._shared, _shared_megabytes())  # the system takes idle pages away
        peak = max((peak_megabytes() or 0.0) - self._shared, 0.0)
        noted = Noted(self.away, self._seen, self.facts, self.stages(), peak)
        self.away, self._seen = [], Counter()
        return noted

    def add(self, noted: Noted) -> None:
        """Add what was noted in a second process."""
        self.away += noted.away
        self.facts.update(noted.facts)
        self._beside = noted.megabytes
        for line in noted.warned.elements():
            self.warn(line)
        for name, seconds in noted.seconds.items():
            self._clocks.setdefault(name, _Clock()).seconds = seconds

    def end(self) -> None:
        """Note that the result is in place, which for a GIF is well after its last frame."""
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
        """Working seconds of each stage, in the order in which the stages began.

        Lanes work in parallel, so these may add up to more than the run took; the slowest lane sets
        the pace.
        """
        return {name: clock.seconds for name, clock in list(self._clocks.items())}

    def _peak(self) -> float | None:
        own = peak_megabytes()
        return None if own is None else round(own + self._beside, 1)

    def as_dict(self) -> dict[str, Any]:
        """The whole report in plain values for JSON."""
        return {
            "retarget": __version__,
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}",
            "packages": _packages(),
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
            "frames_per_second": round(self.frames_per_second, 2),
            "steady_frames_per_second": round(self.steady_frames_per_second, 2),
            "peak_megabytes": self._peak(),
            "stages": {name: round(s, 3) for name, s in self.stages().items()},
            "frames_without_face": self.away,
            "warnings": [
                line if self._seen[line] < 2 else f"{line} ({self._seen[line]} times)"
                for line in self.warnings
            ],
            **self.facts,
        }


def begin(report: Report | None) -> Report:
    """The report of a run that begins now, cleared of an earlier run.

    Without a given report, warnings are logged.

    Raises:
        ValueError: it is not a `Report`, but for instance the name of a file.
    """
    report = Report(bar=_Logged()) if report is None else report
    if not isinstance(report, Report):
        raise ValueError(f"a run is told of in a Report, not in {report!r}")
    if report._taken:
        vars(report).update(vars(Report(bar=report.bar)))
    report._taken, report._started = True, time.perf_counter()
    return report


def _packages() -> dict[str, str]:
    """The versions of installed packages that pixels depend on."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def peak_megabytes() -> float | None:
    """The most memory this process has held so far, in MB; None where the system cannot tell."""
    try:
        import resource
    except ImportError:  # Windows has no such count
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if platform.system() == "Darwin" else 1e3), 1)


def _shared_megabytes() -> float:
    """What this process holds of files, as code of libraries, in MB; 0 where it is not told."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[2])
    except (OSError, ValueError, IndexError):
        return 0.0
    import resource

    return pages * resource.getpagesize() / 1e6
