"""Checked values of a table in a TOML file; a wrong one is an error that names its line."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retarget.errors import UnknownWord, UnreadableInput
from retarget.flow.paths import is_file
from retarget.flow.toml_file import Place, TomlFile, within

LONGEST = 600
"""The most characters of a text."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a file, by default the whole file.

    Each method returns a value of the type in its name, and raises UnreadableInput where the file
    holds something else.
    """

    file: TomlFile
    place: Place = ()

    @property
    def values(self) -> Mapping[str, Any]:
        """What the table holds."""
        value: Any = self.file.data
        for part in self.place:
            value = value[part]
        if not isinstance(value, Mapping):
            several, path = isinstance(self.place[-1], int), ".".join(map(str, self.place))
            heading = f"[[{self.place[0]}]]" if several else f"[{path}]"
            do = f"Write {heading} above its entries."
            raise self.file.problem(self.place, "This is no table.", do=do)
        return value

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def problem(self, name: str, what: str, *, do: str) -> UnreadableInput:
        """An error about the value of that name."""
        return self.file.problem((*self.place, name), what, do=do)

    def telling(self, name: str) -> AbstractContextManager[None]:
        """Add the line of the value of that name to errors raised in the body."""
        return self.file.telling((*self.place, name))

    def check_names(
        self, known: Collection[str], kind: str, meant: Mapping[str, str] | None = None
    ) -> None:
        """Refuse names that this table does not have.

        Args:
            known: the allowed names.
            kind: what a name stands for, in messages ("entry of a step").
            meant: common mistakes, with the allowed name that each stands for.
        """
        for name in self.values:
            if name not in known:
                unknown, likely = UnknownWord(kind, name, known), (meant or {}).get(name)
                do = f"Did you mean {likely!r}?" if likely in known else unknown.do
                raise self.problem(name, unknown.what, do=do)

    def tables(self, name: str, *, most: int | None = None) -> list[Table]:
        """The [[name]] tables, at least one."""
        value = self.values.get(name, [])
        if not isinstance(value, list) or not value:
            raise self.problem(name, f"There is no {name}.", do=f"Write [[{name}]] for each.")
        if most is not None and len(value) > most:
            raise self.file.problem(
                (*self.place, name, most),
                f"There are {len(value)} of [[{name}]], and {most} are the most.",
                do="Split it into several files.",
            )
        return [Table(self.file, (*self.place, name, i)) for i in range(len(value))]

    def text(self, name: str, default: str | None = None) -> str:
        """A text of at most `LONGEST` characters."""
        value = self.values.get(name, default)
        if value is None:
            raise self.problem(name, f"There is no {name}.", do=f'Write {name} = "…".')
        if not isinstance(value, str) or len(value) > LONGEST:
            raise self.problem(
                name,
                f"{name} is not a text of at most {LONGEST} characters.",
                do="Write it in quotes.",
            )
        return value

    def texts(self, name: str, default: str | None = None) -> tuple[str, ...]:
        """A text, or a list of them."""
        value = self.values.get(name, default)
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self.problem(name, f"{name} is missing or not a text.", do=f'Write {name} = "…".')
        return tuple(value)

    def choice(self, name: str, known: Collection[str], default: str) -> str:
        """One of several words."""
        value = self.text(name, default)
        with self.telling(name):
            if value not in known:
                raise UnknownWord(name, value, known)
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A number within limits."""
        return self.checked_number(name, self.values.get(name, default), low, high)

    def checked_number(self, name: str, value: object, low: float, high: float) -> float:
        """One value of a list of that name, checked as `number` does."""
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            what = f"{value!r} is not a number from {low:.10g} to {high:.10g}"
            raise self.problem(name, f"{name}: {what}.", do="Correct it.")
        return float(value)

    def whole_number(self, name: str, default: int, low: int, high: int) -> int:
        """A number without a fraction."""
        value = self.number(name, default, low, high)
        if value != round(value):
            raise self.problem(
                name, f"{name} is {value:g}, which is no whole number.", do="Correct it."
            )
        return round(value)

    def flag(self, name: str) -> bool:
        """True or false; false if absent."""
        value = self.values.get(name, False)
        if not isinstance(value, bool):
            raise self.problem(name, f"{name} is not true or false.", do="Correct it.")
        return value

    def path(self, name: str, given: object, *, outside: bool) -> Path:
        """The path of an existing file, relative to the folder of the TOML file."""
        if not isinstance(given, str):
            raise self.problem(
                name, f"{given!r} is not the name of a file.", do="Write it in quotes."
            )
        with self.telling(name):
            path = within(self.file.path.parent, given, outside=outside)
        if not is_file(path):
            raise self.problem(name, f"There is no file {given}.", do="Check the name.")
        return path
