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
"""Messages of libraries for too little memory."""
_NO_PLACE = re.compile("No space left on device|Disk quota|No usable temporary directory")
"""Messages for temporary files; results have their own."""
_TOGETHER_SECONDS = 1.0
"""Signals within this time count as one: shells and supervisors may each send the same one."""
_LOOKED_OVER = ("track", "driving", "story")
"""Jobs with one of these fields read faces first, which may take some time."""


class _Ending:
    """The handler of signals to end: raises KeyboardInterrupt, as Ctrl-C does."""

    def __init__(self) -> None:
        self.number: int | None = None
        """The first signal; its KeyboardInterrupt may have been lost, as within an import."""
        self._last = -_TOGETHER_SECONDS

    def __call__(self, number: int, _: FrameType | None) -> None:
        self.number = self.number or number
        before, self._last = self._last, time.monotonic()
        if self._last - before >= _TOGETHER_SECONDS:
            raise KeyboardInterrupt

    def again(self) -> None:
        """Raise a KeyboardInterrupt that was lost."""
        if self.number is not None:
            raise KeyboardInterrupt


_ending = _Ending()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 on success, 1 after an error that the user can correct, 130 after Ctrl-C, and 128 + its
        number after another signal.
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
        if not isinstance(problem, Exception) or not _printed(problem):
            raise
        return 1
    # A signal that was lost at the end still stops a shell's `&&`.
    return 128 + _ending.number if _ending.number is not None else 0


def _printed(problem: Exception) -> bool:
    """Print errors that a user can correct; False for others."""
    if isinstance(problem, RetargetError):
        sys.stderr.write(f"retarget: {problem.what}\n  {problem.do}\n")
    elif isinstance(problem, BrokenPipeError):  # the reader of our output has ended
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
    """Refuse to run in a folder that no longer exists, or may not be read."""
    try:
        os.getcwd()  # noqa: PTH109  (what pathlib asks, too)
    except OSError as error:
        raise RetargetError(
            f"The current folder cannot be used: {error.strerror}.", do="Change to another one."
        ) from error


def summary(report: Report) -> str:
    """The last line of output: frames, lost faces and speed."""
    frames = f"{report.frames} frame{'' if report.frames == 1 else 's'}"
    away = f"{len(report.away)} without a face" if report.away else "a face in each"
    told = [frames, away]
    if report.frames > 1:
        told.append(f"{report.frames_per_second:.1f} frames/s with start-up")
    return ", ".join(told)


def run() -> None:
    """The `retarget` program."""
    _limit_garbage_collection()
    _fill_closed_streams()
    _escape_unencodable_output()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        usual = (signal.SIG_DFL, signal.default_int_handler)
        if number is not None and signal.getsignal(number) in usual:  # nohup ignores it
            signal.signal(number, _ending)
    _hide_interrupts()
    sys.exit(main())


def _hide_interrupts() -> None:
    """Suppress tracebacks that Python and extension modules print for interrupts."""
    told, lost = sys.excepthook, sys.unraisablehook
    sys.excepthook = lambda kind, *rest: None if kind is KeyboardInterrupt else told(kind, *rest)
    sys.unraisablehook = lambda what: None if what.exc_type is KeyboardInterrupt else lost(what)


def _limit_garbage_collection() -> None:
    """Keep the garbage collector from libraries' objects, also at the end of the program.

    This saves the time of ten frames.
    """
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)


def _escape_unencodable_output() -> None:
    """Let standard output escape characters it cannot encode, as standard error does."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def _fill_closed_streams() -> None:
    """Open closed standard streams to the null device: else the next files get their numbers.

    FFmpeg's and MediaPipe's log lines would then be written into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    sys.stdin = sys.stdin or Path(os.devnull).open()  # noqa: SIM115  (open to the end)
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115  (open to the end)
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
