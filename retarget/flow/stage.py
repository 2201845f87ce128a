"""What every stage looks like: values in, values out, in order, settings beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypeVar

In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)


class Stage(Protocol[In_contra, Out_co]):
    """One generator function with a name.

    What a stage remembers lives in the call, so one stage can serve two videos. It yields in
    order, never more than it was given, and ends when its input ends.
    """

    name: str

    def __call__(self, frames: Iterator[In_contra], /) -> Iterator[Out_co]:
        """Turn a stream of one value into a stream of the next."""
        ...
