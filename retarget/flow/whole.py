"""Files that are written whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

HIDDEN = ".retarget-"
"""How the name of what is not finished begins."""


def hidden_name(target: Path, suffix: str) -> Path:
    """A name next to `target` that no other run takes."""
    return target.parent / f"{HIDDEN}{secrets.token_hex(4)}{suffix}"


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
    try:  # from before it is there: Ctrl-C may come as soon as it is
        with guard():
            hidden.touch(exist_ok=False)
        yield hidden
        with guard():
            hidden.replace(target)
    finally:
        with suppress(OSError):
            hidden.unlink(missing_ok=True)
