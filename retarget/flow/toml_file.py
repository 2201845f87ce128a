"""A TOML file with the line number of each of its parts, for messages."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from retarget.errors import RetargetError, UnreadableInput
from retarget.flow.paths import check_no_stream

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_BYTES = 4_000_000
"""A larger file is refused before it is read."""

_ENDING = ".toml"
Place: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the top of the file: ("panel", 3, "caption")."""

_TABLE = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_NAME = re.compile(r"[\w\-]+|\"[^\"]*\"|'[^']*'")
_AGAIN = re.compile(r"Cannot declare (\(.*\)) twice|Cannot overwrite")
"""The parser's message for a repeated name, which it shows as a tuple of its parts."""
_KEY = re.compile(rf"\s*((?:{_NAME.pattern})(?:\s*\.\s*(?:{_NAME.pattern}))*)\s*=")


class TomlFile:
    """The file's content in `data`, with line numbers.

    Args:
        path: the file.
        what: the kind of file ("storyboard"), for messages.

    Raises:
        UnreadableInput: the file is missing, too large, not text, or not TOML.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        text = _text(path, what)
        try:
            self.data: Mapping[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            if path.suffix.lower() != _ENDING:
                raise _of_another_kind(path, what) from error
            raise _not_toml(path, what, str(error)) from error
        except (RecursionError, ValueError) as error:  # Python reads no 4301 digits
            raise UnreadableInput(
                f"The {what} {path.name} holds lists in lists, or a number, beyond all measure.",
                do="Write it anew.",
            ) from error
        self._lines = _lines(text)

    def line(self, place: Place) -> int:
        """The line (from 1) of a place, or of the nearest part around it that has one."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def problem(self, place: Place, what: str, *, do: str) -> UnreadableInput:
        """An error that names the file, the line of `place`, and which of several [[tables]]."""
        number = place[1] if len(place) > 1 else None
        which = f"{place[0]} {number + 1}: " if isinstance(number, int) else ""
        return UnreadableInput(f"{self.path.name}, line {self.line(place)}: {which}{what}", do=do)

    @contextmanager
    def telling(self, place: Place) -> Iterator[None]:
        """Add the file and the line of `place` to errors raised in the body."""
        try:
            yield
        except RetargetError as error:
            raise self.problem(place, error.what, do=error.do) from error


def within(folder: Path, name: str, *, outside: bool) -> Path:
    """The path of a name relative to a folder; outside it only where that is allowed.

    Raises:
        UnreadableInput: the path, links resolved, lies outside the folder, or is not valid.
    """
    if not name or "\0" in name:
        raise UnreadableInput(f"{name!r} is not the name of a file.", do="Correct the name.")
    path = folder / name
    home = os.path.realpath(folder)  # Path.resolve fails on circular links
    if not outside and not Path(os.path.realpath(path)).is_relative_to(home):
        raise UnreadableInput(
            f"{name!r} lies outside {home}.",
            do="Move it into that folder, or say --outside to allow it.",
        )
    return path


def _text(path: Path, what: str) -> str:
    check_no_stream(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UnreadableInput(
                f"The {what} {path} is larger than {MAX_BYTES // 1_000_000} MB.",
                do="Split it into several files.",
            )
        return path.read_text(encoding="utf-8-sig")  # some editors begin UTF-8 with a mark
    except OSError as error:
        raise UnreadableInput(
            f"The {what} {path} cannot be read: {error.strerror or error}.", do="Check the name."
        ) from error
    except UnicodeDecodeError as error:
        if path.suffix.lower() != _ENDING:
            raise _of_another_kind(path, what) from error
        raise UnreadableInput(
            f"The {what} {path} is not UTF-8 text.", do="Save it as UTF-8."
        ) from error


def _not_toml(path: Path, what: str, why: str) -> UnreadableInput:
    """The error for what the parser found, and what to write instead."""
    said = f"The {what} {path.name} is not TOML: {why}."
    if again := _AGAIN.search(why):
        name = ".".join(_NAME.findall(again[1] or "")).replace("'", "")
        return UnreadableInput(
            said.replace(again[1] or "", f"[{name}]") if name else said,
            do="Write each [table] and each name below it once; several of a kind are [[panel]].",
        )
    return UnreadableInput(
        said,
        do='Write that line as name = 0.5 or name = "text", in straight quotes and with / '
        "between folders; a name beyond a-z, 0-9, - and _ stands in quotes, too.",
    )


def _of_another_kind(path: Path, what: str) -> UnreadableInput:
    """The error for a photo or another file in the place of a TOML file."""
    return UnreadableInput(
        f"The {what} {path.name} is not TOML, which its name does not say either.",
        do=f"Give a {_ENDING} file.",
    )


def _lines(text: str) -> dict[Place, int]:
    """The line of every table and of every key that begins a line."""
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    inside = ""  # the delimiter of an open multi-line string
    for number, line in enumerate(text.splitlines(), start=1):
        if not inside:
            if found := _TABLE.match(line):
                table = _opened(found.group(2), found.group(1) == "[[", counts)
                for length in range(1, len(table) + 1):  # [a.b] is the first mention of a, too
                    lines.setdefault(table[:length], number)
            elif key := _KEY.match(line):
                lines.setdefault((*table, *_parts(key.group(1))), number)
        inside = _string_left_open(line, inside)
    return lines


def _opened(name: str, is_array: bool, counts: dict[Place, int]) -> Place:
    place: Place = ()
    parts = _parts(name)
    for i, part in enumerate(parts):
        place = (*place, part)
        if is_array and i == len(parts) - 1:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _NAME.findall(name))


def _string_left_open(line: str, inside: str) -> str:
    for mark in ('"""', "'''"):
        if inside in ("", mark) and line.count(mark) % 2:
            return "" if inside else mark
    return inside
