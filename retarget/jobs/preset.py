"""Lay a preset over a job's defaults; an unknown word is an error that offers the nearest one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from retarget.errors import RetargetError, UnknownWord
from retarget.flow.presets import presets_folder
from retarget.flow.toml_file import TomlFile

Job = TypeVar("Job")
_KINDS = {float: "a number", int: "a whole number", bool: "true or false", str: "text in quotes"}


def preset_names() -> dict[str, Path]:
    """The shipped presets by name."""
    return {p.stem: p for p in sorted(presets_folder().glob("*.toml"))}


def read_preset(word: str) -> Mapping[str, Any]:
    """The tables of a shipped preset, or of a person's own .toml file.

    Raises:
        UnknownWord: neither a shipped preset nor a file.
        UnreadableInput: the file is missing or not TOML.
    """
    path = Path(word)
    if path.suffix != ".toml":
        known = preset_names()
        if word not in known:
            raise UnknownWord("preset", word, known)
        path = known[word]
    return TomlFile(path, "preset").data


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
    hints = get_type_hints(type(job))
    changed: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            raise UnknownWord("setting", name, known, where=where)
        old = known[name]
        if is_dataclass(old) and not isinstance(old, type):
            if not isinstance(value, Mapping):
                raise RetargetError(f"{name} in {where} is not a table.", do=f"Write [{name}].")
            changed[name] = lay_over(old, value, where=f"{where}, [{name}]")
        else:
            choices = _choices(hints[name])
            if choices and value not in choices:
                raise UnknownWord(name, str(value), choices, where=where)
            changed[name] = _same_kind(old, value, f"{name} in {where}")
    try:
        return replace(job, **changed)  # type: ignore[type-var]
    except ValueError as problem:
        raise RetargetError(f"{where}: {problem}.", do="Correct the preset.") from problem


def _choices(hint: Any) -> list[str]:
    """The words that a field takes; empty where it takes any."""
    if get_origin(hint) is Literal:
        return [word for word in get_args(hint) if word is not None]
    return [word for part in get_args(hint) for word in _choices(part)]


def _same_kind(old: object, value: object, what: str) -> object:
    if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if old is not None and type(value) is not type(old):
        raise RetargetError(
            f"{what} must be {_KINDS.get(type(old), 'something else')}, not {value!r}.",
            do="Correct the preset.",
        )
    return value
