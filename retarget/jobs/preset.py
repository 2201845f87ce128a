"""Lay a preset over a job's defaults; an unknown word is an error that offers the nearest one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from retarget.errors import RetargetError, UnknownWord
from retarget.flow.presets import presets_folder
from retarget.flow.toml_file import TomlFile

Job = TypeVar("Job")


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
        UnknownWord: a name that the job does not have, or a word that is none of its choices.
        RetargetError: a value of the wrong kind.
    """
    known = {f.name: getattr(job, f.name) for f in fields(job)}  # type: ignore[arg-type]
    kinds = get_type_hints(type(job))
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
            changed[name] = _kept(kinds[name], value, f"{name} in {where}")
    try:
        return replace(job, **changed)  # type: ignore[type-var]
    except ValueError as problem:
        raise RetargetError(f"{where}: {problem}.", do="Correct the preset.") from problem


def _kept(declared: Any, value: object, what: str) -> object:
    """What a setting of this type keeps of a value in a TOML file."""
    kinds = get_args(declared) if get_origin(declared) in (Union, UnionType) else (declared,)
    for kind in kinds:
        kept = _taken(kind, value)
        if kept is not None:
            return kept
    choices = [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]
    if choices and isinstance(value, str):
        raise UnknownWord(f"choice for {what}:", value, choices)
    wanted = " or ".join(_called(kind) for kind in kinds if kind is not type(None))
    raise RetargetError(f"{what} must be {wanted}, not {value!r}.", do="Correct it.")


def _taken(kind: Any, value: object) -> object | None:
    """The value as this type; None, which TOML does not have, where it is another."""
    if get_origin(kind) is Literal:
        return value if value in get_args(kind) else None
    if get_origin(kind) is tuple:
        items = [_taken(get_args(kind)[0], v) for v in value] if isinstance(value, list) else [None]
        return None if None in items else tuple(items)
    if kind is float:
        return float(value) if type(value) in (int, float) else None  # type: ignore[arg-type]
    if kind is Path:
        return Path(value) if isinstance(value, str) else None
    return value if type(value) is kind else None


def _called(kind: Any) -> str:
    """A type in a person's words."""
    if get_origin(kind) is tuple:
        return f"a list, each {_called(get_args(kind)[0])}"
    words = {str: "text", Path: "a path", bool: "true or false", int: "a whole number"}
    return words.get(kind, "a number" if kind is float else "one of its choices")
