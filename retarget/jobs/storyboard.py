"""A storyboard as a person writes it, read and checked before anything is drawn.

size = [960, 720]
[characters.anna]
photos = ["anna.jpg", "anna_laughing.jpg", "group.jpg#left"]
[[panel]]
who = "anna"
expression = "0.7*hope + gaze(up=8)"
framing = "close-up"
background = "beach.jpg"
caption = "It came at last."
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retarget.errors import UnknownWord, UnreadableInput
from retarget.face.settings import NamedFace, named_face
from retarget.flow.toml_file import Place, TomlFile
from retarget.jobs.generators import GeneratorName

if TYPE_CHECKING:
    from retarget.language.say import Look, Said
    from retarget.language.words import Vocabulary

MOST_PANELS = 300
_MEANT = {
    "character": "who", "characters": "who", "person": "who", "name": "who",
    "emotion": "expression", "text": "caption", "image": "photo", "images": "photos",
    "shot": "framing",
}  # fmt: skip
"""What is written for an entry by who has not read its name."""
MOST_TOGETHER = 3
"""Characters in one panel."""
FRAMINGS = ("close-up", "portrait", "wide")
LAYOUTS = ("comic", "grid")
_SIDES = (64, 4096)
_LONGEST_CAPTION = 600
STORY_ENTRIES = (
    "title", "size", "layout", "columns", "seed", "light", "words", "font", "characters",
    "panel",
)  # fmt: skip
CHARACTER_ENTRIES = ("photo", "photos")
PANEL_ENTRIES = (
    "who", "expression", "photo", "framing", "background", "caption", "aspect", "light", "seed",
    "generator",
)  # fmt: skip
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_ASPECT = re.compile(r"(\d{1,4}(?:\.\d+)?)\s*:\s*(\d{1,4}(?:\.\d+)?)")
_PROMPT = "prompt:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What stands behind the people of a panel."""

    kind: str
    """photo (their own), blur (their own, blurred), colour, picture or prompt."""
    value: str = ""
    """The colour as #rrggbb, the picture's path, or the prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One person of a panel."""

    name: str
    photos: tuple[NamedFace, ...]
    """The one that was asked for, or all that there are."""
    text: str
    """The expression as it was written."""
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture of the story."""

    number: int
    """From 1."""
    roles: tuple[Role, ...]
    framing: str
    background: Background
    caption: str
    size: tuple[int, int]
    """(width, height) in pixels."""
    light: float
    seed: int
    generator: GeneratorName | None
    """None: the one that the job names."""
    line: int
    """Where it stands in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storyboard:
    """The whole file."""

    title: str
    layout: str
    columns: int
    font: Path | None
    """A font file for title and captions; None: the one that comes along."""
    panels: tuple[Panel, ...]
    files: frozenset[Path]
    """The file itself and those that it names, save in expressions."""


def read_storyboard(path: Path, *, outside: bool, words: Vocabulary, look: Look) -> Storyboard:
    """Read a storyboard; every mistake names its line.

    Args:
        path: the file.
        outside: whether it may name files outside its own folder.
        words: the vocabulary; the file may add a word file of its own.
        look: reads the faces behind `from:`.

    Raises:
        RetargetError: the file cannot be read or asks for what is not possible.
    """
    return _Reader(_File(path, "storyboard"), outside, words, look).board()


class _File(TomlFile):
    """A storyboard's file, whose errors name the panel, too."""

    def problem(self, place: Place, what: str, *, do: str) -> UnreadableInput:
        """As of any file, the panel's number before what is wrong in it."""
        panel = f"panel {int(place[1]) + 1}: " if len(place) > 1 and place[0] == "panel" else ""
        return super().problem(place, panel + what, do=do)


