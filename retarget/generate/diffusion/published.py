"""The published flow of a step, as a reference for speed.

It projects the keys and values of the photo, the prompt and the expression again in every step,
passes the photo through the network twice, and always draws a second, unconditional row. The
results are equal (tests/generate/diffusion/test_parity.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from retarget.generate.diffusion import attention
from retarget.generate.diffusion.attention import CROSS, SELF
from retarget.generate.diffusion.expression_adapter import ExpressionAdapter
from retarget.generate.diffusion.reference_adapter import Bank


@contextmanager
def published_scope(
    unet: Any, adapter: ExpressionAdapter, bank: Bank, tokens: torch.Tensor
) -> Iterator[None]:
    """Let `unet` compute in the published way inside the block; prompts are passed as usual.

    Args:
        unet: the UNet; called with the rows without conditions first.
        adapter: the expression adapter.
        bank: the input of each self-attention for the rows with conditions.
        tokens: (rows, n, width) expression tokens of every row.
    """
    own = {path: _BankAttention(bank[path]) for path in attention.layers(unet, SELF)} | {
        path: _TokenAttention(adapter, path, tokens) for path in attention.layers(unet, CROSS)
    }
    with attention.processors(unet, own):
        yield


class _BankAttention(torch.nn.Module):
    def __init__(self, bank: torch.Tensor) -> None:
        super().__init__()
        self._bank = bank

    def __call__(self, attn: Any, hidden_states: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        """(2n, pixels, channels) → the same."""
        plain, seeing = hidden_states.chunk(2)
        both = torch.cat([seeing, self._bank.expand(len(seeing), -1, -1)], dim=1)
        return torch.cat([_attend(attn, plain, plain), _attend(attn, seeing, both)])


class _TokenAttention(torch.nn.Module):
    def __init__(self, adapter: ExpressionAdapter, path: str, tokens: torch.Tensor) -> None:
        super().__init__()
        self._adapter, self._path, self._tokens = adapter, path, tokens

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        *_: Any,
        **__: Any,
    ) -> torch.Tensor:
        """(rows, pixels, channels) → the same."""
        query = attn.to_q(hidden_states)
        prompt = attention.project(attn, encoder_hidden_states)
        doing = self._adapter.project(self._path, self._tokens)
        seen = attention.attend(attn, query, prompt.key, prompt.value)
        seen = seen + attention.attend(attn, query, doing.key, doing.value)
        return attention.project_out(attn, seen)


def _attend(attn: Any, own: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    key_value = attention.project(attn, seen)
    return attention.project_out(
        attn, attention.attend(attn, attn.to_q(own), key_value.key, key_value.value)
    )
