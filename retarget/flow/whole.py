"""Files that are written whole or not at all."""

from __future__ import annotations

import atexit
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

from retarget.errors import CannotWrite
from retarget.flow import digest
from retarget.flow.dead_files import HIDDEN, clear, locked, marked, remove

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
    place = target.absolute()  # the current folder has a name, too, and is held beside itself
    name = digest.of_parts({"name": place.name})[:8]
    mark = place.parent / f"{HIDDEN}{name}.mark"
    with ExitStack() as opened:
        free = marked(mark, opened)
        if free is False:
            raise CannotWrite(
                f"{target} is being written by another run.",
                do="Wait for that one, or choose another output.",
            )
        if free:
            opened.enter_context(removing(mark))
        yield


@contextmanager
def becoming(
    target: Path, guard: Callable[[], AbstractContextManager[object]] = nullcontext
) -> Iterator[Path]:
    """Lend a hidden file next to `target` that becomes `target` when the block ends well.

    Args:
        target: what is written, or written over.
        guard: entered around what is done to the file here, to word what the system says of it.

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
                hidden.replace(target)


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
