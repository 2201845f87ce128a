"""Names of files, as Python callers give them: a string or a path, whichever a field keeps."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any


class TakesNames:
    """A frozen dataclass whose fields for names of files take a string or a path.

    A field keeps what its annotation says: a `Path`, a `str`, or a `tuple` of them, for which one
    name will do.
    """

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            given = getattr(self, field.name)
            kept = _kept(given, str(field.type))
            if kept is not given:
                object.__setattr__(self, field.name, kept)


def _kept(given: Any, declared: str) -> Any:
    """What a field with this annotation keeps of what was given."""
    of_paths = "Path" in declared
    if of_paths == ("str" in declared):  # no name, or either will do
        return given
    if "tuple[" not in declared:
        return _one(given, of_paths)
    several = given if isinstance(given, list | tuple) else (given,)
    return tuple(_one(name, of_paths) for name in several)


def _one(given: Any, path: bool) -> Any:
    if path and isinstance(given, str):
        return Path(given)
    if not path and isinstance(given, os.PathLike):
        return os.fspath(given)
    return given
