"""Work that the program finishes before it ends.

Daemon threads are stopped wherever they are when the program ends. One that is inside MediaPipe,
which is being taken down at the same time, crashes the whole program.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PATIENCE = 3.0
"""Seconds to wait at most; a frame takes hundredths. A forked process would wait for ever for
threads that it does not have."""
_door = threading.Condition()
_inside = 0
_over = False
at_end: list[Callable[[], None]] = []
"""Called at the program's end, once no body is being run."""


@contextmanager
def unbroken() -> Iterator[None]:
    """Make the program's end wait for the body; no other thread enters one after that."""
    global _inside  # noqa: PLW0603  (as the end that it is counted for is the program's)
    with _door:
        while _over and threading.current_thread() is not threading.main_thread():
            _door.wait()
        _inside += 1
    try:
        yield
    finally:
        with _door:
            _inside -= 1
            _door.notify_all()


@atexit.register
def _end() -> None:
    global _over  # noqa: PLW0603
    with _door:
        _over = True
        _door.wait_for(lambda: _inside == 0, _PATIENCE)
    for close in at_end:
        close()
