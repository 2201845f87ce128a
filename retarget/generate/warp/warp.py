"""The warp generator: moves one photo's own pixels."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain

from retarget.flow.arrays import Floats
from retarget.flow.values import FaceRequest, GeneratedFace, Identity
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.eye_white import LastingWhite
from retarget.generate.warp.eyes.limbus import LastingSize
from retarget.generate.warp.portrait import Portrait

KEPT = 4
"""Prepared identity pictures kept; only one of a clip's passing frames."""
LARGE = 200.0
"""Pixels between the eye corners from which two frames are drawn at a time: for smaller faces, two
threads wait for one another longer than they save."""


class WarpGenerator:
    """Draws by moving the photo's own pixels.

    Frames depend on each other only through the colour of the driving light and the size of a
    clip's irises, which are estimated in order; so several can be drawn at a time, with the same
    pixels.

    Args:
        settings: how to draw.
    """

    name = "warp"

    def __init__(self, settings: WarpSettings) -> None:
        self.settings = settings
        self._ready: OrderedDict[int, Portrait] = OrderedDict()

    def prepare(self, identity: Identity) -> None:
        """Prepare the photo; a second call for the same identity does nothing."""
        self._portrait(identity, LastingSize(), moves=False)

    def __call__(self, frames: Iterator[FaceRequest], /) -> Iterator[GeneratedFace]:
        """Draw every request; with several threads, read as many requests ahead."""
        first = next(frames, None)
        if first is None:
            return
        frames = chain([first], frames)
        white, irises = LastingWhite(), LastingSize()
        threads = self.settings.threads or 1 + (first.identity.face.eye_distance > LARGE)
        if threads == 1:
            for request in frames:
                yield self._asked(request, irises).draw(request, white(request))
            return
        coming: deque[Future[GeneratedFace]] = deque()
        with ThreadPoolExecutor(threads, thread_name_prefix="warp") as pool:
            try:
                for request in frames:
                    portrait = self._asked(request, irises)
                    coming.append(_begun(pool, portrait, request, white(request)))
                    if len(coming) > threads:
                        yield coming.popleft().result()
                while coming:
                    yield coming.popleft().result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _asked(self, request: FaceRequest, irises: LastingSize) -> Portrait:
        identity = request.identity
        return self._portrait(identity, irises, moves=request.pose is not identity.pose)

    def _portrait(self, identity: Identity, irises: LastingSize, *, moves: bool) -> Portrait:
        found = self._ready.get(id(identity))
        if found is None or found.identity is not identity or found.moves != moves:
            found = Portrait(identity, self.settings, irises, moves=moves)
            self._ready[id(identity)] = found
        self._ready.move_to_end(id(identity))
        while len(self._ready) > (1 if identity.passing else KEPT):
            self._ready.popitem(last=False)
        return found


def _begun(
    pool: ThreadPoolExecutor, portrait: Portrait, request: FaceRequest, white: Floats | None
) -> Future[GeneratedFace]:
    """Submit the drawing of a request to the pool.

    Pools accept nothing after the main thread has ended, while a job on another thread may go on:
    then it is drawn here.
    """
    try:
        return pool.submit(portrait.draw, request, white)
    except RuntimeError:
        done: Future[GeneratedFace] = Future()
        done.set_result(portrait.draw(request, white))
        return done
