"""Tell which runs are alive: clear up after killed ones, and keep two from writing one result.

A run holds a lock on what it writes, and the system lets go of it however the run ends. So what
bears one of our names and can be locked is nobody's any more. Where there are no such locks,
nothing is cleared, and nothing kept apart.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

HIDDEN = ".retarget-"
"""How the name of what is not finished begins."""
ASIDE = "old"
"""A folder in a hidden one, in which files of a person's own wait until new ones are in place."""
_NAME = re.compile(rf"({re.escape(HIDDEN)}[0-9a-f]{{8}})(\.\w+)?")
_UNTOUCHED = 3600.0
"""Seconds without a change after which something is cleared, for there are shared folders that
keep the locks of one machine from another."""


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Lock a file or folder while the block runs; False where that cannot be."""
    with ExitStack() as opened:
        yield _lock(path, opened)


def marked(mark: Path, opened: ExitStack) -> bool | None:
    """Make a file, or take one that was left, and lock it.

    Args:
        mark: what to call it; its holder removes it before it lets go of it.
        opened: holds the lock.

    Returns:
        False where another run holds it; None where there are no such locks.
    """
    while fcntl is not None:
        with ExitStack() as tried:
            try:  # to write, as shared folders lock nothing else
                descriptor = os.open(mark, os.O_RDWR | os.O_CREAT, 0o666)
                tried.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            except OSError:
                return None
            if _is_at(descriptor, mark):  # else its holder removed it meanwhile
                opened.push(tried.pop_all())
                return True
    return None


@cache
def clear(folder: Path) -> None:
    """Remove what killed runs left in a folder, once in the life of this one."""
    runs: dict[str, list[Path]] = defaultdict(list)
    with suppress(OSError):
        for path in folder.iterdir():
            if found := _NAME.fullmatch(path.name):
                runs[found[1]].append(path)
    for parts in runs.values():  # a sink sets pictures aside beside what is locked
        with ExitStack() as opened:
            if all(_is_old(part) and _lock(part, opened) for part in parts):
                for part in parts:
                    remove(part)


def remove(path: Path) -> None:
    """Remove a file or folder of ours, where it can be."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _lock(path: Path, opened: ExitStack) -> bool:
    if fcntl is None:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        opened.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _is_old(path: Path) -> bool:
    """Whether it has long been left alone, and holds no files of a person's own."""
    try:
        untouched = time.time() - path.lstat().st_mtime
    except OSError:
        return False
    return untouched > _UNTOUCHED and not (path / ASIDE).exists()
