"""The syntax tree of an expression; `at` is the index of a part's first character in the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Several terms, added."""

    terms: tuple[Scaled, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One action unit."""

    number: int
    side: str
    """L, R, or empty for both sides."""
    intensity: str | float
    """A letter A to E, or 0..1."""
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A label, a blendshape or `neutral`."""

    name: str
    value: float | None
    """The number after `=`; None without one."""
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Angles:
    """`gaze(…)` or `head(…)`: degrees."""

    what: str
    given: tuple[tuple[str, float, int], ...]
    """(name, degrees, place in the text); the name is empty for an angle given by its order."""
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """`from:`: what a face in a picture or at a moment of a clip does."""

    path: str
    seconds: float | None
    at: int


Item: TypeAlias = "Sum | Unit | Word | Angles | Template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """A factor and what it scales."""

    factor: float
    item: Item
