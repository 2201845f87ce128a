"""How large a picture may be, checked before memory is allocated for it."""

from __future__ import annotations

from retarget.errors import UnreadableInput

MAX_SIDE = 16384
"""Pixels along one side of a picture."""
MAX_PIXELS = 100_000_000
"""Pixels in one picture; as RGB it takes three times as many bytes."""


def check_size(name: str, width: int, height: int) -> None:
    """Refuse a picture that is empty or too large.

    Raises:
        UnreadableInput: a side is 0 or over `MAX_SIDE`, or the picture has over `MAX_PIXELS`.
    """
    if width < 1 or height < 1:
        raise UnreadableInput(f"{name} has a picture without pixels.", do="Choose another file.")
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise UnreadableInput(
            f"{name} is {width} x {height} pixels; at most {MAX_SIDE} along a side and "
            f"{MAX_PIXELS // 1_000_000} million together are read.",
            do="Make it smaller first.",
        )
