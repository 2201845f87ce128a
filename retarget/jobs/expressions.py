"""List, search and draw the expressions that can be said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import tyro

from retarget.errors import Near, RetargetError, UnknownWord
from retarget.face.settings import TrackSettings, named_face
from retarget.flow import blendshapes
from retarget.flow.blas import one_blas_thread
from retarget.flow.declared import HERE, AsDeclared, Kept, check_range
from retarget.flow.report import Report, begin
from retarget.jobs.draw import DrawSettings

if TYPE_CHECKING:
    from retarget.language.say import Look, Said
    from retarget.language.words import ActionUnit, Label, Vocabulary

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ExpressionsJob(AsDeclared):
    """List, search and draw the expressions that can be said.

    retarget expressions smile

    retarget expressions --head joy --sheet joy.png --identity face.jpg
    """

    search: tyro.conf.Positional[Kept[tuple[str, ...]]] = ()
    """Words to look for in names, groups and definitions: joy, AU12, shame."""
    head: str | None = None
    """Only the words of one basic emotion, love, joy, surprise, anger, sadness or fear; everyday:
    what faces do besides (smile, wink, yawn), and moods as adjectives (happy, angry); the name of
    a file of your own (mine for --words mine.toml)."""
    units: bool = False
    """List the action units instead, with what they move and where that comes from."""
    words: Kept[Path] | None = None
    """A .toml file with words of your own, beside the shipped ones:
    [groups.own], and below it mine = "AU6+AU12"."""
    sheet: Kept[Path] | None = None
    """Draw the words that were found on one page."""
    identity: Kept[str] | None = None
    """The face to draw them on: a photo."""
    strength: float = 1.0
    """How strongly they are drawn, 0 to 1."""
    tile: int = 192
    """Pixels of one drawn face."""
    columns: int = 9
    """Faces in a row of the sheet."""
    overwrite: bool = False
    """Replace an existing sheet."""
    draw: Annotated[DrawSettings, HERE] = field(default_factory=DrawSettings)
    """The generator."""
    track: TrackSettings = field(default_factory=TrackSettings)
    """Which face of the photo, and how it is found."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("strength", self.strength, 0.0, 1.0)
        check_range("tile", self.tile, 32, 1024)
        check_range("columns", self.columns, 1, 100)

    @one_blas_thread()
    def run(self, report: Report | None = None) -> Path | str:
        """The list as text, or the path of the sheet."""
        from retarget.jobs.look import Looker
        from retarget.language.words import words_with

        vocabulary = words_with(self.words)
        if self.units:
            return _unit_table(vocabulary, self.search)
        report = begin(report)
        look = Looker(Path(), track=self.track, models=self.draw.models, report=report)
        found = self._found(vocabulary, look)
        if self.sheet is not None:
            return self._draw(found, vocabulary, look.read, report)
        return _table([vocabulary.labels[name] for name in found])

    def _found(self, words: Vocabulary, look: Look) -> dict[str, Said]:
        """The expressions that match the search, by name."""
        from retarget.language.near import meant
        from retarget.language.say import say

        if self.head is not None and self.head not in words.heads:
            raise UnknownWord("kind of expression", self.head, words.heads)
        said = {
            w.name: say(w.name, words, look)
            for w in words.labels.values()
            if self.head in (None, w.head)
        }
        found = _searched(
            "expression", said, self.search, lambda n, asked: _matches(n, said[n], asked, words),
            near=meant,
        )  # fmt: skip
        return self._exact_names_first(found, words)

    def _exact_names_first(self, found: dict[str, Said], words: Vocabulary) -> dict[str, Said]:
        """The same words, beginning with the groups of words that the search names exactly."""
        called = [words.labels[a.lower()] for a in self.search if a.lower() in words.labels]
        groups = {(label.head, label.group) for label in called}

        def later(name: str) -> bool:
            return (words.labels[name].head, words.labels[name].group) not in groups

        return {name: found[name] for name in sorted(found, key=later)}

    def _draw(
        self, found: dict[str, Said], words: Vocabulary, seen: set[Path], report: Report
    ) -> Path:
        from retarget.jobs.act import Actor
        from retarget.jobs.identity import understood
        from retarget.jobs.reframe import TILE, around_face, reframed
        from retarget.sink.sheet import Tile, check_picture, save_picture, sheet

        if self.sheet is None or self.identity is None:
            raise RetargetError("A sheet needs a face.", do="Add --identity face.jpg.")
        read = (named_face(self.identity).file, self.words, *seen, *self.draw.diffusion.photos)
        check_picture(self.sheet, overwrite=self.overwrite, read=read)
        photo = understood(self.identity, self.track, report, models=self.draw.models)
        photo = reframed(photo, around_face(photo, TILE), (self.tile, self.tile))
        actor = Actor(photo, self.draw.open(report), report)
        said = [one * self.strength for one in found.values()]
        shown = report.watch(actor.show_each(said), len(said))
        tiles = [
            Tile(rgb=rgb, caption=name, note=words.labels[name].text)
            for name, rgb in zip(found, shown, strict=True)
        ]
        page = sheet(tiles, min(self.columns, len(tiles)))
        how = self.draw.source_type
        save_picture(page, self.sheet, overwrite=self.overwrite, source_type=how, warn=report.warn)
        return self.sheet


