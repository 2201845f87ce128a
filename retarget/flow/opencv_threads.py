"""How many threads OpenCV uses while lanes run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LANES = 3
"""Cores that the lanes of a job and its encoder keep busy."""
_lock = threading.Lock()
_usual = 1
_inside = 0


@contextmanager
def opencv_beside_lanes() -> Iterator[None]:
    """Limit OpenCV in the body to the cores that lanes do not need, but at least one.

    Its threads spin while they wait for work, on cores that a lane needs. The limit applies to the
    whole process; where bodies overlap, until the last one ends.
    """
    global _usual, _inside  # noqa: PLW0603  (as what they count is the process's)
    import cv2  # here, as --help must not load it

    with _lock:
        if _inside == 0:
            _usual = cv2.getNumThreads()
            cv2.setNumThreads(max(1, _usual - _LANES))
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                cv2.setNumThreads(_usual)
