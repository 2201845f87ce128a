"""File locks of running jobs: clear up after killed runs, and keep two from writing one result.

A run locks what it writes, and the system releases the lock however the run ends. So a file that
has one of our names and can be locked is left over. On file systems without such locks nothing is
cleared, and two runs are not kept apart.
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
"""Prefix of unfinished files and folders."""
ASIDE = "old"
"""A folder in a hidden one that keeps a user's replaced files until the new ones are in place."""
_NAME = re.compile(rf"({re.escape(HIDDEN)}[0-9a-f]{{8}})(\.\w+)?")
_UNTOUCHED = 3600.0
"""Seconds without a change before anything is cleared, as some network folders do not share locks
between machines."""


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Lock a file or folder during the block; yields False where that fails."""
    with ExitStack() as opened:
        yield _lock(path, opened)


def marked(mark: Path, opened: ExitStack) -> bool | None:
    """Create a file, or take a left-over one, and lock it.

    Args:
        mark: its path; the holder removes the file before it releases the lock.
        opened: holds the lock.

    Returns:
        False where another run holds the lock; None where locks are not supported.
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
            if _is_at(descriptor, mark):  # otherwise its holder has removed it
                opened.push(tried.pop_all())
                return True
    return None


@cache
def clear(folder: Path) -> None:
    """Remove what killed runs left in a folder, once per process."""
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
    """Remove one of our files or folders, if possible."""
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
    """Whether it is long unchanged and holds none of the user's files."""
    try:
        untouched = time.time() - path.lstat().st_mtime
    except OSError:
        return False
    return untouched > _UNTOUCHED and not (path / ASIDE).exists()
