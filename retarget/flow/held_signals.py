"""Hold signals back while something must be finished, so that Ctrl-C cannot interrupt it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP


@contextmanager
def held_signals() -> Iterator[None]:
    """Let signals to end wait for the end of the body; then the first that came is obeyed.

    Whose handlers they are does not matter: they are put back. Python calls them on the main thread
    alone, so on any other there is nothing to hold off.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    found: dict[int, Callable[[int, FrameType | None], Any]] = {}
    try:
        for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
            handler = signal.getsignal(number)
            if callable(handler):  # else it is ignored, or ends the process without asking
                found[number] = handler
                signal.signal(number, lambda *told: came.append(told))
        yield
    finally:
        for number, handler in found.items():
            signal.signal(number, handler)
    for number, frame in came[:1]:
        found[number](number, frame)
