"""Each request's expression in FLAME's basis, from the driving pixels or the 52 weights.

Pixels, read by SMIRK, are the most accurate. Words and saved performances have none; their 52
weights are mapped by the optional linear map. With both, the change by the transfer (a stronger
smile, another rest) is added to the expression from the pixels.
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
        source: pixels, weights, or auto.
        locate: finds the encoder and the map.
        order: the encoder's order of colours.
        device: the encoder's device.
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
        """The FLAME expressions of consecutive requests.

        Args:
            requests: the requests, whose pixels are read in one batch.
            held: the expression before them, used for a request without a face if there is no map;
                None: at rest.
        """
        last = held or FlameExpression.rest()
        told = []
        for request, seen in zip(requests, self._from_pixels(requests), strict=True):
            last = FlameExpression.rest() if request.cut else last
            last = seen if seen is not None else self._without_pixels(request, last)
            told.append(last)
        return told

    def _from_pixels(self, requests: Sequence[FaceRequest]) -> list[FlameExpression | None]:
        """The expressions in the driving pixels; None where there are no pixels."""
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
        """The encoder; None where it is missing and the map can replace it."""
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
        """The expression read, plus the change by the transfer."""
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
        """The map, if it is present and needed; a wrong file is an error."""
        if not self._map_sought and self._source != "pixels":
            self._map_sought = True
            try:
                folder = self._locate("flame-map")
            except MissingModel:
                return None
            self._map = FlameMap.load(folder)
        return self._map
