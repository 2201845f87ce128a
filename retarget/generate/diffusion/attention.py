"""Attention to precomputed keys and values.

While a clip is drawn, the reference photo and the identity prompt are the same in every step of
every frame, and the expression in every step of a frame. Their keys and values are projected once
and kept; each step projects only those of the picture being drawn. The result is bit-identical.

A guided step draws every frame twice, first the rows without conditions and then the rows with
them (classifier-free guidance, Ho & Salimans, arXiv 2207.12598).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

SELF, CROSS = "attn1", "attn2"


@dataclass(frozen=True, eq=False)
class KeyValue:
    """Keys and values of one layer."""

    key: torch.Tensor
    """(rows, tokens, channels)."""
    value: torch.Tensor
    """(rows, tokens, channels)."""

    def rows(self, count: int) -> KeyValue:
        """The same for `count` rows; a single row is expanded without a copy."""
        if self.key.shape[0] == count:
            return self
        return KeyValue(self.key.expand(count, -1, -1), self.value.expand(count, -1, -1))

    @property
    def bytes(self) -> int:
        """Memory of both."""
        return sum(t.numel() * t.element_size() for t in (self.key, self.value))


Memory = Mapping[str, KeyValue]
"""Keys and values by the path of their attention layer."""


def stack(memories: Sequence[Memory]) -> Memory:
    """Several memories as rows of one; equal ones are stored once."""
    if all(m is memories[0] for m in memories):
        return memories[0]
    return {
        layer: KeyValue(
            torch.cat([m[layer].key for m in memories]),
            torch.cat([m[layer].value for m in memories]),
        )
        for layer in memories[0]
    }


def layers(unet: torch.nn.Module, kind: str) -> dict[str, Any]:
    """The attention layers of one kind (`SELF` or `CROSS`) by path, in the UNet's own order."""
    return {name: module for name, module in unet.named_modules() if name.endswith("." + kind)}


def project(layer: Any, tokens: torch.Tensor) -> KeyValue:
    """Keys and values of `tokens` (rows, n, channels) in one layer."""
    return KeyValue(layer.to_k(tokens), layer.to_v(tokens))


@contextmanager
def processors(unet: Any, new: Mapping[str, Any]) -> Iterator[None]:
    """Set attention processors, by layer path, inside the block; restore them afterwards."""
    modules = {path: unet.get_submodule(path) for path in new}
    found = {path: module.processor for path, module in modules.items()}
    try:
        for path, module in modules.items():
            _set(module, new[path])
        yield
    finally:
        for path, module in modules.items():
            _set(module, found[path])


class SelfAttention(torch.nn.Module):
    """Self-attention that also attends to a reference.

    With guidance the first half of the rows has no conditions and attends to itself only.
    """

    key: torch.Tensor
    value: torch.Tensor

    def __init__(self, reference: KeyValue, *, guided: bool) -> None:
        super().__init__()
        self.guided = guided
        self.register_buffer("key", reference.key, persistent=False)
        self.register_buffer("value", reference.value, persistent=False)

    def __call__(self, attn: Any, hidden_states: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        """(rows, pixels, channels) → the same."""
        query, key, value = _own(attn, hidden_states)
        rows = hidden_states.shape[0]
        plain = rows // 2 if self.guided else 0
        memory = KeyValue(self.key, self.value).rows(rows - plain)
        seen = attend(
            attn,
            query[plain:],
            torch.cat([key[plain:], memory.key], dim=1),
            torch.cat([value[plain:], memory.value], dim=1),
        )
        if plain:
            seen = torch.cat([attend(attn, query[:plain], key[:plain], value[:plain]), seen])
        return project_out(attn, seen)


class PlainSelfAttention(torch.nn.Module):
    """Self-attention without a reference, with fused projections if present."""

    def __call__(self, attn: Any, hidden_states: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        """(rows, pixels, channels) → the same."""
        return project_out(attn, attend(attn, *_own(attn, hidden_states)))


class RecordingSelfAttention(torch.nn.Module):
    """Self-attention that passes its input to `record`.

    It uses the separate weights, as the fused ones are a copy with the LoRA updates added.
    """

    def __init__(self, record: Callable[[torch.Tensor], None]) -> None:
        super().__init__()
        self._record = record

    def __call__(self, attn: Any, hidden_states: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        """(rows, pixels, channels) → the same."""
        self._record(hidden_states)
        own = attn.to_q(hidden_states), attn.to_k(hidden_states), attn.to_v(hidden_states)
        return project_out(attn, attend(attn, *own))


class CrossAttention(torch.nn.Module):
    """Attention to the prompt plus, decoupled, to the expression (arXiv 2308.06721)."""

    prompt_key: torch.Tensor
    prompt_value: torch.Tensor
    expression_key: torch.Tensor
    expression_value: torch.Tensor

    def __init__(self, prompt: KeyValue, expression: KeyValue, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("prompt_key", prompt.key, persistent=False)
        self.register_buffer("prompt_value", prompt.value, persistent=False)
        self.register_buffer("expression_key", expression.key, persistent=False)
        self.register_buffer("expression_value", expression.value, persistent=False)

    def __call__(self, attn: Any, hidden_states: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        """(rows, pixels, channels) → the same."""
        query = attn.to_q(hidden_states)
        rows = query.shape[0]
        prompt = KeyValue(self.prompt_key, self.prompt_value).rows(rows)
        seen = attend(attn, query, prompt.key, prompt.value)
        if self.scale:
            doing = KeyValue(self.expression_key, self.expression_value).rows(rows)
            seen = seen + self.scale * attend(attn, query, doing.key, doing.value)
        return project_out(attn, seen)


def attend(attn: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Scaled dot-product attention in the layer's heads; all (rows, tokens, channels)."""
    query, key, value = (
        t.view(*t.shape[:2], attn.heads, -1).transpose(1, 2) for t in (query, key, value)
    )
    return functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)


def _own(attn: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    if getattr(attn, "fused_projections", False):
        query, key, value = attn.to_qkv(x).chunk(3, dim=-1)
        return query, key, value
    return attn.to_q(x), attn.to_k(x), attn.to_v(x)


def project_out(attn: Any, seen: torch.Tensor) -> torch.Tensor:
    """The layer's output projection; (rows, pixels, channels) to the same."""
    out: torch.Tensor = attn.to_out[0](seen)
    return out


def _set(module: Any, processor: Any) -> None:
    # Attention.set_processor logs when a processor with weights is replaced; the adapter's are
    # put back, so the module registry is changed directly.
    module._modules.pop("processor", None)
    module.__dict__.pop("processor", None)
    module.processor = processor
