"""The appearance of the person: keys and values of the reference photo.

The photo's latent passes once through the plain UNet, without noise, at step 0, with the identity
prompt. The input of each self-attention layer is projected to keys and values by the drawing UNet,
and while a frame is drawn every layer also attends to them (arXiv 2510.04706). They are computed
once per photo for every step of every frame.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from retarget.generate.diffusion import attention
from retarget.generate.diffusion.attention import SELF, KeyValue, Memory
from retarget.generate.diffusion.compiling import uncompiled

Bank = dict[str, torch.Tensor]
"""The input of each self-attention layer, (rows, pixels, channels), by the layer's path."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Keys and values of one photo, or of one per row, in every self-attention layer."""

    memory: Memory

    @classmethod
    def rows(cls, references: list[Reference]) -> Reference:
        """One reference per row of a batch."""
        return cls(attention.stack([r.memory for r in references]))

    @property
    def bytes(self) -> int:
        """Memory of all keys and values."""
        return sum(kv.bytes for kv in self.memory.values())


class ReferenceAdapter:
    """Prepares photos, and makes a UNet's attention include them.

    Args:
        unet: the UNet that draws; the same network reads the photo.
        plain: a scope in which `unet` has the weights without LoRAs, which read the photo.
    """

    def __init__(
        self, unet: Any, plain: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        self._unet = unet
        self._plain = plain

    @torch.no_grad()
    def prepare(self, latent: torch.Tensor, prompt: torch.Tensor) -> Reference:
        """Read photos.

        Args:
            latent: (n, 4, h, w) scaled latents without noise.
            prompt: (n, 77, width) their identity prompts.
        """
        with self._plain():
            bank = self.read(latent, prompt)
        projected = {}
        for path, layer in attention.layers(self._unet, SELF).items():
            projected[path] = attention.project(layer, bank[path])
        return Reference(projected)

    @torch.no_grad()
    def read(self, latent: torch.Tensor, prompt: torch.Tensor) -> Bank:
        """The input of every self-attention layer in a pass over the photos at step 0."""
        bank: Bank = {}
        recorders = {
            path: attention.RecordingSelfAttention(partial(bank.__setitem__, path))
            for path in attention.layers(self._unet, SELF)
        }
        with uncompiled(self._unet), attention.processors(self._unet, recorders):
            self._unet(latent, 0, encoder_hidden_states=prompt, return_dict=False)
        return bank

    @staticmethod
    def seeing(
        unet: Any, reference: Reference | None, *, guided: bool
    ) -> dict[str, torch.nn.Module]:
        """The processors that make `unet` attend to `reference`, by the path of their layer.

        Args:
            unet: the UNet whose self-attention is extended.
            reference: the photo; None: without one.
            guided: the first half of the rows is drawn without conditions and does not see it.
        """
        return {
            path: _seeing(reference.memory[path] if reference else None, guided)
            for path in attention.layers(unet, SELF)
        }


def _seeing(memory: KeyValue | None, guided: bool) -> torch.nn.Module:
    if memory is None:
        return attention.PlainSelfAttention()
    return attention.SelfAttention(memory, guided=guided)
