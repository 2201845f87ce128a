"""How much memory this process may still take, so that a job that cannot fit is refused clearly.

A process that runs into a limit is often ended without a message: by the kernel, or by a library
that cannot report a failed allocation.
"""

from __future__ import annotations

import sys
from pathlib import Path

from retarget.errors import RetargetError

_PROC, _CGROUP = Path("/proc"), Path("/sys/fs/cgroup")
_LIMITS = (
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)
"""A container's limit, its use and the use by kind, in the layouts of cgroup v2 and v1."""


def free_memory() -> float | None:
    """Bytes that are free for this process; None where unknown."""
    told = (_available(_PROC), _in_container(_CGROUP))
    return min((free for free in told if free is not None), default=None)


def free_address_space() -> float | None:
    """Bytes that `ulimit -v` leaves, for numbers, libraries and threads alike; None: no limit."""
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    taken = _numbers(_PROC / "self" / "statm")
    return max(limit - (taken[0] if taken else 0) * resource.getpagesize(), 0.0)


def require_address_space(wanted: float, *, of: str, do: str) -> None:
    """Refuse a job whose memory could not be mapped: libraries then end the process, or hang.

    Args:
        wanted: bytes that will be taken.
        of: what takes them, in the plural, for the message.
        do: what the user can do besides raising the limit.

    Raises:
        RetargetError: a limit on this process leaves less.
    """
    left = free_address_space()
    if left is not None and left < wanted:
        raise RetargetError(
            f"{of} take {wanted / 1e9:.2f} GB of address space, and this process may take "
            f"{left / 1e9:.2f} GB more.",
            do=f"Raise the limit (`ulimit -v unlimited`){do}.",
        )


def _available(proc: Path) -> float | None:
    """What Linux reports as available."""
    try:
        for line in (proc / "meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return float(line.split()[1]) * 1024
    except OSError:
        return None
    return None


def _in_container(group: Path) -> float | None:
    """What the container's limit leaves; inactive page cache counts as free."""
    for names in _LIMITS:
        limit, used = (_numbers(group / name) for name in names[:2])
        if limit and used:
            return max(float(limit[0] - used[0] + _only_read(group / names[2])), 0.0)
    return None


def _only_read(stat: Path) -> int:
    try:
        told = dict(line.split() for line in stat.read_text("ascii").splitlines())
        return int(told.get("total_inactive_file", told.get("inactive_file", 0)))
    except (OSError, ValueError):
        return 0


def _numbers(file: Path) -> list[int]:
    """The numbers in a file of the kernel; empty where it is absent or says "max"."""
    try:
        return [int(word) for word in file.read_text("ascii").split()]
    except (OSError, ValueError):
        return []
