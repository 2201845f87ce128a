"""The working time of a thread, without waiting for values of other threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class _Waited(threading.local):
    seconds = 0.0


_waited = _Waited()


@contextmanager
def waiting() -> Iterator[None]:
    """Exclude the block from this thread's working time."""
    start = time.perf_counter()
    try:
        yield
    finally:
        _waited.seconds += time.perf_counter() - start


def busy_time() -> float:
    """Seconds on a clock of this thread that stops during `waiting`."""
    return time.perf_counter() - _waited.seconds
