"""Prepare a person for drawing: the identity prompt, and the photo's keys and values.

Both are computed once per picture and kept while it is in use.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch

from retarget.errors import MissingModel
from retarget.flow.arrays import Floats, Picture
from retarget.flow.crop import Crop
from retarget.flow.values import Identity
from retarget.generate.diffusion import align
from retarget.generate.diffusion.attention import Memory
from retarget.generate.diffusion.denoise import prompt_memory
from retarget.generate.diffusion.identity import (
    LICENCE,
    Detector,
    Recogniser,
    mean_identity,
    read_photo,
)
from retarget.generate.diffusion.load import Networks
from retarget.generate.diffusion.places import Locate
from retarget.generate.diffusion.reference_adapter import Reference
from retarget.generate.diffusion.settings import DiffusionSettings


@dataclass(frozen=True, eq=False)
class Look:
    """One identity picture, prepared for the network."""

    prompt: Memory
    reference: Reference
    crop: Crop
    """The aligned crop of the identity's picture."""
    picture: Picture
    """Its pixels."""


class Looks:
    """Makes looks and keeps the last few.

    Args:
        networks: the loaded networks.
        settings: photos to average, and the batch, which is how many looks may be in use at once.
        locate: finds the recogniser.
        tell: called with the recogniser's licence, and if the detector is missing.
    """

    def __init__(
        self,
        networks: Networks,
        settings: DiffusionSettings,
        locate: Locate,
        tell: Callable[[str], None],
    ) -> None:
        self._networks = networks
        self._settings = settings
        self._recogniser = Recogniser(locate("face-recogniser"))
        self._detector = _detector(locate, tell, needed=bool(settings.photos))
        self._others = self._read_photos()
        self._kept: OrderedDict[int, tuple[Identity, Look]] = OrderedDict()
        tell(LICENCE)

    def of(self, identity: Identity) -> Look:
        """The look of an identity picture, made at its first use."""
        key = id(identity)  # the identity is kept as well, so that its id stays unique
        if key not in self._kept:
            self._kept[key] = identity, self._make(identity)
            while len(self._kept) > max(self._settings.batch, 2):
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key][1]

    def _make(self, identity: Identity) -> Look:
        nets = self._networks
        face = torch.from_numpy(self.vector(identity))[None].to(nets.device)
        tokens = nets.text.of(face)
        crop = align.ffhq(identity.face.points, nets.side)
        picture = align.cut(identity.frame.rgb, crop)
        latent = nets.pixels.encode([picture])
        return Look(
            prompt=prompt_memory(nets.unet, tokens),
            reference=nets.reference.prepare(latent, tokens),
            crop=crop,
            picture=picture,
        )

    def vector(self, identity: Identity) -> Floats:
        """(512,) unit vector of the identity, averaged with the other photos."""
        rgb: Picture = identity.frame.rgb
        found = self._detector(rgb) if self._detector else None
        if found is None:
            found = align.keypoints(identity.face.points)
        return mean_identity([self._recogniser(rgb, found), *self._others])

    def _read_photos(self) -> list[Floats]:
        if self._detector is None:
            return []
        return [read_photo(p, self._recogniser, self._detector) for p in self._settings.photos]


def _detector(locate: Locate, tell: Callable[[str], None], *, needed: bool) -> Detector | None:
    """The detector; None if it is missing and no photo needs it."""
    try:
        path = locate("face-detector")
    except MissingModel:
        if needed:
            raise
        tell("The face detector is not here; the identity is read at the mesh's own points.")
        return None
    return Detector(path)
