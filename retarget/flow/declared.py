"""Settings given from Python: converted to the types of their annotations, or refused at once."""

from __future__ import annotations

import math
import os
import reprlib
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from tyro import MISSING, conf

from retarget.errors import UnknownWord, WrongSetting

HERE = conf.arg(name="")
"""Marks a field whose settings have no prefix on the command line: the most common ones."""

if TYPE_CHECKING:
    # A dataclass cannot declare that a field accepts more types than it stores. With Any, a type
    # checker accepts every value and still knows the stored type; wrong ones fail at runtime.
    T = TypeVar("T")
    Kept: TypeAlias = T | Any
else:

    class Kept:
        """`Kept[Path]`: the field stores a path and accepts what `AsDeclared` converts to one."""

        def __class_getitem__(cls, kind: Any) -> Any:
            """The stored type."""
            return kind


class AsDeclared:
    """A frozen dataclass whose values are converted to the types of its annotations.

    A string is accepted for a path and a path for a string, a number for text (`neutral=12`), one
    value for a tuple, and numpy's values for Python's. Types that no setting here uses, as in
    subclasses elsewhere, are not checked.

    Raises:
        UnknownWord: a word is not among its field's choices; the nearest is offered.
        WrongSetting: a value has another type.
    """

    def __post_init__(self) -> None:
        for name, kept in as_declared(type(self), vars(self)).items():
            object.__setattr__(self, name, kept)


def check_range(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Refuse a setting outside [low, high].

    Raises:
        WrongSetting: the command line and presets add the option's name as written.
    """
    if not low <= value <= high:
        wanted = f"be {low} or more" if high == math.inf else f"lie in {low} to {high}"
        raise WrongSetting(f"{name} must {wanted}, got {value}")


def as_declared(kind: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a dataclass keeps of values for some of its fields, by name.

    Raises:
        UnknownWord: a word is not among its field's choices; the nearest is offered.
        WrongSetting: a value has another type.
    """
    declared = _declared(kind)
    return {name: _kept(name, declared[name], value) for name, value in given.items()}


@cache
def _declared(kind: type[Any]) -> Mapping[str, tuple[Any, ...]]:
    """The types that each field of a dataclass may have."""
    hints = get_type_hints(kind)
    named = {field.name: hints[field.name] for field in fields(kind)}
    return {
        name: get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        for name, hint in named.items()
    }


def _kept(name: str, declared: tuple[Any, ...], given: Any) -> Any:
    """The value that a field of these types stores."""
    if given is MISSING or (given is None and NoneType in declared):
        return given  # MISSING is tyro's, for an argument not yet given
    if any(_is_free(kind) for kind in declared):
        return given
    plain = given.tolist() if hasattr(given, "tolist") else given  # numpy's values have it
    for one in plain if isinstance(plain, list | tuple) else (plain,):
        if isinstance(one, str | os.PathLike) and "\0" in os.fspath(one):  # can be no file's name
            raise WrongSetting(f"{name} must hold no null character, got {_in_short(given)}")
    for kind in declared:
        taken = _taken(kind, plain)
        if taken is not None:
            return taken
    words = [word for kind in declared if get_origin(kind) is Literal for word in get_args(kind)]
    if words and isinstance(given, str):
        raise UnknownWord(f"choice for {name}:", given, words)
    wanted = " or ".join(_called(kind) for kind in declared)
    raise WrongSetting(f"{name} must be {wanted}, got {_in_short(given)}")


def _is_free(kind: Any) -> bool:
    """Whether a type is not checked here, as in settings derived elsewhere."""
    origin = get_origin(kind)
    if origin is tuple:
        return get_args(kind)[1:] != (...,)
    checked = origin is Literal or (origin is None and kind is not Any and isinstance(kind, type))
    return not checked


def _taken(kind: Any, given: Any) -> Any:
    """The value as this type; None where it has another."""
    if get_origin(kind) is Literal:
        return given if given in get_args(kind) else None
    if get_origin(kind) is tuple:
        several = given if isinstance(given, list | tuple) else (given,)
        taken = tuple(_taken(get_args(kind)[0], value) for value in several)
        return None if None in taken else taken
    if kind is bool:
        return given if isinstance(given, bool) else None
    if isinstance(given, Real):
        return _of_number(kind, given)
    return given if isinstance(given, kind) else _of_name(kind, given)


def _of_number(kind: Any, given: Any) -> Any:
    """A number as this type; None for a bool and for types that accept no numbers."""
    if isinstance(given, bool):
        return None
    if kind is int:
        whole = isinstance(given, Integral) or float(given).is_integer()
        return int(given) if whole else None
    return kind(given) if kind in (float, str) else None


def _of_name(kind: Any, given: Any) -> Any:
    """A file name as this type; None where value or type is another kind."""
    if kind is Path and given == "":  # which would be the current folder
        return None
    if kind in (str, Path) and isinstance(given, str | os.PathLike):
        return Path(given) if kind is Path else os.fspath(given)
    return None


def _in_short(given: Any) -> str:
    """The value on one line, shortened if large."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    return " ".join(short.repr(given).split())


def _called(kind: Any) -> str:
    """A type in plain words."""
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if get_origin(kind) is tuple:
        return f"a list, each {_called(get_args(kind)[0])}"
    words: dict[Any, str] = {
        str: "text", Path: "a path", bool: "true or false", int: "a whole number",
        float: "a number", NoneType: "None",
    }  # fmt: skip
    return words.get(kind) or str(kind.__name__)