class _Reader:
    def __init__(self, file: TomlFile, outside: bool, words: Vocabulary, look: Look) -> None:
        self.file = file
        self.outside = outside
        self.words = words
        self.look = look
        self.files = {file.path}
        self.known((), file.data, STORY_ENTRIES, "entry of a storyboard")
        if "words" in file.data:
            self.words = words.with_file(self.path(("words",), file.data["words"]))
        self.size = self.read_size()
        self.characters = self.read_characters()

    def board(self) -> Storyboard:
        panels = self.file.data.get("panel", [])
        if not isinstance(panels, list) or not panels:
            raise self.file.problem(
                ("panel",), "There are no panels.", do="Write a [[panel]] for each."
            )
        if len(panels) > MOST_PANELS:
            raise self.file.problem(
                ("panel", MOST_PANELS),
                f"There are {len(panels)} panels, and a story has at most {MOST_PANELS}.",
                do="Split it into several storyboards.",
            )
        return Storyboard(
            title=self.text((), "title", ""),
            layout=self.choice((), "layout", LAYOUTS, "comic"),
            columns=round(self.number((), "columns", 0, 0, 8)),
            font=self.font(),
            panels=tuple(self.panel(i, panel) for i, panel in enumerate(panels)),
            files=frozenset(self.files),
        )

    def font(self) -> Path | None:
        from retarget.sink.letters import Letters

        if "font" not in self.file.data:
            return None
        path = self.path(("font",), self.file.data["font"])
        try:
            Letters(file=path).font(12)
        except OSError as error:
            raise self.file.problem(
                ("font",), f"{path.name} is not a font that can be read.", do="Name a .ttf or .otf."
            ) from error
        return path

    def panel(self, i: int, panel: Mapping[str, Any]) -> Panel:
        place: Place = ("panel", i)
        if not isinstance(panel, Mapping):
            raise self.file.problem(place, "This is no table.", do="Write [[panel]].")
        self.known(place, panel, PANEL_ENTRIES, "entry of a panel")
        roles = self.roles(place, panel)
        return Panel(
            number=i + 1,
            roles=roles,
            framing=self.choice(place, "framing", FRAMINGS, "portrait"),
            background=self.background(place),
            caption=self.text(place, "caption", ""),
            size=self.panel_size(place, panel),
            light=self.number(place, "light", self.number((), "light", 0.4, 0, 1), 0, 1),
            seed=round(self.number(place, "seed", self.number((), "seed", 0, 0, 2**31), 0, 2**31)),
            generator=self.generator(place),
            line=self.file.line(place),
        )

    def roles(self, place: Place, panel: Mapping[str, Any]) -> tuple[Role, ...]:
        names = self.texts(place, "who")
        texts = self.texts(place, "expression", "neutral")
        if not 1 <= len(names) <= MOST_TOGETHER:
            raise self.file.problem(
                (*place, "who"),
                f"A panel shows 1 to {MOST_TOGETHER} characters, and this one {len(names)}.",
                do='Write who = "anna" or who = ["anna", "ben"].',
            )
        if len(texts) != len(names):
            raise self.file.problem(
                (*place, "expression"),
                f"{len(texts)} expressions are given for {len(names)} characters.",
                do="Give one for each.",
            )
        pairs = zip(names, texts, strict=True)
        return tuple(self.role(place, panel, name, text) for name, text in pairs)

    def role(self, place: Place, panel: Mapping[str, Any], name: str, text: str) -> Role:
        from retarget.language.say import say

        self.file.check_word((*place, "who"), name, self.characters, "character")
        photos = self.characters[name]
        if "photo" in panel:
            which = round(self.number(place, "photo", 1, 1, 999))
            if which > len(photos):
                raise self.file.problem(
                    (*place, "photo"),
                    f"{name} has {len(photos)} photo{'' if len(photos) == 1 else 's'}, "
                    f"and this asks for number {which}.",
                    do="Count them from 1.",
                )
            photos = photos[which - 1 : which]
        with self.file.telling((*place, "expression")):
            said = say(text, self.words, self.look)
        return Role(name=name, photos=photos, text=text, said=said)

    def background(self, place: Place) -> Background:
        value = self.text(place, "background", "photo")
        if value in ("photo", "blur"):
            return Background(kind=value)
        if _COLOUR.fullmatch(value):
            return Background(kind="colour", value=value.lower())
        if value.startswith("#"):
            raise self.file.problem(
                (*place, "background"), f"{value!r} is not a colour.", do="Write it as #rrggbb."
            )
        if value.startswith(_PROMPT):
            return Background(kind="prompt", value=value.removeprefix(_PROMPT).strip())
        if value.isalpha():  # a file has an ending
            unknown = UnknownWord("background", value, ("photo", "blur"))
            do = f"{unknown.do} A colour is written as #rrggbb; a file's name has its ending."
            raise self.file.problem((*place, "background"), unknown.what, do=do)
        path = self.path((*place, "background"), value)
        return Background(kind="picture", value=str(path))

    def generator(self, place: Place) -> GeneratorName | None:
        if "generator" not in self.at(place):
            return None
        value = self.choice(place, "generator", ("warp", "diffusion"), "warp")
        return "diffusion" if value == "diffusion" else "warp"

    def panel_size(self, place: Place, panel: Mapping[str, Any]) -> tuple[int, int]:
        if "aspect" not in panel:
            return self.size
        found = _ASPECT.fullmatch(self.text(place, "aspect", ""))
        across, down = (float(n) for n in found.groups()) if found else (0.0, 0.0)
        if not 0.2 <= across / max(down, 1e-6) <= 5:
            raise self.file.problem(
                (*place, "aspect"), "The aspect cannot be used.", do="Write it as 4:3; 5:1 is most."
            )
        height = self.size[1]
        return min(_SIDES[1], max(_SIDES[0], round(height * across / down))), height

    def read_size(self) -> tuple[int, int]:
        size = self.file.data.get("size", [960, 720])
        fits = isinstance(size, list) and len(size) == 2 and all(type(n) is int for n in size)
        if not fits or not all(_SIDES[0] <= n <= _SIDES[1] for n in size):
            raise self.file.problem(
                ("size",),
                "The size is not two whole numbers.",
                do=f"Write size = [960, 720], each {_SIDES[0]} to {_SIDES[1]}.",
            )
        return int(size[0]), int(size[1])

    def read_characters(self) -> dict[str, tuple[NamedFace, ...]]:
        given = self.file.data.get("characters", {})
        if not isinstance(given, Mapping) or not given:
            raise self.file.problem(
                ("characters",),
                "There are no characters.",
                do='Write [characters.anna] and below it photo = "anna.jpg".',
            )
        out = {}
        for name, character in given.items():
            place: Place = ("characters", name)
            if not isinstance(character, Mapping):
                raise self.file.problem(
                    place, f"{name} is not a table.", do=f"Write [characters.{name}]."
                )
            self.known(place, character, CHARACTER_ENTRIES, "entry of a character")
            key = "photos" if "photos" in character else "photo"
            photos = self.texts(place, key)
            if not photos or len(photos) > 50:
                raise self.file.problem(
                    place, f"{name} needs 1 to 50 photos.", do='Write photo = "a.jpg".'
                )
            out[name] = tuple(self.photo((*place, key), photo) for photo in photos)
        return out

    def photo(self, place: Place, name: str) -> NamedFace:
        """A file that exists and may be read, and which face of it."""
        with self.file.telling(place):
            named = named_face(name, self.file.path.parent)
        return replace(named, file=str(self.path(place, named.file)))

    def path(self, place: Place, name: object) -> Path:
        """A file that exists and may be read."""
        path = self.file.file_at(place, name, outside=self.outside)
        self.files.add(path)
        return path

    def at(self, place: Place) -> Mapping[str, Any]:
        value: Any = self.file.data
        for part in place:
            value = value[part]
        return value if isinstance(value, Mapping) else {}

    def text(self, place: Place, key: str, default: str) -> str:
        value = self.at(place).get(key, default)
        if not isinstance(value, str) or len(value) > _LONGEST_CAPTION:
            raise self.file.problem(
                (*place, key),
                f"{key} is not a text of at most {_LONGEST_CAPTION} characters.",
                do="Write it in quotes.",
            )
        return value

    def texts(self, place: Place, key: str, default: str | None = None) -> Sequence[str]:
        value = self.at(place).get(key, default)
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self.file.problem(
                (*place, key), f"{key} is missing or not a text.", do=f'Write {key} = "…".'
            )
        return tuple(value)

    def number(self, place: Place, key: str, default: float, low: float, high: float) -> float:
        value = self.at(place).get(key, default)
        return self.file.number_at((*place, key), value, low, high)

    def choice(self, place: Place, key: str, known: Sequence[str], default: str) -> str:
        value = self.text(place, key, default)
        self.file.check_word((*place, key), value, known, key)
        return value

    def known(
        self, place: Place, table: Mapping[str, Any], known: Sequence[str], kind: str
    ) -> None:
        for key in table:
            if key not in known:
                unknown = UnknownWord(kind, key, known)
                meant = _MEANT.get(key)
                do = f"Did you mean {meant!r}?" if meant in known else unknown.do
                raise self.file.problem((*place, key), unknown.what, do=do)
