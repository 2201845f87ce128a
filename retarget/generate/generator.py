"""The interface that every face generator implements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from retarget.flow.values import FaceRequest, GeneratedFace, Identity


class Generator(Protocol):
    """Draws the identity as requested.

    Every implementation keeps these promises (tests/contracts/test_generators.py): one face for
    each request, in order; the same requests give the same pixels, whatever the batch size;
    nothing is remembered across a cut; the crop of the identity's own expression in its own pose
    stays close to the photo.
    """

    name: str

    def prepare(self, identity: Identity) -> None:
        """Do the work needed once per identity picture; a second call for it does nothing.

        Called before the first request, so that it runs in parallel with other start-up work; a
        request with an unprepared identity prepares it.
        """

    def __call__(self, frames: Iterator[FaceRequest], /) -> Iterator[GeneratedFace]:
        """Draw every request, in order; a generator may collect requests into batches."""
