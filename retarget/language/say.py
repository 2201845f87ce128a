"""From text to the weights of an expression.

Everything is a sum: a label is the sum of its action units, an action unit the sum of its
blendshapes, a mixture the sum of its parts. Weights are clipped to 0..1 where a definition or a
text ends, so that half of an expression is half of what the whole shows, and within one
`0.5*(AU12+AU6)` and `0.5*AU12+0.5*AU6` are the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np

from retarget.errors import RetargetError
from retarget.flow import blendshapes
from retarget.flow.arrays import Floats
from retarget.flow.check import check_array
from retarget.flow.values import ExpressedFrame, Expression
from retarget.language import gaze
from retarget.language.grammar import parse
from retarget.language.near import meant
from retarget.language.problems import NotUnderstood, UnknownWordAt, WrongDefinition
from retarget.language.tree import Angles, Item, Sum, Template, Unit, Word
from retarget.language.words import NEUTRAL, Vocabulary, shipped_words

Look: TypeAlias = Callable[[str, "float | None"], ExpressedFrame]
"""Reads the face of a picture, or of a clip at a time in seconds; provided by a job."""

DEEPEST = 50
"""The most definitions that refer to one another in a chain."""
_LIKE_A_UNIT = re.compile(r"au\d+\w*|[lr](au)?\d+\w*")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Said:
    """An expression in words: weights relative to rest, for a face of any identity."""

    weights: Floats = field(default_factory=lambda: np.zeros(blendshapes.COUNT, np.float32))
    """(52,) ARKit weights; in a sum or a multiple they may lie outside 0..1."""
    units: Mapping[str, float] = field(default_factory=dict)
    """Commanded action units by name (AU12, AU12L), 0..1; none for pictures."""
    head: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Yaw, pitch and roll in degrees relative to the photo's pose, as `HeadPose.angles`."""
    template: ExpressedFrame | None = None
    """The picture with the largest factor, for generators that can use its pixels."""
    share: float = 0.0
    """That picture's factor."""

    def __post_init__(self) -> None:
        check_array("weights", self.weights, (blendshapes.COUNT,), np.float32)

    @property
    def expression(self) -> Expression:
        """The weights, ready to be transferred."""
        return Expression(weights=np.clip(self.weights, 0.0, 1.0))

    def __add__(self, other: Said) -> Said:
        units = dict(self.units)
        for name, value in other.units.items():
            units[name] = units.get(name, 0.0) + value
        first = self if self.share >= other.share else other
        yaw, pitch, roll = (a + b for a, b in zip(self.head, other.head, strict=True))
        return Said(
            weights=self.weights + other.weights,
            units=units,
            head=(yaw, pitch, roll),
            template=first.template,
            share=first.share,
        )

    def __mul__(self, factor: float) -> Said:
        yaw, pitch, roll = (factor * a for a in self.head)
        return Said(
            weights=self.weights * np.float32(factor),
            units={name: factor * value for name, value in self.units.items()},
            head=(yaw, pitch, roll),
            template=self.template,
            share=factor * self.share,
        )

    def toward(self, other: Said, way: float) -> Said:
        """Linear interpolation: this expression at 0, the other at 1."""
        return self * (1.0 - way) + other * way


NOTHING = Said()
"""The neutral face."""


def say(text: str, words: Vocabulary | None = None, look: Look | None = None) -> Said:
    """The expression that a text describes.

    Args:
        text: an expression, as in grammar.py.
        words: the vocabulary; None for the shipped one.
        look: reads the faces behind `from:`; None where there are none.

    Raises:
        NotUnderstood: the text does not follow the grammar or asks for what is not possible.
        UnknownWord: a word is in none of the lists; the nearest one is offered.
    """
    return _Meaning(text, words or shipped_words(), look, (), {}).whole()


