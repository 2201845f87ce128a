"""What every sink promises."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from retarget.flow.values import FinishedFrame


class Sink(Protocol):
    """Something finished frames are written to, in the order of showing."""

    def write(self, frame: FinishedFrame) -> None:
        """Take the next frame: of the same size as the first, and shown after the one before.

        Raises:
            CannotWrite: the disk is full, or the file went away.
            ValueError: the frame has another size, or is not later than the one before.
        """


class PlacedSink(Sink, Protocol):
    """A sink with a result."""

    target: Path
    """Where it is to be; once it is whole, where it is."""


class OpenSink(Sink, Protocol):
    """A sink as `open_sink` handles it: it writes a hidden file and speaks of the target."""

    def finish(self) -> None:
        """Write what is still held back; nothing may be written after it."""

    def close(self) -> None:
        """Let go of the file, finished or not; may be called twice."""
