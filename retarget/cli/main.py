"""The command line: run one job and print its result, or one sentence that says why not."""

from __future__ import annotations

import atexit
import gc
import io
import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from retarget.cli.overview import overview
from retarget.cli.parse import job_from, show, wants_overview
from retarget.errors import RetargetError
from retarget.flow.report import Report

_NO_MEMORY = re.compile(r"[Ii]nsufficient memory|bad_alloc|[Cc]annot allocate memory|"
                        r"can't start new thread|[Oo]ut of memory|"
                        r"failed to map segment|Unable to map file|"
                        r"Resource temporarily unavailable")  # fmt: skip
"""What libraries say that have an error of their own for this."""
_NO_PLACE = re.compile("No space left on device|Disk quota|No usable temporary directory")
"""What is said where a temporary file is meant: writing results words this by itself."""
_TOGETHER_SECONDS = 1.0
"""Shells, terminals and supervisors may each pass the same wish on: what comes so close is one."""
_LOOKED_OVER = ("track", "driving", "story")
"""A job that has one of these reads faces first, which may take a while."""


class _Ending:
    """What signals to end do: the first one ends the job, as Ctrl-C does everywhere in Python."""

    def __init__(self) -> None:
        self.number: int | None = None
        """The first that came; the interrupt it raised may have been lost, as within an import."""
        self._last = -_TOGETHER_SECONDS

    def __call__(self, number: int, _: FrameType | None) -> None:
        self.number = self.number or number
        before, self._last = self._last, time.monotonic()
        if self._last - before >= _TOGETHER_SECONDS:
            raise KeyboardInterrupt

    def again(self) -> None:
        """Raise what was lost."""
        if self.number is not None:
            raise KeyboardInterrupt


_ending = _Ending()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 when it worked, 1 when its reader can put something right, 130 after Ctrl-C, and as
        shells expect it after another signal.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if wants_overview(words):
        show(overview())
        return 0
    if words in (["--version"], ["-V"], ["version"]):
        from retarget import __version__

        show(f"retarget {__version__}")
        return 0
    try:
        _run(words)
    except BaseException as problem:
        if isinstance(problem, KeyboardInterrupt) or _ending.number is not None:
            sys.stderr.write("retarget: Stopped. Nothing unfinished was left behind.\n")
            return 128 + (_ending.number or signal.SIGINT)
        if not isinstance(problem, Exception) or not _told(problem):
            raise
        return 1
    # What came when all was done, and was lost, still keeps a `&&` from going on.
    return 128 + _ending.number if _ending.number is not None else 0


def _told(problem: Exception) -> bool:
    """Say what went wrong, where a person can put it right."""
    if isinstance(problem, RetargetError):
        sys.stderr.write(f"retarget: {problem.what}\n  {problem.do}\n")
    elif isinstance(problem, BrokenPipeError):  # whoever read our output has gone: say no more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    elif isinstance(problem, MemoryError) or _NO_MEMORY.search(str(problem)):
        sys.stderr.write(
            "retarget: There is not enough memory for this.\n"
            "  Use a smaller photo or video, or raise the limit if one is set (`ulimit -a`).\n"
        )
    elif isinstance(problem, OSError) and _NO_PLACE.search(str(problem)):
        sys.stderr.write(
            f"retarget: A temporary file cannot be written: {problem.strerror}.\n"
            "  Free some space, or name another folder in the environment variable TMPDIR.\n"
        )
    else:
        return False
    return True


def _run(words: Sequence[str]) -> None:
    from retarget.cli.progress import TerminalBar

    _check_here()
    job = job_from(words)
    with TerminalBar(_ending.again) as bar:
        if hasattr(job, "track"):
            from retarget.face.room import check_room

            check_room(imported=False)
        if any(hasattr(job, name) for name in _LOOKED_OVER):
            bar.look()
        report = Report(bar=bar)
        result = job.run(report)
        report.end()
    if result is not None:
        show(str(result))
    if isinstance(result, Path) and report.frames:
        show(summary(report))


def _check_here() -> None:
    """Refuse to begin in a folder that is gone, from which no name leads anywhere.

    Raises:
        RetargetError: it was taken away, or may not be looked at.
    """
    try:
        os.getcwd()  # noqa: PTH109  (what pathlib asks, too)
    except OSError as error:
        raise RetargetError(
            f"The current folder cannot be used: {error.strerror}.", do="Change to another one."
        ) from error


def summary(report: Report) -> str:
    """What a person wants to know at the end, in one line."""
    frames = f"{report.frames} frame{'' if report.frames == 1 else 's'}"
    away = f"{len(report.away)} without a face" if report.away else "a face in each"
    told = [frames, away]
    if report.frames > 1:
        told.append(f"{report.frames_per_second:.1f} frames/s with start-up")
    return ", ".join(told)


def run() -> None:
    """The `retarget` program."""
    _leave_what_stays()
    _fill_closed_streams()
    _spell_what_is_not_known()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        usual = (signal.SIG_DFL, signal.default_int_handler)
        if number is not None and signal.getsignal(number) in usual:  # nohup ignores it
            signal.signal(number, _ending)
    _print_no_interrupt()
    sys.exit(main())


def _print_no_interrupt() -> None:
    """Keep to ourselves what Python and extension modules print where they lose an interrupt."""
    told, lost = sys.excepthook, sys.unraisablehook
    sys.excepthook = lambda kind, *rest: None if kind is KeyboardInterrupt else told(kind, *rest)
    sys.unraisablehook = lambda what: None if what.exc_type is KeyboardInterrupt else lost(what)


def _leave_what_stays() -> None:
    """Let nobody look for garbage among the libraries' own objects, nor take them apart at the end.

    Both together take as long as ten frames.
    """
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)


def _spell_what_is_not_known() -> None:
    """Let standard output write letters that it lacks by their numbers, as standard error does."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def _fill_closed_streams() -> None:
    """Lead closed standard streams nowhere: else the next file opened would take their numbers.

    FFmpeg's and MediaPipe's log lines would then be written into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115  (open to the end)
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
