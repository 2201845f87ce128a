"""Draw a batch of frames: conditions, latents, pixels, and their place in the frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from retarget.flow import flame
from retarget.flow.arrays import Picture
from retarget.flow.flame import FlameExpression
from retarget.flow.lay import lay
from retarget.flow.values import FaceRequest, GeneratedFace, Identity
from retarget.generate.diffusion import align, attention
from retarget.generate.diffusion.denoise import Conditions, Schedule, prompt_memory
from retarget.generate.diffusion.load import Networks
from retarget.generate.diffusion.look import Look, Looks
from retarget.generate.diffusion.memory import Sizes
from retarget.generate.diffusion.reference_adapter import Reference
from retarget.generate.diffusion.settings import DiffusionSettings


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame to be drawn."""

    request: FaceRequest
    expression: FlameExpression
    guide: GeneratedFace | None
    """The picture to start from, drawn by another generator."""
    look: Look


class Draw:
    """Draws batches with loaded networks and constants of a whole clip."""

    def __init__(self, networks: Networks, looks: Looks, settings: DiffusionSettings) -> None:
        self._networks = networks
        self._settings = settings
        self._looks = looks
        side = networks.latent_side
        seeded = torch.Generator().manual_seed(settings.seed)
        noise = torch.randn((1, 4, side, side), generator=seeded)
        self._noise = noise.to(networks.device)
        guided = settings.chosen().guidance != 1.0
        self._without = without_conditions(networks) if guided else None

    @property
    def sizes(self) -> Sizes:
        """Of the networks."""
        return self._networks.sizes

    def look(self, identity: Identity) -> Look:
        """The identity, prepared for drawing."""
        return self._looks.of(identity)

    def latents(self, frames: list[Frame], before: torch.Tensor | None = None) -> torch.Tensor:
        """Final scaled latents (n, 4, h, w) of n frames.

        Args:
            frames: all with a guide or all without.
            before: (n, 4, h, w) latents to begin from without a guide; None: noise.
        """
        nets = self._networks
        parameters = np.stack([f.expression.parameters for f in frames])
        tokens = nets.expression.tokens(torch.from_numpy(parameters).to(nets.device))
        conditions = Conditions(
            prompt=attention.stack([f.look.prompt for f in frames]),
            expression=nets.expression.memory(tokens),
            reference=Reference.rows([f.look.reference for f in frames]),
            without=self._without,
        )
        guides = [_aligned(f.guide, f.look) for f in frames if f.guide is not None]
        start = nets.pixels.encode(guides) if guides else before
        strength = self._settings.strength if guides else self._settings.warm_start
        return nets.denoiser.run(
            conditions,
            self._schedule(strength if start is not None else 1.0),
            self._noise.expand(len(frames), -1, -1, -1),
            start=start,
            seed=self._settings.seed,
        )

    def pictures(self, latents: torch.Tensor) -> list[Picture]:
        """Pictures (height, width, 3) of final latents, aligned as the networks draw them."""
        return self._networks.pixels.pictures(latents)

    def _schedule(self, strength: float) -> Schedule:
        chosen = self._settings.chosen()
        return Schedule(
            scheduler=chosen.scheduler,
            steps=chosen.steps,
            guidance=chosen.guidance,
            expression_scale=self._settings.expression_scale,
            strength=strength,
        )


def without_conditions(networks: Networks) -> tuple[attention.Memory, attention.Memory]:
    """Keys and values of the empty prompt and of no expression, for guided drawing."""
    zeros = torch.zeros(1, flame.COUNT, device=networks.device)
    return (
        prompt_memory(networks.unet, networks.text.empty()),
        networks.expression.memory(networks.expression.tokens(zeros)),
    )


def _aligned(guide: GeneratedFace, look: Look) -> Picture:
    """The guide's picture in the aligned crop, with the photo around it."""
    picture = look.picture.copy()
    lay(picture, guide.rgb, align.within(guide.crop, look.crop), guide.mask)
    return picture


def laid(frame: Frame, picture: Picture) -> GeneratedFace:
    """The drawn picture at its place in the frame."""
    if frame.guide is None:
        return _from_noise(frame.request, picture)
    return _from_guide(frame, frame.guide, picture)


def _from_noise(request: FaceRequest, picture: Picture) -> GeneratedFace:
    """A face drawn from noise is upright in its crop, which is placed at the requested head."""
    crop = align.ffhq(request.points, picture.shape[0])
    mask = align.face_mask(crop.points_to_crop(request.points), crop.size)
    return GeneratedFace(request=request, rgb=picture, crop=crop, mask=mask)


def _from_guide(frame: Frame, guide: GeneratedFace, picture: Picture) -> GeneratedFace:
    """The guide's crop with the drawn face in it."""
    mask = align.face_mask(
        frame.look.crop.points_to_crop(frame.request.points), frame.look.crop.size
    )
    place = align.within(frame.look.crop, guide.crop)
    rgb = guide.rgb.copy()
    lay(rgb, picture, place, mask)
    return GeneratedFace(request=frame.request, rgb=rgb, crop=guide.crop, mask=guide.mask)
