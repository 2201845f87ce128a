"""Each request's expression in FLAME's basis, off the driving pixels or out of its 52 weights.

Pixels say most: SMIRK reads them. Labels, presets and saved performances have none; for them the
52 weights go through the optional linear map. Where both are at hand, what the transfer changed
(a stronger smile, another rest) is added to what the pixels say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

from retarget.errors import MissingModel
from retarget.flow.arrays import Picture
from retarget.flow.flame import FlameExpression, FlameMap
from retarget.flow.values import Face, FaceRequest
from retarget.generate.diffusion.places import Locate
from retarget.generate.diffusion.smirk import SmirkEncoder

Source = Literal["auto", "pixels", "weights"]


class ReadExpression:
    """Turn requests into FLAME expressions; files are read when first needed.

    Args:
        source: pixels, weights, or whichever is there.
        locate: where the encoder and the map lie.
        order: how colors are handed to the encoder.
        device: where the encoder computes.
    """

    def __init__(
        self,
        source: Source,
        locate: Locate,
        *,
        order: Literal["rgb", "bgr"] = "rgb",
        device: torch.device,
    ) -> None:
        self._source = source
        self._locate = locate
        self._order: Literal["rgb", "bgr"] = order
        self._device = device
        self._encoder: SmirkEncoder | None = None
        self._map: FlameMap | None = None
        self._map_sought = False

    def of(
        self, requests: Sequence[FaceRequest], held: FlameExpression | None = None
    ) -> list[FlameExpression]:
        """What the identity should do in moments that follow one another.

        Args:
            requests: the moments; the network reads their pixels together.
            held: the expression before them, for a moment without a face where the map cannot say
                better; None: at rest.
        """
        last = held or FlameExpression.rest()
        told = []
        for request, seen in zip(requests, self._from_pixels(requests), strict=True):
            last = FlameExpression.rest() if request.cut else last
            last = seen if seen is not None else self._without_pixels(request, last)
            told.append(last)
        return told

    def _from_pixels(self, requests: Sequence[FaceRequest]) -> list[FlameExpression | None]:
        """What the driving pixels show; None where there are none to read."""
        faces = [self._shown(request) for request in requests]
        crops = [SmirkEncoder.crop(*face) for face in faces if face is not None]
        encoder = self._reader() if crops else None
        if encoder is None:
            return [None] * len(requests)
        seen = iter(encoder.read(crops))
        return [
            None if face is None else self._as_asked(request, next(seen))
            for request, face in zip(requests, faces, strict=True)
        ]

    def _shown(self, request: FaceRequest) -> tuple[Picture, Face] | None:
        driving = request.driving
        if self._source == "weights" or driving is None or driving.tracked is None:
            return None
        if driving.tracked.face is None or request.away:
            return None
        return driving.tracked.frame.rgb, driving.tracked.face

    def _reader(self) -> SmirkEncoder | None:
        """The encoder; None where it is not here and the map can say what it would."""
        if self._encoder is None:
            try:
                path = self._locate("smirk")
            except MissingModel:
                if self._source == "pixels" or self._mapping() is None:
                    raise
                return None
            self._encoder = SmirkEncoder(path, order=self._order, device=self._device)
        return self._encoder

    def _as_asked(self, request: FaceRequest, seen: FlameExpression) -> FlameExpression:
        """What was seen, with what the transfer changed added to it."""
        mapping = self._mapping()
        if mapping is None or request.driving is None or request.driving.expression is None:
            return seen
        asked, played = (
            mapping.to_flame(e) for e in (request.expression, request.driving.expression)
        )
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
