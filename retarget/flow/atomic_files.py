"""Atomic writing: a file appears at its place whole, or not at all."""

from __future__ import annotations

import atexit
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from itertools import count
from pathlib import Path

from retarget.errors import CannotWrite
from retarget.flow import digest
from retarget.flow.held_signals import held_signals
from retarget.flow.stale_files import HIDDEN, clear, locked, marked, remove

Landed = Callable[[Path], None]
"""Called with where a result is, if another program took its name while it was made."""

_unfinished: dict[Path, int] = {}
"""What is being written, and by which process."""


def hidden_name(target: Path, suffix: str) -> Path:
    """A name next to `target` that no other run takes."""
    return target.parent / f"{HIDDEN}{secrets.token_hex(4)}{suffix}"


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """Let no other run write `target` while the block lasts, as far as the place has locks.

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
    """Lend the name given; else `plain` or, numbered from 2, the next name at which nothing is.

    No other run is lent that one while the block lasts, as far as the place has locks.
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
    """out.mp4, out_2.mp4, out_3.mp4, without an end."""
    yield plain
    for number in count(2):
        yield plain.with_name(f"{plain.stem}_{number}{plain.suffix}")


def landed_line(target: Path, place: Path) -> str:
    """What to say of a result that is not where it was to be."""
    return f"Another program made {target} meanwhile, so the result is {place}."


@contextmanager
def _marked(target: Path, use: str) -> Iterator[bool]:
    """Mark a name for one use while the block lasts; False where another run has."""
    place = target.absolute()  # the current folder has a name, too, and is held beside itself
    mark = place.parent / f"{HIDDEN}{digest.of_parts({use: place.name})[:8]}.mark"
    with ExitStack() as opened:
        with held_signals():  # till it is known whose the mark is, and so whether it goes again
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
    """Lend a hidden file next to `target` that becomes `target` when the block ends well.

    Args:
        target: what is written, or written over.
        guard: entered around what is done to the file here, to word what the system says of it.
        landed: then nothing is written over: the file takes the next free name, and this is told.

    Raises:
        OSError: the place refuses.
    """
    hidden = hidden_name(target, target.suffix)
    clear(target.parent)
    with removing(hidden):  # from before it is there: Ctrl-C may come as soon as it is
        with guard():
            hidden.touch(exist_ok=False)
        with locked(hidden):
            yield hidden
            with guard():
                if landed is None:
                    hidden.replace(target)
                elif (place := _land(hidden, target)) != target:
                    landed(place)


def _land(hidden: Path, target: Path) -> Path:
    """Give a file a name or the next free one, and tell which."""
    for place in names_from(target):
        try:
            os.link(hidden, place)  # what a rename would replace, a link leaves
        except OSError:
            if os.path.lexists(place):
                continue
            hidden.replace(place)  # not every disk has links
        else:
            hidden.unlink()
        break
    return place


@contextmanager
def removing(hidden: Path) -> Iterator[None]:
    """Remove a hidden file or folder when the body ends, or the program, where that comes first.

    On a daemon thread it does: there the body is broken off and never ends.
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
        if process != os.getpid():  # begun before this process was forked: its parent goes on
            continue
        for part in hidden.parent.glob(f"{hidden.stem}*"):  # a sink may set pictures aside there
            remove(part)
