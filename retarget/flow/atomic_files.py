"""Atomic writing: a file appears under its name complete, or not at all."""

from __future__ import annotations

import atexit
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from itertools import count
from pathlib import Path

from retarget.errors import CannotWrite
from retarget.flow import digest
from retarget.flow.held_signals import held_signals
from retarget.flow.stale_files import HIDDEN, clear, locked, marked, remove

Landed = Callable[[Path], None]
"""Called with the path of a result whose name another program took while it was made."""

_WAITS = (0.05, 0.2, 1.0) if sys.platform == "win32" else ()
"""Seconds before further tries to rename what a virus scanner may have opened for a moment."""

_unfinished: dict[Path, int] = {}
"""Hidden paths being written, each with its process."""


def hidden_name(target: Path, suffix: str) -> Path:
    """A name next to `target` that no other run takes."""
    return target.parent / f"{HIDDEN}{secrets.token_hex(4)}{suffix}"


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """Keep other runs from writing `target` during the block, where the file system has locks.

    Raises:
        CannotWrite: one is writing it.
    """
    with _marked(target, "name") as free:
        if not free:
            raise CannotWrite(
                f"{target} is being written by another run.",
                do="Wait for that one, or choose another output.",
            )
        yield


@contextmanager
def given_or_free(given: Path | None, plain: Path) -> Iterator[Path]:
    """Yield `given`; if None, `plain` or the first free name numbered from 2.

    No other run gets the same free name during the block, where the file system has locks.
    """
    if given is not None:
        yield given
        return
    with ExitStack() as held:
        for place in names_from(plain):
            with ExitStack() as tried:
                if tried.enter_context(_marked(place, "made")) and not os.path.lexists(place):
                    held.push(tried.pop_all())
                    break
        yield place


def names_from(plain: Path) -> Iterator[Path]:
    """out.mp4, out_2.mp4, out_3.mp4 and so on."""
    yield plain
    for number in count(2):
        yield plain.with_name(f"{plain.stem}_{number}{plain.suffix}")


def landed_line(target: Path, place: Path) -> str:
    """The message for a result that took another name."""
    return f"Another program made {target} meanwhile, so the result is {place}."


@contextmanager
def _marked(target: Path, use: str) -> Iterator[bool]:
    """Mark a name for one use during the block; yields False where another run has marked it."""
    place = target.absolute()  # so that "." has a name and a parent, too
    mark = place.parent / f"{HIDDEN}{digest.of_parts({use: place.name})[:8]}.mark"
    with ExitStack() as opened:
        with held_signals():  # until it is known whether the mark is ours to remove
            free = marked(mark, opened)
            if free:
                opened.enter_context(removing(mark))
        yield free is not False


@contextmanager
def becoming(
    target: Path,
    guard: Callable[[], AbstractContextManager[object]] = nullcontext,
    landed: Landed | None = None,
) -> Iterator[Path]:
    """Yield a hidden file next to `target` that is renamed to it when the block succeeds.

    Args:
        target: the final path.
        guard: entered around file operations, to translate the system's errors.
        landed: if given, nothing is overwritten: the file takes the next free name, which is
            passed to this.

    Raises:
        OSError: the file cannot be written.
    """
    hidden = hidden_name(target, target.suffix)
    clear(target.parent)
    with removing(hidden):  # first, as Ctrl-C may come as soon as it exists
        with guard():
            hidden.touch(exist_ok=False)
        with locked(hidden):
            yield hidden
            with guard():
                if landed is None:
                    move(hidden, target)
                elif (place := _land(hidden, target)) != target:
                    landed(place)


def _land(hidden: Path, target: Path) -> Path:
    """Name a file `target` or the next free name, which is returned; its own may stay, too."""
    for place in names_from(target):
        try:
            os.link(hidden, place)  # unlike a rename, a link never replaces a file
        except OSError:
            if os.path.lexists(place):
                continue
            move(hidden, place)  # not every disk has links
        break
    return place


def move(file: Path, to: Path) -> None:
    """Rename a file or folder; a file replaces another one."""
    for seconds in _WAITS:
        with suppress(PermissionError):
            file.replace(to)
            return
        time.sleep(seconds)
    file.replace(to)


@contextmanager
def removing(hidden: Path) -> Iterator[None]:
    """Remove a hidden file or folder at the end of the body, or of the program if that is earlier.

    It is earlier on a daemon thread, whose body is never resumed.
    """
    _unfinished[hidden] = os.getpid()
    try:
        yield
    finally:
        remove(hidden)
        del _unfinished[hidden]


@atexit.register
def _remove_unfinished() -> None:
    for hidden, process in list(_unfinished.items()):
        if process != os.getpid():  # written by the parent of this forked process
            continue
        for part in hidden.parent.glob(f"{hidden.stem}*"):  # a sink may set pictures aside there
            remove(part)
