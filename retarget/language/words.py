"""The words of the language: action units and labels, read from `presets/expressions`.

The definitions are data. Files of the user add words or replace them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from retarget.errors import UnknownWord
from retarget.flow import blendshapes
from retarget.flow.arrays import Floats
from retarget.flow.shipped import presets_folder
from retarget.flow.toml_file import TomlFile
from retarget.language.grammar import is_word

UNITS_FILE = "action_units.toml"
NEUTRAL = "neutral"
_KNOWN = ("head", "groups")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ActionUnit:
    """One action unit and its weights at the maximum."""

    number: int
    name: str
    """FACS's own name for it."""
    both: Floats
    """(52,) weights of shapes that have no sides."""
    left: Floats
    """(52,) weights on the person's left."""
    right: Floats
    """(52,) weights on the person's right."""
    head: tuple[float, float, float]
    """Yaw, pitch and roll in degrees, signed as in `HeadPose.angles`."""
    needs_side: bool
    source: str
    """Where the mapping comes from."""

    @property
    def has_sides(self) -> bool:
        """Whether one side of the face can do it alone."""
        return bool(self.left.any() or self.right.any())

    def weights(self, side: str) -> Floats:
        """(52,) weights at the maximum; `side` is L, R or empty for both."""
        if side == "L":
            return self.left + self.both / 2
        if side == "R":
            return self.right + self.both / 2
        return self.left + self.right + self.both


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A word for an expression."""

    name: str
    head: str
    """The basic emotion it belongs to (love, joy, surprise, anger, sadness, fear), or everyday."""
    group: str
    """The sub-cluster of Shaver et al. within that emotion, or the part of the face."""
    text: str
    """Its definition, written in the language itself."""
    where: str
    """File and line of the definition, for messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Every word the language knows."""

    units: Mapping[int, ActionUnit]
    intensity: Mapping[str, float]
    """What the letters A to E stand for, 0..1."""
    without: Mapping[int, str]
    """Action units that nothing here can show, and why."""
    labels: Mapping[str, Label] = field(default_factory=dict)

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads of all labels, in their order."""
        return tuple(dict.fromkeys(label.head for label in self.labels.values()))

    def with_file(self, path: Path) -> Vocabulary:
        """These words and those of a file, which replace words of the same name."""
        own = {word.name: word for word in _labels(TomlFile(path, "word file"))}
        return replace(self, labels={**self.labels, **own})


@cache
def shipped_words() -> Vocabulary:
    """The words that come with the package, read once."""
    return read_words(presets_folder() / "expressions")


def words_with(own: Path | None) -> Vocabulary:
    """The shipped words and, if given, those of a user's file."""
    return shipped_words() if own is None else shipped_words().with_file(own)


def read_words(folder: Path) -> Vocabulary:
    """Read `action_units.toml` and every other file of a folder."""
    units = TomlFile(folder / UNITS_FILE, "table of action units")
    words = Vocabulary(
        units={u.number: u for u in _units(units)},
        intensity=_intensities(units),
        without={int(n): str(why) for n, why in units.data.get("without", {}).items()},
    )
    for path in sorted(folder.glob("*.toml")):
        if path.name != UNITS_FILE:
            words = words.with_file(path)
    return words


def _intensities(file: TomlFile) -> Mapping[str, float]:
    given = file.data.get("intensity", {})
    if sorted(given) != list("ABCDE") or not all(0 <= given[k] <= 1 for k in given):
        raise file.problem(
            ("intensity",), "The letters A to E are not all given.", do="Give each one 0 to 1."
        )
    return {letter: float(value) for letter, value in given.items()}


def _units(file: TomlFile) -> Iterable[ActionUnit]:
    for number, unit in file.data.get("units", {}).items():
        head = unit.get("head", {})
        yield ActionUnit(
            number=int(number),
            name=str(unit["name"]),
            both=_shapes(file, number, unit, "both"),
            left=_shapes(file, number, unit, "left"),
            right=_shapes(file, number, unit, "right"),
            head=(head.get("yaw", 0.0), head.get("pitch", 0.0), head.get("roll", 0.0)),
            needs_side=bool(unit.get("sided", False)),
            source=str(unit["source"]),
        )


def _shapes(file: TomlFile, number: str, unit: Mapping[str, Any], side: str) -> Floats:
    with file.telling(("units", number, side)):
        return blendshapes.weights(unit.get(side, {}))


def _labels(file: TomlFile) -> Iterable[Label]:
    for key in file.data:
        if key not in _KNOWN:
            unknown = UnknownWord("entry of a word file", key, _KNOWN)
            do = f'{unknown.do} Words stand below [groups.own]: mine = "AU6+AU12".'
            raise file.problem((key,), unknown.what, do=do)
    head = file.data.get("head", file.path.stem)
    for group, words in _tables(file):
        for name, text in words.items():
            place = ("groups", group, name)
            if not isinstance(text, str):
                raise file.problem(
                    place, f"{name!r} is not a text.", do=f'Write {name} = "AU6+AU12".'
                )
            if not is_word(name) or name.lower() != name or name == NEUTRAL:
                raise file.problem(
                    place,
                    f"{name!r} cannot be a word.",
                    do="Use small letters, digits and _, and begin with a letter; "
                    "au12 and the like are action units.",
                )
            where = f"{file.path.name}, line {file.line(place)}"
            yield Label(name=name, head=str(head), group=group, text=text, where=where)


def _tables(file: TomlFile) -> Iterable[tuple[str, Mapping[str, Any]]]:
    groups = file.data.get("groups", {})
    tables = groups if isinstance(groups, Mapping) else {"groups": groups}
    for name, words in tables.items():
        if not isinstance(words, Mapping):
            raise file.problem(
                ("groups", name),
                f"{name!r} stands where a group of words was expected.",
                do='Write [groups.mine] and below it smirk = "R12B+R14C".',
            )
    return tables.items()
