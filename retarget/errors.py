"""What can go wrong for the person at the keyboard, and what they can do about it.

A `RetargetError` is a sentence and a remedy; the command line prints both and exits with 1.
A programmer's mistake (a wrong shape) is a plain `ValueError` and keeps its traceback.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from typing_extensions import Self

Near: TypeAlias = Callable[[str, Iterable[str]], "tuple[str | None, str]"]
"""Finds the known word that was meant, if it can, and a remedy."""
_LISTED = 20
"""The most known words that a remedy lists."""


class RetargetError(Exception):
    """Something a person can put right.

    Args:
        what: one sentence: what is wrong, naming the file, option or frame.
        do: one sentence: what to do about it.
    """

    def __init__(self, what: str, *, do: str) -> None:
        super().__init__(f"{what} {do}")
        self.what = what
        self.do = do

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are made anew from their sentence alone, which is not how these are made: a
        # pool of processes whose worker raised one would wait for ever.
        return Exception.__new__, (type(self), *self.args), vars(self)

    def placed(self, where: str) -> Self:
        """This error, told with the place at which it happened in front."""
        self.what = f"{where}: {self.what}"
        self.args = (f"{self.what} {self.do}",)
        return self


class UnreadableInput(RetargetError):
    """A file, folder, address or picture that cannot be used as it is."""

    @classmethod
    def at(cls, name: object, error: Exception) -> Self | None:
        """The error for a file that is not there or may not be read; None if it is neither."""
        number = getattr(error, "errno", None)
        if number == errno.ENOENT:
            return cls(f"There is no file {name}.", do="Check the path.")
        if number in (errno.EACCES, errno.EPERM):
            return cls(f"{name} may not be read by you.", do="Change its permissions.")
        return None


class NoFaceFound(RetargetError):
    """A picture or clip that needs a face never shows one."""


class CannotWrite(RetargetError):
    """The result cannot be put where it was asked for."""


class MissingPackage(RetargetError):
    """An optional package that the chosen feature needs is not installed."""


class MissingModel(RetargetError):
    """A model file is absent, or is not the file it should be."""


class WrongSetting(RetargetError, ValueError):
    """A setting's value is of another kind than the setting, or out of its range.

    Args:
        what: what is wrong with it, without a full stop; it begins with the setting's name.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}.", do="Give a value that it can have.")
        self.args = (self.what,)  # what the command line is told of a setting within settings


class UnknownWord(RetargetError):
    """A name that is not in its list; the nearest one is offered.

    Args:
        kind: what the word was meant to be ("preset", "blendshape", "codec").
        word: the word as it was given.
        known: every word that would have been accepted.
        where: the place in which it stands, if not where its reader looks ("preset mine.toml").
        near: finds the word that was meant, if it can, and a remedy.
    """

    def __init__(
        self,
        kind: str,
        word: str,
        known: Iterable[str],
        *,
        where: str = "",
        near: Near | None = None,
    ) -> None:
        self.word = word
        self.nearest, do = (near or nearest_or_all)(word, known)
        place = f" in {where}" if where else ""
        super().__init__(f"There is no {kind} {word!r}{place}.", do=do)


def nearest_or_all(word: str, known: Iterable[str]) -> tuple[str | None, str]:
    """The known word nearest to `word`, if one is near, and a remedy that offers it or all."""
    known = sorted(known)
    longer = [name for name in known if len(word) > 2 and name.lower().startswith(word.lower())]
    begun = [name for name in known if len(name) > 2 and word.lower().startswith(name.lower())]
    # "crying" has more letters in common with "caring" than with "cry", "eager" with "anger".
    near = sorted(longer, key=len)[:1] or sorted(begun, key=len)[-1:]
    near = near or difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    if near:
        return near[0], f"Did you mean {near[0]!r}?"
    listed = ", ".join(known[:_LISTED]) + (", …" if len(known) > _LISTED else "")
    return None, f"Known: {listed}."
