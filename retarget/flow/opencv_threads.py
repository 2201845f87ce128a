"""How many threads OpenCV's functions take beside lanes."""

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
    """Leave OpenCV the cores that lanes do not need, and one at least, in the body.

    Its threads wait for more work by asking for it again and again, on cores that a lane wants.
    The limit is the whole process's. Where bodies overlap it holds until the last of them is left.
    """
    global _usual, _inside  # noqa: PLW0603  (as what they count is the process's)
    import cv2  # here, for help is told without it

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