def _matches(name: str, said: Said, asked: str, words: Vocabulary) -> bool:
    """Whether a search word is in a name, in its units (AU12, 12C) or blendshapes (smile)."""
    label = words.labels[name]
    asked = asked.lower()
    if asked in name or asked in (label.head, label.group) or asked.upper() in said.units:
        return True
    written = label.text.lower().replace("au", "").replace(" ", "").split("+")
    numbers = {int("".join(filter(str.isdigit, unit))) for unit in said.units}
    moved = [words.units[n].name for n in numbers] + list(blendshapes.named(said.weights))
    return asked.replace("au", "") in written or any(asked in one.lower() for one in moved)


def _table(labels: list[Label]) -> str:
    width = max(len(w.name) for w in labels)
    lines: list[str] = []
    before = ("", "")
    for label in labels:
        if (label.head, label.group) != before:
            before = (label.head, label.group)
            lines += ["", f"{label.head} · {label.group}" if label.group else label.head]
        lines.append(f"  {label.name:<{width}}  {label.text}")
    count = f"{len(labels)} expression{'' if len(labels) == 1 else 's'}."
    lines += ["", f"{count} Mix them: 0.6*joy + 0.4*surprise; scale them: fear:0.3."]
    return "\n".join(lines[1:])


def _unit_table(words: Vocabulary, search: tuple[str, ...]) -> str:
    told = {f"AU{unit.number}": _unit_lines(unit) for unit in words.units.values()}
    told |= {f"AU{n}": f"AU{n:<3} not possible: {why}" for n, why in words.without.items()}
    found = _searched("action unit", told, search, lambda n, asked: _describes(n, told[n], asked))
    return "\n".join(found.values())


def _searched(
    kind: str,
    known: Mapping[str, T],
    search: Iterable[str],
    tells: Callable[[str, str], bool],
    near: Near | None = None,
) -> dict[str, T]:
    """The entries that match every word of a search; at least one."""
    found = dict(known)
    for asked in search:
        matching = {name for name in known if tells(name, asked)}
        if not matching:
            raise UnknownWord(kind, asked, known, near=near)
        found = {name: what for name, what in found.items() if name in matching}
    if not found:
        raise RetargetError(
            f"No {kind} answers to all of {', '.join(search)}.",
            do="Search for fewer words at a time; retarget still --grid draws those that you name.",
        )
    return found


def _describes(name: str, lines: str, asked: str) -> bool:
    """Whether a search word is an action unit's number (AU12, 12), or stands in its description."""
    number = re.fullmatch(r"(?:au)?0*(\d+)", asked, re.I)
    return name == f"AU{number[1]}" if number else asked.lower() in lines.lower()


def _unit_lines(unit: ActionUnit) -> str:
    moved = blendshapes.named(unit.weights(""))
    shapes = ", ".join(f"{name}={round(value, 2):g}" for name, value in moved.items())
    turned = ", ".join(
        f"{axis} {angle:g}°"
        for axis, angle in zip(("yaw", "pitch", "roll"), unit.head, strict=True)
        if angle
    )
    about = f"AU{unit.number:<3} {unit.name:<31} {shapes or turned}"
    return f"{about}\n{'':5} {'':<31} from: {unit.source}"
