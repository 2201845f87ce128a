"""Lay a preset over a job's defaults; an unknown word is an error that offers the nearest one.

On the command line every word that is typed stands above the preset. In Python a job does not see
what its caller typed, only what differs from the usual; that stands above the preset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from retarget.errors import RetargetError, UnknownWord
from retarget.flow.declared import AsDeclared, as_declared
from retarget.flow.shipped import presets_folder
from retarget.flow.toml_file import TomlFile

Job = TypeVar("Job")
Starting = TypeVar("Starting", bound="StartsFromPreset")


class _Laid(str):
    """The name of a preset whose values a job has already."""


class StartsFromPreset(AsDeclared):
    """A frozen dataclass with a field `preset`, whose values it takes where its own are the usual.

    They are the job's own from then on: `replace(job, preset=…)` lays another preset below them.

    Raises:
        UnknownWord: there is no such preset, or it holds a word that is not known.
        RetargetError: the preset holds a value of the wrong kind.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        word: str | None = getattr(self, "preset", None)
        if word is None or isinstance(word, _Laid):
            return
        object.__setattr__(self, "preset", _Laid(word))
        whole = _own_above(self, lay_over(self, read_preset(word), where=f"preset {word}"))
        for field in fields(self):  # type: ignore[arg-type]
            object.__setattr__(self, field.name, getattr(whole, field.name))

    @classmethod
    def _from_preset(cls: type[Starting], preset: str | Path, **needed: Any) -> Starting:
        """A job with all that the preset says, whose values typed words then take the place of."""
        word = _Laid(preset)
        return lay_over(
            cls(**needed, **{"preset": word}), read_preset(word), where=f"preset {word}"
        )


def _own_above(own: Job, laid: Job) -> Job:
    """The values of `laid`, save where `own` has others than the usual."""
    kept: dict[str, Any] = {}
    for field in fields(own):  # type: ignore[arg-type]
        mine, theirs = getattr(own, field.name), getattr(laid, field.name)
        if is_dataclass(mine):
            kept[field.name] = _own_above(mine, theirs)
        elif mine != _usual(field):
            kept[field.name] = mine
    return replace(laid, **kept)  # type: ignore[type-var]


def _usual(field: Field[Any]) -> Any:
    """What a field holds where nothing is said; `MISSING` where something must be."""
    return field.default if field.default_factory is MISSING else field.default_factory()


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
    if path.suffix.lower() != ".toml":
        known = preset_names()
        if word not in known:
            raise UnknownWord("preset", word, known)
        path = known[word]
    table = TomlFile(path, "preset").data
    if "preset" in table:
        raise RetargetError(
            f"{path} starts from another preset, and presets do not build on one another.",
            do="Copy that one's values into it.",
        )
    return table


def lay_over(
    job: Job, table: Mapping[str, Any], *, where: str, within: tuple[str, ...] = ()
) -> Job:
    """The job with the values of a table in place of its own.

    Args:
        job: a settings dataclass.
        table: names to values; a table stands for a nested dataclass.
        where: what the table is, for messages ("preset natural").
        within: the names of the tables around this one, outermost first.

    Raises:
        UnknownWord: a name that the job does not have, or a word that is none of its choices.
        RetargetError: a value of the wrong kind, or a name that belongs into another table.
    """
    place = f"{where}, {_table(within)}" if within else where
    known = {f.name: getattr(job, f.name) for f in fields(job)}  # type: ignore[arg-type]
    changed: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            raise _unknown(name, value, job, place, within)
        old = known[name]
        if is_dataclass(old) and not isinstance(old, type):
            if not isinstance(value, Mapping):
                do = f"Write {_table((*within, name))} and its settings below."
                raise RetargetError(f"{name} in {place} is not a table.", do=do)
            changed[name] = lay_over(old, value, where=where, within=(*within, name))
        else:
            changed[name] = value
    try:
        if not isinstance(job, AsDeclared):
            changed = as_declared(type(job), changed)
        return replace(job, **changed)  # type: ignore[type-var]
    except RetargetError as problem:
        raise problem.placed(place) from None
    except ValueError as problem:
        raise RetargetError(f"{place}: {problem}.", do="Correct the preset.") from problem


def _table(path: tuple[str, ...]) -> str:
    """A table's heading in TOML."""
    return f"[{'.'.join(path)}]"


def _unknown(
    name: str, value: object, job: object, place: str, within: tuple[str, ...]
) -> RetargetError:
    """What is wrong with a name that a job does not have, and where it belongs."""
    paths = list(_tables_with(name, job, within, called=isinstance(value, Mapping)))
    if not paths:
        known = [f.name for f in fields(job)]  # type: ignore[arg-type]
        return _of_videos(name, place) or UnknownWord("setting", name, known, where=place)
    there = " or ".join(_table(path) for path in paths)
    return RetargetError(
        f"There is no setting {name!r} in {place} itself.", do=f"Write it under {there}."
    )


def _of_videos(name: str, place: str) -> RetargetError | None:
    """What is wrong with a name that only the making of videos has; None where that has not."""
    from retarget.jobs.video import VideoJob

    if name not in (f.name for f in fields(VideoJob)):
        return None
    return RetargetError(
        f"{place} sets {name!r}, which only a video has.",
        do="Leave the preset out, or give a .toml file with the settings of this command.",
    )


def _tables_with(
    name: str, job: object, path: tuple[str, ...], *, called: bool
) -> Iterator[tuple[str, ...]]:
    """The tables inside a job that are called so, or have a setting of this name."""
    for field in fields(job):  # type: ignore[arg-type]
        inner, here = getattr(job, field.name), (*path, field.name)
        if not is_dataclass(inner):
            continue
        if called and field.name == name:
            yield here
        if not called and any(f.name == name for f in fields(inner)):
            yield here
        yield from _tables_with(name, inner, here, called=called)
