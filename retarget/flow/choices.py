"""Settings that take one of a few words, as Python callers give them."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin, get_type_hints

from retarget.errors import UnknownWord


def check_choices(settings: Any) -> None:
    """Refuse a word that is none of those its field's type, a `Literal`, names.

    Raises:
        UnknownWord: there is one; the nearest of its field's words is offered.
    """
    for name, hint in get_type_hints(type(settings)).items():
        words, given = _words(hint), getattr(settings, name)
        if words and isinstance(given, str) and given not in words:
            raise UnknownWord(f"choice for {name}:", given, words)


def _words(hint: Any) -> tuple[str, ...]:
    """Those that a type names; none where it takes more than a few words."""
    if get_origin(hint) is Literal:
        return tuple(word for word in get_args(hint) if isinstance(word, str))
    return tuple(word for one in get_args(hint) for word in _words(one))
