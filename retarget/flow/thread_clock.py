"""The time a thread works: without what it waits for values of other threads."""

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
    """Count the block as no work of this thread's."""
    start = time.perf_counter()
    try:
        yield
    finally:
        _waited.seconds += time.perf_counter() - start


def busy_time() -> float:
    """A clock of this thread's, in seconds, that stands while it waits."""
    return time.perf_counter() - _waited.seconds
