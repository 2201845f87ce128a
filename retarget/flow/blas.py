"""The same sums everywhere: how many threads numpy's products take."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import threadpoolctl

_lock = threading.Lock()
_limits: list[threadpoolctl.threadpool_limits] = []
"""One for each body that was entered since none was: libraries may have been loaded between."""
_inside = 0


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Add in one order in the body: several threads round otherwise, and a pixel is another.

    The limit is the whole process's. Where bodies overlap it holds until the last of them is left.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside  # noqa: PLW0603  (as what it counts is the process's)
    with _lock, _on_any_thread():
        _limits.append(threadpoolctl.threadpool_limits(1, user_api="blas"))
        _inside += 1


def _leave() -> None:
    global _inside  # noqa: PLW0603
    with _lock, _on_any_thread():
        _inside -= 1
        while _inside == 0 and _limits:
            _limits.pop().restore_original_limits()


@contextmanager
def _on_any_thread() -> Iterator[None]:
    """Let the body set OpenBLAS's threads, and after it whoever else wants to.

    Later versions of threadpoolctl heed only the first thread that did, for as long as it lives:
    jobs on other threads would not be held to one thread, or be never let go.
    """
    controller = getattr(threadpoolctl, "OpenBLASController", None)
    clear = getattr(controller, "clear_controlling_thread", lambda **_: None)
    clear(force=True)
    try:
        yield
    finally:
        clear(force=True)
