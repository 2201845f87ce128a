"""What Python callers give: a string or a path for a file, one value where several may stand."""

from __future__ import annotations

import os
from dataclasses import fields
from numbers import Real
from pathlib import Path
from typing import Any


class TakesNames:
    """A frozen dataclass whose fields for names of files take a string or a path.

    A field keeps what its annotation says: a `Path`, a `str`, for which a number will do, or a
    `tuple`, for which one value will.
    """

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            given = getattr(self, field.name)
            kept = _kept(given, str(field.type))
            if kept is not given:
                object.__setattr__(self, field.name, kept)


def _kept(given: Any, declared: str) -> Any:
    """What a field with this annotation keeps of what was given."""
    if "tuple[" in declared and given is not None:
        several = given if isinstance(given, list | tuple) else (given,)
        return tuple(_one(value, declared) for value in several)
    return _one(given, declared)


def _one(given: Any, declared: str) -> Any:
    of_paths = "Path" in declared
    if of_paths == ("str" in declared):  # no name, or either will do
        return given
    if of_paths:
        return Path(given) if isinstance(given, str) else given
    if isinstance(given, os.PathLike):
        return os.fspath(given)
    return str(given) if isinstance(given, Real) and not isinstance(given, bool) else given
