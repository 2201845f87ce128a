"""How much memory this process may still take, so that a job that cannot fit is refused clearly.

A process that runs into a limit is often ended without a message: by the kernel, or by a library
that cannot report a failed allocation.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from retarget.errors import RetargetError

_PROC, _CGROUP = Path("/proc"), Path("/sys/fs/cgroup")
_LIMITS = (
    ("", "memory.max", "memory.current"),
    ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
)
"""The controller of groups of processes, their limit and their use: cgroup v2, then v1."""


def free_memory() -> float | None:
    """Bytes that are free for this process; None where unknown."""
    told = (_available(_PROC), *_in_groups())
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


def _in_groups() -> Iterator[float]:
    """What the limit of each group of processes leaves; inactive page cache counts as free."""
    for controller, most, now in _LIMITS:
        for group in _own_groups(controller):
            limit, used = _numbers(group / most), _numbers(group / now)
            if limit and used:
                yield max(float(limit[0] - used[0] + _only_read(group)), 0.0)


def _own_groups(controller: str) -> list[Path]:
    """The folders of the groups that this process is in, up to the container's own.

    A job of Slurm or a service of systemd is in a group within others.
    """
    top, inner = _CGROUP / controller, Path()
    with suppress(OSError, ValueError):
        for line in (_PROC / "self" / "cgroup").read_text("utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if controller in controllers.split(","):
                inner = Path(path.lstrip("/"))
    return [top / inner, *(top / outer for outer in inner.parents)]


def _only_read(group: Path) -> int:
    try:
        stat = (group / "memory.stat").read_text("ascii")
        told = dict(line.split() for line in stat.splitlines())
        return int(told.get("total_inactive_file", told.get("inactive_file", 0)))
    except (OSError, ValueError):
        return 0


def _numbers(file: Path) -> list[int]:
    """The numbers in a file of the kernel; empty where it is absent or says "max"."""
    try:
        return [int(word) for word in file.read_text("ascii").split()]
    except (OSError, ValueError):
        return []
