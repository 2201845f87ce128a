"""Set fields of nested settings dataclasses from the tables of a TOML file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, get_type_hints

from retarget.errors import RetargetError, UnknownWord
from retarget.flow.declared import HERE, AsDeclared, as_declared

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Job = TypeVar("Job", bound="DataclassInstance")
Explain: TypeAlias = Callable[[str, str], RetargetError | None]


def lay_over(
    job: Job,
    table: Mapping[str, Any],
    *,
    where: str,
    within: tuple[str, ...] = (),
    explain: Explain = lambda name, place: None,
) -> Job:
    """The job with the values of a table in place of its own.

    Args:
        job: a settings dataclass.
        table: names to values; a table stands for a nested dataclass.
        where: the table's origin, for messages ("preset natural").
        within: the names of the enclosing tables, outermost first.
        explain: an error for a name that is known elsewhere, given the name and its place.

    Raises:
        UnknownWord: a name that the job does not have, or a word that is not among its choices.
        RetargetError: a value of the wrong kind, or a name that belongs into another table.
    """
    place = f"{where}, {_heading(within)}" if within else where
    known = _names(job)
    changed: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            known_elsewhere = _misplaced(name, value, job, place, within) or explain(name, place)
            raise known_elsewhere or _unknown(name, value, job, place, within)
        old, inner = getattr(job, known[name]), (*within, name)
        changed[known[name]] = value
        if not is_dataclass(old) or isinstance(old, type):
            if isinstance(value, Mapping):
                raise _unknown(name, value, job, place, within)
            continue
        if not isinstance(value, Mapping):
            do = f"Write {_heading(inner)} and its settings below."
            raise RetargetError(f"{name} in {place} is not a table.", do=do)
        changed[known[name]] = lay_over(old, value, where=where, within=inner, explain=explain)
    try:
        if not isinstance(job, AsDeclared):
            changed = as_declared(type(job), changed)
        return replace(job, **changed)
    except RetargetError as problem:
        raise problem.placed(place) from None
    except ValueError as problem:
        raise RetargetError(f"{place}: {problem}.", do="Correct the preset.") from problem


@dataclass(frozen=True, slots=True)
class _Nested:
    """A settings dataclass within a job's."""

    path: tuple[str, ...]
    settings: frozenset[str]
    """The names of its fields that are no tables themselves."""
    plain: bool
    """Whether its options have no prefix on the command line."""


def _heading(path: tuple[str, ...]) -> str:
    """A table's heading in TOML."""
    return f"[{'.'.join(path)}]"


def _either(paths: Iterable[tuple[str, ...]]) -> str:
    return " or ".join(map(_heading, paths))


def _misplaced(
    name: str, value: object, job: DataclassInstance, place: str, within: tuple[str, ...]
) -> RetargetError | None:
    """The error for a setting or table that belongs into a nested one; None where it is in none."""
    there = _tables_with({name}, job, within)
    if isinstance(value, Mapping):
        there = [one.path for one in _nested(job, within) if one.path[-1] == name]
    if not there:
        return None
    return RetargetError(
        f"There is no setting {name!r} in {place} itself.", do=f"Write it under {_either(there)}."
    )


def _unknown(
    name: str, value: object, job: DataclassInstance, place: str, within: tuple[str, ...]
) -> RetargetError:
    """The error for a setting or a table that is in no nested table either."""
    if not isinstance(value, Mapping):
        return UnknownWord("setting", name, _names(job), where=place)
    unknown = UnknownWord(
        "table", name, (".".join(t.path) for t in _nested(job, within)), where=place
    )
    there = _tables_with(set(value), job, within) if value else []
    do = f"Write {' and '.join(value)} under {_either(there)}." if there else unknown.do
    return RetargetError(unknown.what, do=do)


def _names(job: DataclassInstance) -> dict[str, str]:
    """The fields by their names in a file: `from` is no name in Python."""
    return {field.name.removesuffix("_"): field.name for field in fields(job)}


def _tables_with(
    names: set[str], job: DataclassInstance, within: tuple[str, ...]
) -> list[tuple[str, ...]]:
    """The nested tables with all these settings; of several, those that need no prefix."""
    found = [one for one in _nested(job, within) if names <= one.settings]
    return [one.path for one in found if one.plain] or [one.path for one in found]


def _nested(
    job: DataclassInstance, path: tuple[str, ...], *, plain: bool = True
) -> Iterator[_Nested]:
    """Every settings dataclass within a job's, at any depth."""
    hints = get_type_hints(type(job), include_extras=True)
    for field in fields(job):
        inner = getattr(job, field.name)
        if not is_dataclass(inner) or isinstance(inner, type):
            continue
        here = (*path, field.name)
        no_prefix = plain and HERE in getattr(hints[field.name], "__metadata__", ())
        names = (f.name for f in fields(inner) if not is_dataclass(getattr(inner, f.name)))
        yield _Nested(path=here, settings=frozenset(names), plain=no_prefix)
        yield from _nested(inner, here, plain=no_prefix)
