"""Errors in the text of an expression, with their place in it."""

from __future__ import annotations

from collections.abc import Iterable

from retarget.errors import Near, RetargetError, UnknownWord

_SHOWN = 60


class NotUnderstood(RetargetError):
    """A text that is not an expression or a timeline.

    Args:
        text: the whole text.
        at: which character (from 0) the problem starts at.
        problem: what is wrong there, a sentence without its end.
        do: one sentence: what to do about it.
    """

    def __init__(self, text: str, at: int, problem: str, *, do: str) -> None:
        super().__init__(f"{problem}, at character {at + 1} of {shown(text, at)!r}.", do=do)
        self.at = at


class UnknownWordAt(UnknownWord):
    """A word of a text that is in none of its lists; the nearest one is offered.

    Args:
        text: the whole text.
        at: at which of its characters (from 0) the word stands.
        kind: what it was meant to be.
        word: as it was given.
        known: every word that would have been accepted.
        near: see `UnknownWord`.
    """

    def __init__(
        self,
        text: str,
        at: int,
        kind: str,
        word: str,
        known: Iterable[str],
        *,
        near: Near | None = None,
    ) -> None:
        super().__init__(kind, word, known, near=near)
        self.what = f"{self.what[:-1]}, at character {at + 1} of {shown(text, at)!r}."
        self.args = (f"{self.what} {self.do}",)
        self.at = at


class WrongDefinition(RetargetError):
    """A word whose definition has no meaning.

    Args:
        where: file and line of the definition.
        name: the word.
        problem: what is wrong in it.
    """

    def __init__(self, where: str, name: str, problem: RetargetError) -> None:
        super().__init__(f"{where}: The word {name!r}: {problem.what}", do=problem.do)


def shown(text: str, at: int) -> str:
    """The text, or its part around `at` where it is long."""
    if len(text) <= _SHOWN:
        return text
    start = max(0, min(at - _SHOWN // 2, len(text) - _SHOWN))
    end = start + _SHOWN
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
