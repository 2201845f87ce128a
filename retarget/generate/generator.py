"""The interface that every face generator implements."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import groupby
from typing import Protocol

from retarget.flow.crop import Crop
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


class OneEach:
    """A generator, held to one face for each request and to their order.

    It is not asked where the identity's face is away: such a picture stays as it is.

    Raises:
        ValueError: it draws others, so that the video would be shorter or out of step.
    """

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    def __call__(self, frames: Iterator[FaceRequest], /) -> Iterator[GeneratedFace]:
        """Draw every request, in order."""
        for away, run in groupby(frames, lambda request: request.identity.away):
            draw = _as_they_are if away else self._drawn
            yield from draw(run)

    def _drawn(self, frames: Iterator[FaceRequest]) -> Iterator[GeneratedFace]:
        asked: deque[int] = deque()

        def noted() -> Iterator[FaceRequest]:
            for request in frames:
                asked.append(request.index)
                yield request

        faces = self._generator(noted())
        try:
            for face in faces:
                if not asked or asked.popleft() != face.request.index:
                    raise self._broken(f"face {face.request.index} out of turn")
                yield face
            if asked or next(frames, None) is not None:
                raise self._broken("fewer faces than were asked for")
        finally:
            close = getattr(faces, "close", None)
            if close is not None:
                close()

    def _broken(self, drew: str) -> ValueError:
        return ValueError(
            f"the generator {self._generator.name} drew {drew}: each request has one face, in order"
        )


def _as_they_are(frames: Iterator[FaceRequest]) -> Iterator[GeneratedFace]:
    for request in frames:
        frame = request.identity.frame
        yield GeneratedFace(request=request, rgb=frame.rgb, crop=Crop.box(0, 0, *frame.size))
