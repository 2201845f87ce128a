"""The interface of sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from retarget.flow.sound import Sound
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import VideoFrame


class Source(Protocol):
    """One piece of video, or one picture.

    Each call reads it anew, so calls may run side by side.
    """

    @property
    def info(self) -> SourceInfo:
        """Size, clock and length."""

    def frames(self) -> Iterator[VideoFrame]:
        """Every frame of the piece in presentation order, with rising time stamps."""

    def sample(self, count: int) -> Iterator[VideoFrame]:
        """At most `count` frames in order, spread over the piece, faster than reading all of it.

        Each is one that `frames` gives, with the same pixels and time stamp.

        Raises:
            ValueError: `count` is less than 1.
        """

    def sound(self) -> Sound | None:
        """The sound of the piece, None where it has none."""


class Silent:
    """A source without sound."""

    def sound(self) -> None:
        """None; see `Source.sound`."""


def spread(count: int, total: int) -> list[int]:
    """At most `count` numbers from 0 to below `total`, in order, spread evenly.

    Raises:
        ValueError: `count` is less than 1.
    """
    if count < 1:
        raise ValueError(f"a sample of {count} frames cannot be taken")
    return sorted({(2 * i + 1) * total // (2 * count) for i in range(count)})
