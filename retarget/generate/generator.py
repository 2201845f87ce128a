"""What a face generator promises; pick one by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from retarget.flow.values import FaceRequest, GeneratedFace, Identity


class Generator(Protocol):
    """Draws the identity doing what is asked.

    Every implementation keeps these promises (tests/contracts/test_generators.py): one face for
    each request, in order; the same requests give the same pixels, whatever the batch size;
    nothing is remembered across a cut; the crop of the identity's own expression in its own pose
    stays close to the photo.
    """

    name: str

    def prepare(self, identity: Identity) -> None:
        """Do what is needed once per identity picture; asked again for the same one, do nothing.

        Called before the first request so that the work runs beside other start-up work; a request
        with an identity that was not prepared prepares it.
        """

    def __call__(self, frames: Iterator[FaceRequest], /) -> Iterator[GeneratedFace]:
        """Draw every request; a generator may gather requests into batches."""
