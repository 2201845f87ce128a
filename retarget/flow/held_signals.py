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
    """Delay signals that end the program until the body is done; the first one is then handled.

    The handlers found are put back afterwards. Python calls them on the main thread only, so on any
    other thread there is nothing to hold back.
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
