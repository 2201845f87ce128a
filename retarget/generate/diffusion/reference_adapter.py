"""What the person looks like: the UNet reads the reference photo and remembers it.

The reference's latent goes once through the plain UNet, without noise, at step 0, with the
identity prompt. What enters each self-attention layer on the way is projected to keys and values
by the drawing UNet, and while a frame is drawn every layer looks at them beside its own pixels
(arXiv 2510.04706). The memory is made once per photo and serves every step of every frame.
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
"""What entered each self-attention layer, (rows, pixels, channels), by the layer's path."""


@dataclass(frozen=True, eq=False)
class Reference:
    """One photo, or one per row, as every self-attention layer remembers it."""

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
    """Prepare a photo once; let a UNet see it within a scope.

    Args:
        unet: the UNet that draws; the same network reads the photo.
        plain: a scope in which `unet` has the weights the photo is to be read with, which are
            those before any LoRA was added.
    """

    def __init__(
        self,
        unet: Any,
        plain: Callable[[], AbstractContextManager[None]] = nullcontext,
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
        """One pass over the photos at step 0: what enters every self-attention layer."""
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
        """The processors that let `unet` look at `reference`, by the path of their layer.

        Args:
            unet: the UNet whose self-attention is extended.
            reference: what it sees; None: only itself.
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
