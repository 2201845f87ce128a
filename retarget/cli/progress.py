"""A progress bar: frames, frames per second, time left."""

from __future__ import annotations

import sys
import time
from typing import Any


class TerminalBar:
    """Progress on standard error where a person looks at it; elsewhere only warnings."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._progress: Any = None
        self._task: Any = None
        self._began = time.perf_counter()

    def __enter__(self) -> TerminalBar:
        return self

    def advance(self, done: int, total: int | None) -> None:
        """Show how far the job is."""
        if not self._live:
            return
        if self._progress is None:
            self._begin()
        rate = f"{done / (time.perf_counter() - self._began):.1f}/s"
        self._progress.update(self._task, completed=done, total=total, rate=rate)

    def warn(self, line: str) -> None:
        """Show one warning above the bar."""
        if self._progress is not None:
            self._progress.console.print(f"note: {line}", highlight=False, markup=False)
        else:
            sys.stderr.write(f"note: {line}\n")

    def _begin(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("frames, {task.fields[rate]},"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task("frames", total=None, rate="")
        self._progress.start()

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()
