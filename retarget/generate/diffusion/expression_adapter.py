"""The expression: FLAME parameters through a cross-attention adapter.

The adapter (arXiv 2510.04706) is an IP-Adapter (Ye et al., arXiv 2308.06721): a small projection
turns 55 FLAME parameters into a few tokens, and every cross-attention layer of the UNet has a
second pair of key and value matrices for them. The published file is read with diffusers' own
IP-Adapter loader; the number of tokens follows from the shapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from retarget.errors import MissingModel
from retarget.flow import flame
from retarget.generate.diffusion.attention import CROSS, KeyValue, Memory, layers
from retarget.generate.diffusion.files import read_pickle, read_tensors

_PARTS = ("image_proj", "ip_adapter")
_DO = "Use the published exp_adapter/exp_adapter.bin with the UNet it was made for."


class ExpressionAdapter:
    """The projection to tokens, and each layer's keys and values for them."""

    def __init__(
        self, projection: torch.nn.Module, to_key_value: Mapping[str, tuple[Any, Any]], tokens: int
    ) -> None:
        self.projection = projection
        self._to_key_value = to_key_value
        self.token_count = tokens

    @classmethod
    def load(cls, path: Path, unet: Any) -> ExpressionAdapter:
        """Read the published file for `unet`, which is restored afterwards.

        Raises:
            MissingModel: the file is damaged or was made for another UNet or other parameters.
        """
        state = _read(path)
        count = _check(state, unet, path)
        image_proj = dict(state["image_proj"])
        found, projection = dict(unet.attn_processors), unet.encoder_hid_proj
        kind = unet.config.encoder_hid_dim_type
        try:
            attention = unet._convert_ip_adapter_attn_to_diffusers([state], low_cpu_mem_usage=False)
            project = _projection(unet, image_proj, count)
        except (RuntimeError, KeyError) as wrong:
            raise MissingModel(f"{path} does not fit this UNet.", do=_DO) from wrong
        finally:
            unet.set_attn_processor(found)
            unet.encoder_hid_proj = projection
            unet.config.encoder_hid_dim_type = kind
        pairs = {
            name.removesuffix(".processor"): (made.to_k_ip[0], made.to_v_ip[0])
            for name, made in attention.items()
            if hasattr(made, "to_k_ip")
        }
        return cls(project.eval(), pairs, count)

    def to(self, device: torch.device, dtype: torch.dtype) -> ExpressionAdapter:
        """The same adapter on a device, in a precision."""
        for module in self.modules():
            module.to(device, dtype)
        return self

    def modules(self) -> list[torch.nn.Module]:
        """The projection and every layer's two matrices."""
        return [self.projection, *(m for pair in self._to_key_value.values() for m in pair)]

    @torch.no_grad()
    def tokens(self, parameters: torch.Tensor) -> torch.Tensor:
        """(n, 55) FLAME parameters → (n, tokens, width).

        Rows without conditions use the tokens of 55 zeros, which are not zero.
        """
        weight = next(self.projection.parameters())
        out: torch.Tensor = self.projection(parameters.to(weight))
        return out.reshape(parameters.shape[0], self.token_count, -1)

    @torch.no_grad()
    def memory(self, tokens: torch.Tensor) -> Memory:
        """Keys and values of `tokens` (n, tokens, width) in every cross-attention layer."""
        return {layer: self.project(layer, tokens) for layer in self._to_key_value}

    def project(self, layer: str, tokens: torch.Tensor) -> KeyValue:
        """Keys and values of `tokens` (n, tokens, width) in one layer."""
        to_key, to_value = self._to_key_value[layer]
        return KeyValue(to_key(tokens), to_value(tokens))

    def parameters(self) -> list[torch.nn.Parameter]:
        """Every weight."""
        return [p for module in self.modules() for p in module.parameters()]


def _read(path: Path) -> dict[str, dict[str, torch.Tensor]]:
    if path.suffix == ".safetensors":
        state: dict[str, dict[str, torch.Tensor]] = {}
        for name, tensor in read_tensors(path).items():
            part, _, rest = name.partition(".")
            state.setdefault(part, {})[rest] = tensor
    else:
        state = read_pickle(path)
    if not isinstance(state, dict) or not all(_holds_tensors(state.get(p)) for p in _PARTS):
        raise MissingModel(
            f"{path} is not an IP-Adapter: image_proj or ip_adapter holds no tensors.", do=_DO
        )
    return {part: state[part] for part in _PARTS}


def _holds_tensors(part: Any) -> bool:
    return isinstance(part, dict) and all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in part.items()
    )


def _check(state: Mapping[str, Mapping[str, torch.Tensor]], unet: Any, path: Path) -> int:
    """The number of tokens, after a check that every layer has matrices of its size."""
    proj, width = state["image_proj"], unet.config.cross_attention_dim
    first, last = (
        (("proj.weight",) * 2) if "proj.weight" in proj else ("proj.0.weight", "proj.2.weight")
    )
    if first not in proj or last not in proj or "norm.weight" not in proj:
        raise MissingModel(
            f"{path} projects expressions in an unknown way: {min(proj, default='')!r}.", do=_DO
        )
    inputs, outputs = proj[first].shape[1], proj[last].shape[0]
    if inputs != flame.COUNT or outputs % width or proj["norm.weight"].shape != (width,):
        raise MissingModel(
            f"{path} turns {inputs} numbers into {outputs}; this UNet wants {flame.COUNT} into a "
            f"multiple of {width}.",
            do=_DO,
        )
    _check_layers(state["ip_adapter"], unet, path)
    return int(outputs // width)


def _check_layers(pairs: Mapping[str, torch.Tensor], unet: Any, path: Path) -> None:
    cross = layers(unet, CROSS)
    expected: dict[str, tuple[int, int]] = {}
    for number, name in enumerate(unet.attn_processors):
        layer = cross.get(name.removesuffix(".processor"))
        if layer is not None:
            shape = (layer.to_k.weight.shape[0], unet.config.cross_attention_dim)
            expected |= {f"{number}.to_{kv}_ip.weight": shape for kv in "kv"}
    if {name: tuple(tensor.shape) for name, tensor in pairs.items()} != expected:
        raise MissingModel(
            f"{path} was made for another UNet: {len(pairs)} matrices where {len(expected)} of "
            "this UNet's sizes are wanted.",
            do=_DO,
        )


def _projection(unet: Any, state: dict[str, torch.Tensor], tokens: int) -> torch.nn.Module:
    made: torch.nn.Module
    if "proj.weight" not in state:
        made = unet._convert_ip_adapter_image_proj_to_diffusers(state, low_cpu_mem_usage=False)
        return made
    # diffusers assumes four tokens for a single linear layer; the shapes give the number.
    from diffusers.models.embeddings import ImageProjection

    made = ImageProjection(
        image_embed_dim=flame.COUNT,
        cross_attention_dim=unet.config.cross_attention_dim,
        num_image_text_embeds=tokens,
    )
    made.load_state_dict({k.replace("proj", "image_embeds"): v for k, v in state.items()})
    return made
