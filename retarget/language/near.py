"""Find the known word that was meant by an unknown one.

Words of feeling resemble one another by chance ("curious" and "furious", "merry" and "misery"), so
similar letters count only where they look like a typing error. Words with the same stem ("angriest"
and "angry") or the same parts ("open_mouth" and "mouth_open") are preferred.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

_ENDINGS = frozenset(
    ("", "e", "s", "es", "y", "ies", "ied", "ying", "er", "ier", "est", "iest", "ed", "edly",
     "ing", "ingly", "ly", "ily", "ful", "eful", "iful", "fully", "ous", "ious", "ously", "iously",
     "ness", "iness", "ion", "ation", "action", "ment", "ement", "ety", "ity", "itude", "able",
     "ible", "ance", "ure", "or", "ified", "ifying", "atic", "asy")
)  # fmt: skip
"""Endings of words with the same stem."""
_STEM = 2
"""The fewest letters of a stem: cr-ied and cr-y."""
_ALIKE = 0.77
"""Similarity, 0 to 1, from which one word counts as the other mistyped."""


def nearest_word(word: str, known: Collection[str]) -> str | None:
    """The known word that was meant; None where that cannot be told."""
    lower, names = word.lower(), {name.lower(): name for name in sorted(known)}
    ways = (
        [name for name in names if _parts(lower) <= _parts(name)],
        [
            *(name for name in names if len(lower) > 2 and name.startswith(lower)),
            *(name for name in names if len(lower) > 2 and _lacks_a_letter(lower, name)),
        ],
        sorted((name for name in names if len(name) > 2 and lower.startswith(name)), key=len)[-1:],
        [name for name in names if _are_family(lower, name)],
        [name for name in names if sorted(name) == sorted(lower)],
        difflib.get_close_matches(
            lower, [name for name in names if name[:1] == lower[:1]], n=1, cutoff=_ALIKE
        ),
    )
    found = next((likely for likely in ways if likely), None)
    return names[min(found, key=len)] if found else None


def meant(word: str, known: Iterable[str]) -> tuple[str | None, str]:
    """The known word that was meant, if that can be told, and a remedy."""
    near = nearest_word(word, list(known))
    if near is not None:
        return near, f"Did you mean {near!r}?"
    return None, "retarget expressions lists all that can be said."


def _parts(name: str) -> set[str]:
    return set(name.split("_"))


def _lacks_a_letter(word: str, name: str) -> bool:
    """Whether one letter of a name, not its first, was left out."""
    return any(name[:at] + name[at + 1 :] == word for at in range(1, len(name)))


def _are_family(one: str, other: str) -> bool:
    """Whether two words are one stem with different endings."""
    shared = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if shared is None:
        shared = min(len(one), len(other))
    return any(one[at:] in _ENDINGS and other[at:] in _ENDINGS for at in range(_STEM, shared + 1))
