"""The generator: one photo, moved to do what is asked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from retarget.flow.values import FaceRequest, GeneratedFace, Identity
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.portrait import Portrait

KEPT = 4
"""Identity pictures kept ready; an identity that is a video asks for one after the other."""


class WarpGenerator:
    """Draws by moving the photo's own pixels."""

    name = "warp"

    def __init__(self, settings: WarpSettings) -> None:
        self.settings = settings
        self._ready: OrderedDict[int, Portrait] = OrderedDict()

    def prepare(self, identity: Identity) -> None:
        """Take the photo apart; again for the same identity does nothing."""
        self._portrait(identity)

    def __call__(self, frames: Iterator[FaceRequest], /) -> Iterator[GeneratedFace]:
        """Draw every request."""
        for request in frames:
            yield self._portrait(request.identity).draw(request)

    def _portrait(self, identity: Identity) -> Portrait:
        found = self._ready.get(id(identity))
        if found is None or found.identity is not identity:
            found = Portrait(identity, self.settings)
            self._ready[id(identity)] = found
        self._ready.move_to_end(id(identity))
        while len(self._ready) > KEPT:
            self._ready.popitem(last=False)
        return found
