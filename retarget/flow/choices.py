"""Settings that take one of a few words, or yes or no, as Python callers give them."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin, get_type_hints

from retarget.errors import UnknownWord


def check_choices(settings: Any) -> None:
    """Refuse what is none of those that its field's type, a `Literal` or `bool`, names.

    Raises:
        UnknownWord: it is a word; the nearest of its field's words is offered.
        ValueError: it is something else.
    """
    for name, hint in get_type_hints(type(settings)).items():
        words, given = _words(hint), getattr(settings, name)
        if words and isinstance(given, str) and given not in words:
            raise UnknownWord(f"choice for {name}:", given, words)
        choices = (True, False) if hint is bool else get_args(hint)
        if (hint is bool or get_origin(hint) is Literal) and given not in choices:
            raise ValueError(f"{name} must be one of {choices}, got {given!r}")


def _words(hint: Any) -> tuple[str, ...]:
    """Those that a type names; none where it takes more than a few words."""
    if get_origin(hint) is Literal:
        return tuple(word for word in get_args(hint) if isinstance(word, str))
    return tuple(word for one in get_args(hint) for word in _words(one))
