"""Text on pages: fonts, line breaks, and letters that a font lacks."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageDraw, ImageFont, features

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
LEADING = 1.3
"""Line height in sizes of the font."""
_INK = (15, 15, 15)
_SMALLEST = 6
_NO_LETTER = "\U0010fffe"
"""A character that no font has, drawn as the box for missing glyphs."""
_LEFTWARD, _RIGHTWARD = "\u200f", "\u200e"  # without width or picture

_CLOSING = ("Pe", "Pf", "Po")
"""Kinds of marks that end a sentence or close a bracket, with which no line begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """One font in all its sizes."""

    file: Path | None = None
    """A font file; None for DejaVu Sans, which comes with matplotlib and has the letters of most
    alphabets, Arabic and Hebrew among them, but no Chinese, Japanese or Korean ones."""

    def font(self, size: int) -> Font:
        """The font at a height in pixels."""
        return _loaded(self.file, max(_SMALLEST, size))

    def lacking(self, text: str) -> str:
        """The letters of a text, each once, that the font lacks or cannot be laid out."""
        font = self.font(24)
        box = bytes(font.getmask(_NO_LETTER))
        shaped = features.check("raqm")
        return "".join(
            letter
            for letter in dict.fromkeys(text)
            if not letter.isspace()  # nothing is drawn for it
            and (bytes(font.getmask(letter)) == box or (_is_leftward(letter) and not shaped))
        )

    def width(self, text: str, size: int) -> float:
        """Pixels that a line takes."""
        return self.font(size).getlength(text)

    def wrapped(self, text: str, width: int, size: int) -> list[str]:
        """Lines no wider than `width` pixels; a word too long for one is broken.

        Each runs as its paragraph does, also where its own first word runs the other way.
        """
        lines: list[str] = []
        for paragraph in text.splitlines():
            line, begun = "", len(lines)
            for word in paragraph.split():
                for piece in self._pieces(word, width, size):
                    longer = f"{line} {piece}".strip()
                    if self.width(longer, size) <= width:
                        line = longer
                    else:
                        lines.append(line)
                        line = piece
            lines.append(line)
            leftward = runs_leftward(paragraph)
            lines[begun:] = [_running(line, leftward) for line in lines[begun:]]
        return lines

    def write(
        self,
        pen: ImageDraw.ImageDraw,
        lines: Sequence[str],
        at: tuple[int, int],
        width: int,
        size: int,
    ) -> None:
        """Write lines downwards from a place; right-to-left lines are aligned to the right."""
        for i, line in enumerate(lines):
            free = width - self.width(line, size) if runs_leftward(line) else 0
            place = (at[0] + round(free), at[1] + round(i * size * LEADING))
            pen.text(place, line, _INK, self.font(size))

    def _pieces(self, word: str, width: int, size: int) -> Iterator[str]:
        """The word, in pieces that are no wider than `width` pixels."""
        while self.width(word, size) > width and len(word) > 1:
            widths = ((n, self.width(word[:n], size)) for n in range(1, len(word)))
            fits = max((n for n, wide in widths if wide <= width), default=1)
            while fits > 1 and unicodedata.category(word[fits]) in _CLOSING:
                fits -= 1
            yield word[:fits]
            word = word[fits:]
        yield word


def runs_leftward(text: str) -> bool:
    """Whether the first letter with a direction is of a script written from right to left."""
    turned = (unicodedata.bidirectional(letter) for letter in text)
    return next((kind for kind in turned if kind in ("L", "R", "AL")), "L") != "L"


def _running(line: str, leftward: bool) -> str:
    """The line, with Unicode's mark of a direction before it where it would run the other way."""
    if runs_leftward(line) == leftward:
        return line
    return f"{_LEFTWARD if leftward else _RIGHTWARD}{line}"


def _is_leftward(letter: str) -> bool:
    return unicodedata.bidirectional(letter) in ("R", "AL")


@cache
def _loaded(file: Path | None, size: int) -> Font:
    file = file or _shipped()
    if file is None:
        return ImageFont.load_default(size)
    return ImageFont.truetype(str(file), size)


@cache
def _shipped() -> Path | None:
    """DejaVu Sans; found without importing matplotlib, which takes long."""
    found = find_spec("matplotlib")
    for folder in (found.submodule_search_locations or ()) if found else ():
        file = Path(folder, "mpl-data", "fonts", "ttf", "DejaVuSans.ttf")
        if file.is_file():
            return file
    return None
