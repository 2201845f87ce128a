"""Put the file's name into errors of rooms, which do not know what file they read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from retarget.errors import NoFaceFound, UnreadableInput


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Put `name` before what the body says of a picture or clip without naming it."""
    try:
        yield
    except (NoFaceFound, UnreadableInput) as problem:
        what = problem.what
        if name in what:
            raise
        raise type(problem)(f"{name}: {what[0].lower()}{what[1:]}", do=problem.do) from problem
