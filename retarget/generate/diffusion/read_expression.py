"""Each request's expression in FLAME's basis, off the driving pixels or out of its 52 weights.

Pixels say most: SMIRK reads them. Labels, presets and saved performances have none; for them the
52 weights go through the optional linear map. Where both are at hand, what the transfer changed
(a stronger smile, another rest) is added to what the pixels say.
"""

from __future__ import annotations

from typing import Literal

from retarget.errors import MissingModel
from retarget.flow.flame import FlameExpression, FlameMap
from retarget.flow.values import FaceRequest
from retarget.generate.diffusion.places import Locate
from retarget.generate.diffusion.smirk import SmirkEncoder

Source = Literal["auto", "pixels", "weights"]


class ReadExpression:
    """Turn requests into FLAME expressions; files are read when first needed.

    Args:
        source: pixels, weights, or whichever is there.
        locate: where the encoder and the map lie.
        order: how colors are handed to the encoder.
    """

    def __init__(
        self, source: Source, locate: Locate, *, order: Literal["rgb", "bgr"] = "rgb"
    ) -> None:
        self._source = source
        self._locate = locate
        self._order: Literal["rgb", "bgr"] = order
        self._encoder: SmirkEncoder | None = None
        self._map: FlameMap | None = None
        self._map_sought = False

    def of(self, request: FaceRequest, held: FlameExpression) -> FlameExpression:
        """What the identity should do.

        Args:
            request: the moment.
            held: the expression of the moment before, for a moment without a face where the map
                cannot say better.

        Raises:
            MissingModel: neither way is open for this request.
        """
        seen = self._from_pixels(request)
        return seen if seen is not None else self._without_pixels(request, held)

    def _from_pixels(self, request: FaceRequest) -> FlameExpression | None:
        driving = request.driving
        if self._source == "weights" or driving is None or driving.tracked is None:
            return None
        if driving.tracked.face is None or request.away:
            return None
        if self._encoder is None:
            try:
                self._encoder = SmirkEncoder(self._locate("smirk"), order=self._order)
            except MissingModel:
                if self._source == "pixels" or self._mapping() is None:
                    raise
                return None
        seen = self._encoder.of_frame(driving.tracked)
        mapping = self._mapping()
        if seen is None or mapping is None or driving.expression is None:
            return seen
        asked, played = (mapping.to_flame(e) for e in (request.expression, driving.expression))
        return FlameExpression.limited(seen.parameters + asked.parameters - played.parameters)

    def _without_pixels(self, request: FaceRequest, held: FlameExpression) -> FlameExpression:
        mapping = self._mapping()
        if mapping is not None:
            return mapping.to_flame(request.expression)
        if request.away:
            return held
        raise MissingModel(
            "These expressions come without pixels (a label, a preset, a saved performance), and "
            "the diffusion generator needs the FLAME map for them.",
            do="Fetch it (research use only) with `retarget models pull flame-map`, or drive with "
            "a video.",
        )

    def _mapping(self) -> FlameMap | None:
        """The map, if it is here and wanted; a file that is not the published one is an error."""
        if not self._map_sought and self._source != "pixels":
            self._map_sought = True
            try:
                folder = self._locate("flame-map")
            except MissingModel:
                return None
            self._map = FlameMap.load(folder)
        return self._map
