"""A progress bar: frames, frames per second, time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any


class TerminalBar:
    """Progress on standard error if it is a terminal; else only warnings.

    Args:
        go_on: called at every frame; raises an exception to end the job.
    """

    def __init__(self, go_on: Callable[[], None] = lambda: None) -> None:
        self._go_on = go_on
        self._live = sys.stderr.isatty()
        self._progress: Any = None
        self._task: Any = None
        self._began = time.perf_counter()

    def __enter__(self) -> TerminalBar:
        return self

    def look(self) -> None:
        """Show that work has begun, as samples are read before the first frame."""
        self._show(done=0, total=None, doing="looking it over")

    def advance(self, done: int, total: int | None) -> None:
        """Show the progress."""
        self._go_on()
        self._show(done=done, total=total, doing="finishing" if done == total else "")

    def warn(self, line: str) -> None:
        """Show one warning above the bar."""
        if self._progress is not None:
            self._progress.console.print(f"note: {line}", highlight=False, markup=False)
        else:
            sys.stderr.write(f"note: {line}\n")

    def _show(self, *, done: int, total: int | None, doing: str) -> None:
        if not self._live:
            return
        rate = f", {done / (time.perf_counter() - self._began):.1f}/s" if done else ""
        shown = {"completed": done, "total": total, "rate": rate, "doing": doing}
        if self._progress is None:
            self._progress = _bar()
            self._task = self._progress.add_task("frames", **shown)
            self._progress.start()
        self._progress.update(self._task, **shown)

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames{task.fields[rate]},"),
        TimeRemainingColumn(),
        TextColumn("left {task.fields[doing]}"),
        console=Console(stderr=True),
        transient=True,
    )