class _Meaning:
    """Evaluates one text."""

    def __init__(
        self,
        text: str,
        words: Vocabulary,
        look: Look | None,
        within: tuple[str, ...],
        known: dict[str, Said],
    ) -> None:
        self.text = text
        self.words = words
        self.look = look
        self.within = within  # the labels whose definitions contain this text
        self.known = known  # labels evaluated before

    def whole(self) -> Said:
        said = self.sum(parse(self.text, self.all_words))
        return replace(
            said,
            weights=np.clip(said.weights, 0.0, 1.0),
            units={n: min(v, 1.0) for n, v in said.units.items() if v > 0},
        )

    def sum(self, tree: Sum) -> Said:
        total = NOTHING
        for term in tree.terms:
            total = total + self.item(term.item) * term.factor
        return total

    def item(self, item: Item) -> Said:
        if isinstance(item, Sum):
            return self.sum(item)
        if isinstance(item, Unit):
            return self.unit(item)
        if isinstance(item, Angles):
            return self.angles(item)
        if isinstance(item, Template):
            return self.template(item)
        return self.word(item)

    def unit(self, said: Unit) -> Said:
        name = f"AU{said.number}{said.side}"
        unit = self.words.units.get(said.number)
        if unit is None:
            why = self.words.without.get(said.number)
            if why:
                raise self.problem(
                    said.at, f"AU{said.number} is not possible", do=f"{why[0].upper()}{why[1:]}."
                )
            raise UnknownWordAt(
                self.text, said.at, "action unit", name, (f"AU{n}" for n in self.words.units)
            )
        if said.side and not unit.has_sides:
            raise self.problem(
                said.at, f"AU{said.number} ({unit.name}) has no sides", do="Leave out L or R."
            )
        if unit.needs_side and not said.side:
            raise self.problem(
                said.at,
                f"AU{said.number} ({unit.name}) needs a side",
                do=f"Write L{said.number} or R{said.number}.",
            )
        amount = said.intensity
        level = self.words.intensity[amount] if isinstance(amount, str) else amount
        one = Said(weights=unit.weights(said.side), units={name: 1.0}, head=unit.head)
        return one * level

    def word(self, word: Word) -> Said:
        if (shapes := _both_sides(word.name)) is not None:
            value = 1.0 if word.value is None else word.value
            return Said(weights=blendshapes.weights(dict.fromkeys(shapes, value)))
        name = word.name.lower()
        if name != NEUTRAL and name not in self.words.labels:
            if _LIKE_A_UNIT.fullmatch(name):
                raise self.problem(
                    word.at,
                    f"{word.name!r} is no action unit",
                    do="Write AU12, AU12A to AU12E, AU12=0.4, or R12A for one side.",
                )
            raise UnknownWordAt(
                self.text, word.at, "expression", word.name, self.all_words, near=meant
            )
        if word.value is not None:
            raise self.problem(
                word.at,
                f"{name!r} is scaled by ':' and not set by '='",
                do=f"Write {name}:{word.value:g}.",
            )
        return NOTHING if name == NEUTRAL else self.label(name, word.at)

    def label(self, name: str, at: int) -> Said:
        if name in self.within:
            chain = " → ".join((*self.within, name))
            raise self.problem(
                at, f"The word {name!r} is defined by itself ({chain})", do="Define it otherwise."
            )
        if len(self.within) == DEEPEST:
            raise self.problem(
                at,
                f"The word {name!r} stands at the end of {DEEPEST} definitions in a row",
                do="Define it by action units or blendshapes.",
            )
        if name not in self.known:
            self.known[name] = self._defined(name)
        return self.known[name]

    def _defined(self, name: str) -> Said:
        label, within = self.words.labels[name], (*self.within, name)
        try:
            return _Meaning(label.text, self.words, self.look, within, self.known).whole()
        except WrongDefinition:
            raise
        except RetargetError as error:
            raise WrongDefinition(label.where, name, error) from error

    def angles(self, said: Angles) -> Said:
        try:
            degrees = gaze.degrees(said.what, [(name, value) for name, value, _ in said.given])
        except RetargetError as error:
            raise self.problem(said.at, error.what.rstrip("."), do=error.do) from error
        if said.what == "head":
            return Said(head=degrees)
        return Said(weights=gaze.weights(degrees[0], degrees[1]))

    def template(self, said: Template) -> Said:
        if self.look is None:
            raise self.problem(
                said.at, "A picture cannot be looked at here", do="Use words or action units."
            )
        seen = self.look(said.path, said.seconds)
        if seen.expression is None:
            raise self.problem(
                said.at,
                f"No face was found in {said.path!r}",
                do="Choose a picture or a moment in which the face can be seen.",
            )
        return Said(weights=seen.expression.weights, template=seen, share=1.0)

    @cached_property
    def all_words(self) -> list[str]:
        return [*self.words.labels, NEUTRAL, *blendshapes.NAMES]

    def problem(self, at: int, what: str, *, do: str) -> NotUnderstood:
        return NotUnderstood(self.text, at, what, do=do)


def _both_sides(name: str) -> tuple[str, ...] | None:
    """The blendshapes a name stands for: itself, or `mouthSmile` for both of its sides."""
    if name in blendshapes.INDEX:
        return (name,)
    pair = (f"{name}Left", f"{name}Right")
    return pair if pair[0] in blendshapes.INDEX and name not in ("jaw", "mouth") else None
