"""How many cores this process may use, which may be fewer than the machine has."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """The cores that a batch system, a container or `taskset` leaves, as libraries count them."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
