"""Limit numpy's matrix products to one thread, so that sums are the same everywhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import threadpoolctl

_lock = threading.Lock()
_limits: list[threadpoolctl.threadpool_limits] = []
"""One for each body entered since none was active, as a library may have been loaded since."""
_inside = 0


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Use one thread in the body: several add in another order and so round differently.

    The limit applies to the whole process; where bodies overlap, until the last one ends.
    """
    global _inside  # noqa: PLW0603  (as what it counts is the process's)
    with _lock, _on_any_thread():
        _limits.append(threadpoolctl.threadpool_limits(1, user_api="blas"))
        _inside += 1
    try:
        yield
    finally:
        with _lock, _on_any_thread():
            _inside -= 1
            while _inside == 0 and _limits:
                _limits.pop().restore_original_limits()


@contextmanager
def _on_any_thread() -> Iterator[None]:
    """Let the body, and later other threads, set OpenBLAS's number of threads.

    Newer versions of threadpoolctl accept changes only from the first thread that made one, while
    it lives: jobs on other threads would not be limited, or never be released.
    """
    controller = getattr(threadpoolctl, "OpenBLASController", None)
    clear = getattr(controller, "clear_controlling_thread", lambda **_: None)
    clear(force=True)
    try:
        yield
    finally:
        clear(force=True)
