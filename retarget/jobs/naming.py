"""Add the file's name to errors of rooms, which do not know what file they read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from retarget.errors import NoFaceFound, UnreadableInput


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Prefix errors raised in the block with `name`, unless they have it."""
    try:
        yield
    except (NoFaceFound, UnreadableInput) as problem:
        what = problem.what
        if name in what:
            raise
        raise type(problem)(f"{name}: {what[0].lower()}{what[1:]}", do=problem.do) from problem
