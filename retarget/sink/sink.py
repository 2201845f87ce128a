"""The interface of sinks."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from retarget.flow.values import FinishedFrame


class Sink(Protocol):
    """An output for finished frames in presentation order."""

    def write(self, frame: FinishedFrame) -> None:
        """Write the next frame, of the same size as the first, and later than the one before.

        Raises:
            CannotWrite: the disk is full, or the file went away.
            ValueError: the frame has another size, or is not later than the one before.
        """


class PlacedSink(Sink, Protocol):
    """A sink with a result."""

    target: Path
    """The intended path; once it is finished, the actual one."""


class OpenSink(Sink, Protocol):
    """A sink inside `open_sink`: it writes a hidden file, and names the target in messages."""

    def finish(self) -> None:
        """Flush; nothing may be written afterwards."""

    def close(self) -> None:
        """Close the file, finished or not; may be called twice."""
