"""Lay a preset over a job's defaults; an unknown word is an error that offers the nearest one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from retarget.errors import RetargetError, UnknownWord, UnreadableInput
from retarget.flow.presets import presets_folder

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Job = TypeVar("Job")
_MAX_BYTES = 1_000_000
_KINDS = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    tuple: "a list",
}


def preset_names() -> dict[str, Path]:
    """The shipped presets by name."""
    return {p.stem: p for p in sorted(presets_folder().glob("*.toml"))}


def read_preset(word: str) -> Mapping[str, Any]:
    """The tables of a shipped preset, or of a person's own .toml file.

    Raises:
        UnknownWord: neither a shipped preset nor a file.
        UnreadableInput: the file is not TOML.
    """
    path = Path(word)
    if path.suffix != ".toml":
        known = preset_names()
        if word not in known:
            raise UnknownWord("preset", word, known)
        path = known[word]
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UnreadableInput(f"{path} is too large for a preset.", do="Name a preset file.")
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise UnreadableInput(
            f"The preset {path} cannot be read: {problem}.", do="Name a TOML file."
        ) from problem


def lay_over(job: Job, table: Mapping[str, Any], *, where: str) -> Job:
    """The job with the values of a table in place of its own.

    Args:
        job: a settings dataclass.
        table: names to values; a table stands for a nested dataclass.
        where: what the table is, for messages ("preset natural").

    Raises:
        UnknownWord: a name that the job does not have.
        RetargetError: a value of the wrong kind.
    """
    known = {f.name: getattr(job, f.name) for f in fields(job)}  # type: ignore[arg-type]
    declared = {f.name: str(f.type) for f in fields(job)}  # type: ignore[arg-type]
    changed: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            raise UnknownWord(f"setting in {where}", name, known)
        old = known[name]
        if is_dataclass(old) and not isinstance(old, type):
            if not isinstance(value, Mapping):
                raise RetargetError(f"{name} in {where} is not a table.", do=f"Write [{name}].")
            changed[name] = lay_over(old, value, where=f"{where}, {name}")
        else:
            given = _as_declared(declared[name], value)
            changed[name] = _same_kind(old, given, f"{name} in {where}")
    try:
        return replace(job, **changed)  # type: ignore[type-var]
    except ValueError as problem:
        raise RetargetError(f"{where}: {problem}.", do="Correct the preset.") from problem


def _as_declared(kind: str, value: object) -> object:
    """A value as TOML has it, in the form that a setting of that kind has."""
    if isinstance(value, str) and "Path" in kind:
        return Path(value)
    if isinstance(value, str) and kind.startswith("tuple[str"):
        return (value,)
    if isinstance(value, list) and "tuple[" in kind:
        inner = str if "tuple[str" in kind else int | float
        return tuple(value) if all(isinstance(one, inner) for one in value) else value
    return value


def _same_kind(old: object, value: object, what: str) -> object:
    if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if old is not None and type(value) is not type(old):
        raise RetargetError(
            f"{what} must be {_KINDS.get(type(old), 'something else')}, not {value!r}.",
            do="Correct the preset.",
        )
    return value
