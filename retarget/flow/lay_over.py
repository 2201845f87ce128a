"""Set fields of nested settings dataclasses from the tables of a TOML file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from retarget.errors import RetargetError, UnknownWord
from retarget.flow.declared import AsDeclared, as_declared

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
    place = f"{where}, {_table(within)}" if within else where
    known = {f.name: getattr(job, f.name) for f in fields(job)}
    changed = dict(table)
    for name, value in table.items():
        if name not in known:
            known_elsewhere = _misplaced(name, value, job, place, within) or explain(name, place)
            raise known_elsewhere or UnknownWord("setting", name, known, where=place)
        old, inner = known[name], (*within, name)
        if not is_dataclass(old) or isinstance(old, type):
            continue
        if not isinstance(value, Mapping):
            do = f"Write {_table(inner)} and its settings below."
            raise RetargetError(f"{name} in {place} is not a table.", do=do)
        changed[name] = lay_over(old, value, where=where, within=inner, explain=explain)
    try:
        if not isinstance(job, AsDeclared):
            changed = as_declared(type(job), changed)
        return replace(job, **changed)
    except RetargetError as problem:
        raise problem.placed(place) from None
    except ValueError as problem:
        raise RetargetError(f"{place}: {problem}.", do="Correct the preset.") from problem


def _table(path: tuple[str, ...]) -> str:
    """A table's heading in TOML."""
    return f"[{'.'.join(path)}]"


def _misplaced(
    name: str, value: object, job: DataclassInstance, place: str, within: tuple[str, ...]
) -> RetargetError | None:
    """The error for a setting that belongs into a nested table; None where it is in none."""
    paths = list(_tables_with(name, job, within, called=isinstance(value, Mapping)))
    if not paths:
        return None
    there = " or ".join(_table(path) for path in paths)
    return RetargetError(
        f"There is no setting {name!r} in {place} itself.", do=f"Write it under {there}."
    )


def _tables_with(
    name: str, job: DataclassInstance, path: tuple[str, ...], *, called: bool
) -> Iterator[tuple[str, ...]]:
    """The nested tables of this name (`called`), or those with a setting of this name."""
    for field in fields(job):
        inner, here = getattr(job, field.name), (*path, field.name)
        if not is_dataclass(inner) or isinstance(inner, type):
            continue
        if called and field.name == name:
            yield here
        if not called and any(f.name == name for f in fields(inner)):
            yield here
        yield from _tables_with(name, inner, here, called=called)
