"""A storyboard, read and checked; see `storyboard_file.py`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retarget.face.settings import NamedFace
from retarget.jobs.generators import GeneratorName

if TYPE_CHECKING:
    from retarget.language.say import Said

MOST_PANELS = 300


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
    """The photo that the panel names, or all of the character's."""
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
    """Its line in the file, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storyboard:
    """The whole file."""

    title: str
    layout: str
    columns: int
    font: Path | None
    """A font file for title and captions; None: the default font."""
    panels: tuple[Panel, ...]
    files: frozenset[Path]
    """The file itself and those that it names outside expressions."""
