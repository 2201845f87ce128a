"""Read a storyboard as a person writes it; everything is checked before anything is drawn.

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
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from retarget.errors import UnknownWord
from retarget.face.settings import NamedFace, named_face
from retarget.flow.toml_file import TomlFile
from retarget.flow.toml_table import Table
from retarget.jobs.generators import GeneratorName
from retarget.jobs.storyboard import MOST_PANELS, Background, Panel, Role, Storyboard

if TYPE_CHECKING:
    from retarget.language.say import Look
    from retarget.language.words import Vocabulary

_MEANT = {
    "character": "who", "characters": "who", "person": "who", "name": "who",
    "emotion": "expression", "text": "caption", "image": "photo", "images": "photos",
    "shot": "framing",
}  # fmt: skip
"""Likely wrong names of entries, and the right ones."""
MOST_TOGETHER = 3
"""Characters in one panel."""
FRAMINGS = ("close-up", "portrait", "wide")
LAYOUTS = ("comic", "grid")
_SIDES = (64, 4096)
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
    return _Reader(Table(TomlFile(path, "storyboard")), outside, words, look).board()


class _Reader:
    def __init__(self, top: Table, outside: bool, words: Vocabulary, look: Look) -> None:
        self.top, self.outside, self.words, self.look = top, outside, words, look
        self.files = {top.file.path}
        top.check_names(STORY_ENTRIES, "entry of a storyboard", _MEANT)
        if "words" in top:
            self.words = words.with_file(self.path(top, "words", top.values["words"]))
        self.size = self.read_size()
        self.characters = self.read_characters()

    def board(self) -> Storyboard:
        return Storyboard(
            title=self.top.text("title", ""),
            layout=self.top.choice("layout", LAYOUTS, "comic"),
            columns=self.top.whole_number("columns", 0, 0, 8),
            font=self.font(),
            panels=tuple(map(self.panel, self.top.tables("panel", most=MOST_PANELS))),
            files=frozenset(self.files),
        )

    def font(self) -> Path | None:
        from retarget.sink.letters import Letters

        if "font" not in self.top:
            return None
        path = self.path(self.top, "font", self.top.values["font"])
        try:
            Letters(file=path).font(12)
        except OSError as error:
            raise self.top.problem(
                "font", f"{path.name} is not a font that can be read.", do="Name a .ttf or .otf."
            ) from error
        return path

    def panel(self, panel: Table) -> Panel:
        panel.check_names(PANEL_ENTRIES, "entry of a panel", _MEANT)
        return Panel(
            number=int(panel.place[-1]) + 1,
            roles=self.roles(panel),
            framing=panel.choice("framing", FRAMINGS, "portrait"),
            background=self.background(panel),
            caption=panel.text("caption", ""),
            size=self.panel_size(panel),
            light=panel.number("light", self.top.number("light", 0.4, 0, 1), 0, 1),
            seed=panel.whole_number("seed", self.top.whole_number("seed", 0, 0, 2**31), 0, 2**31),
            generator=self.generator(panel),
            line=panel.file.line(panel.place),
        )

    def roles(self, panel: Table) -> tuple[Role, ...]:
        names = panel.texts("who")
        texts = panel.texts("expression") if "expression" in panel else ("neutral",) * len(names)
        if not 1 <= len(names) <= MOST_TOGETHER:
            raise panel.problem(
                "who",
                f"A panel shows 1 to {MOST_TOGETHER} characters, and this one {len(names)}.",
                do='Write who = "anna" or who = ["anna", "ben"].',
            )
        if len(texts) != len(names):
            given = "One expression is" if len(texts) == 1 else f"{len(texts)} expressions are"
            raise panel.problem(
                "expression",
                f"{given} given for {len(names)} characters.",
                do='Give one for each, in the order of who: expression = ["joy", "fear"].',
            )
        return tuple(self.role(panel, *pair) for pair in zip(names, texts, strict=True))

    def role(self, panel: Table, name: str, text: str) -> Role:
        from retarget.language.say import say

        with panel.telling("who"):
            if name not in self.characters:
                raise UnknownWord("character", name, self.characters)
        photos = self.characters[name]
        if "photo" in panel:
            which = panel.whole_number("photo", 1, 1, 999)
            if which > len(photos):
                raise panel.problem(
                    "photo",
                    f"{name} has {len(photos)} photo{'' if len(photos) == 1 else 's'}, "
                    f"and this asks for number {which}.",
                    do="Count them from 1.",
                )
            photos = photos[which - 1 : which]
        with panel.telling("expression"):
            said = say(text, self.words, self.look)
        return Role(name=name, photos=photos, text=text, said=said)

    def background(self, panel: Table) -> Background:
        value = panel.text("background", "photo")
        if value in ("photo", "blur"):
            return Background(kind=value)
        if _COLOUR.fullmatch(value):
            return Background(kind="colour", value=value.lower())
        if value.startswith("#"):
            raise panel.problem(
                "background", f"{value!r} is not a colour.", do="Write it as #rrggbb."
            )
        if value.startswith(_PROMPT):
            return Background(kind="prompt", value=value.removeprefix(_PROMPT).strip())
        if value.isalpha():  # a file has an ending
            unknown = UnknownWord("background", value, ("photo", "blur"))
            do = f"{unknown.do} A colour is written as #rrggbb; a file's name has its ending."
            raise panel.problem("background", unknown.what, do=do)
        return Background(kind="picture", value=str(self.path(panel, "background", value)))

    def generator(self, panel: Table) -> GeneratorName | None:
        if "generator" not in panel:
            return None
        value = panel.choice("generator", ("warp", "diffusion"), "warp")
        return "diffusion" if value == "diffusion" else "warp"

    def panel_size(self, panel: Table) -> tuple[int, int]:
        if "aspect" not in panel:
            return self.size
        said = panel.text("aspect")
        found = _ASPECT.fullmatch(said)
        across, down = (float(n) for n in found.groups()) if found else (0.0, 0.0)
        if not 0.2 <= across / max(down, 1e-6) <= 5:
            raise panel.problem(
                "aspect",
                f"{said!r} is not an aspect from 1:5 to 5:1.",
                do='Write width and height, as in aspect = "16:9", or "9:16" for upright.',
            )
        height = self.size[1]
        return min(_SIDES[1], max(_SIDES[0], round(height * across / down))), height

    def read_size(self) -> tuple[int, int]:
        size = self.top.values.get("size", [960, 720])
        fits = isinstance(size, list) and len(size) == 2 and all(type(n) is int for n in size)
        if not fits or not all(_SIDES[0] <= n <= _SIDES[1] for n in size):
            raise self.top.problem(
                "size",
                "The size is not two whole numbers.",
                do=f"Write size = [960, 720], each {_SIDES[0]} to {_SIDES[1]}.",
            )
        return int(size[0]), int(size[1])

    def read_characters(self) -> dict[str, tuple[NamedFace, ...]]:
        if not self.top.values.get("characters"):
            raise self.top.problem(
                "characters",
                "There are no characters.",
                do='Write [characters.anna] and below it photo = "anna.jpg".',
            )
        place = ("characters",)
        return {
            name: self.photos(name, Table(self.top.file, (*place, name)))
            for name in Table(self.top.file, place).values
        }

    def photos(self, name: str, character: Table) -> tuple[NamedFace, ...]:
        character.check_names(CHARACTER_ENTRIES, "entry of a character", _MEANT)
        key = "photos" if "photos" in character else "photo"
        photos = character.texts(key)
        if not 1 <= len(photos) <= 50:
            raise character.problem(
                key, f"{name} needs 1 to 50 photos.", do='Write photo = "a.jpg".'
            )
        return tuple(self.photo(character, key, photo) for photo in photos)

    def photo(self, table: Table, key: str, name: str) -> NamedFace:
        """A file that exists and may be read, and which face of it."""
        with table.telling(key):
            named = named_face(name, table.file.path.parent)
        return replace(named, file=str(self.path(table, key, named.file)))

    def path(self, table: Table, key: str, name: object) -> Path:
        """A file that exists and may be read."""
        path = table.path(key, name, outside=self.outside)
        self.files.add(path)
        return path
