"""Encode pixels to latents and back, by the full autoencoder or the tiny one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from retarget.errors import RetargetError
from retarget.flow.arrays import Picture


class Pixels:
    """An `AutoencoderKL` or `AutoencoderTiny`; a picture's side is 8 times its latent's."""

    def __init__(self, vae: Any) -> None:
        self.vae = vae
        self._scale = float(vae.config.scaling_factor)
        self._full = hasattr(vae, "quant_conv")

    @torch.no_grad()
    def encode(self, pictures: Sequence[Picture]) -> torch.Tensor:
        """Scaled latents (n, 4, h, w) of n pictures (height, width, 3).

        Of the full autoencoder's distribution the mode is taken, so that a picture always has the
        same latent.
        """
        weight = next(self.vae.parameters())
        # Moved as bytes and converted on the device, which is faster.
        stacked = torch.from_numpy(np.stack(pictures)).to(weight.device).permute(0, 3, 1, 2)
        pixels = (stacked.float() / 127.5 - 1.0).to(weight.dtype)
        told = self.vae.encode(pixels)
        latents = told.latent_dist.mode() if self._full else told.latents
        scaled: torch.Tensor = latents * self._scale
        return scaled

    @torch.no_grad()
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures (n, 3, height, width) in -1..1, unlimited, of scaled latents.

        The full decoder takes one at a time, which uses the whole device, to bound the memory.
        """
        weight = next(self.vae.parameters())
        latents = latents.to(weight) / self._scale
        parts = list(latents[:, None]) if self._full else [latents]
        return torch.cat([self.vae.decode(part).sample for part in parts])

    def pictures(self, latents: torch.Tensor) -> list[Picture]:
        """Pictures (height, width, 3) of scaled latents.

        Raises:
            RetargetError: numbers overflowed; the picture would be black.
        """
        pixels = self.decode(latents)
        if not pixels.isfinite().all():
            raise RetargetError(
                "The network's numbers grew beyond what their format holds, so there is no "
                "picture.",
                do="Use --diffusion.precision full, less guidance, or other weights.",
            )
        return list(to_bytes(pixels).cpu().numpy())


def to_bytes(pixels: torch.Tensor) -> torch.Tensor:
    """(n, 3, h, w) in -1..1 → (n, h, w, 3) uint8."""
    unit = (pixels.float() / 2 + 0.5).clamp(0, 1)
    return (unit * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
