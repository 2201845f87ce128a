"""Networks of the published sizes with random weights, for measuring their cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

from retarget.flow import flame
from retarget.generate.diffusion import attention
from retarget.generate.diffusion.attention import CROSS, SELF
from retarget.generate.diffusion.expression_adapter import ExpressionAdapter

_TOKENS = 4
_SMALL: dict[str, Any] = {
    "sample_size": 8,
    "block_out_channels": (32, 64, 64, 64),
    "cross_attention_dim": 64,
    "norm_num_groups": 16,
}
_LARGE: dict[str, Any] = {"sample_size": 64, "cross_attention_dim": 768}


@dataclass(frozen=True, eq=False)
class RandomNetworks:
    """The networks of a frame."""

    unet: Any
    vae: Any
    tiny_vae: Any
    expression: ExpressionAdapter
    text: Any
    """Without numbers: it runs once per clip, so that only its size is measured."""
    device: torch.device
    dtype: torch.dtype

    def bytes_of(self, *parts: str) -> float:
        """Memory of the weights of these parts."""
        tensors = (p for part in parts for p in getattr(self, part).parameters())
        return float(sum(p.numel() for p in tensors) * self.dtype.itemsize)


@torch.no_grad()
def random_networks(
    device: torch.device, dtype: torch.dtype, *, small: bool = False
) -> RandomNetworks:
    """Stable Diffusion 1.5's networks, or toys of the same kind."""
    from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel

    channels = (16, 16, 32, 32) if small else (128, 256, 512, 512)
    wide = (8,) * 4 if small else (64,) * 4
    with torch.device("meta"):
        unet = UNet2DConditionModel(**(_SMALL if small else _LARGE))
        vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=channels,
            layers_per_block=2,
            norm_num_groups=min(channels[0], 32),
        )
        tiny = AutoencoderTiny(encoder_block_out_channels=wide, decoder_block_out_channels=wide)
        text = _text()
        expression = _expression(unet)
    for network in (unet, vae, tiny):
        network.eval().requires_grad_(False).to_empty(device=device)
        torch.nn.Module.to(network, dtype=dtype).to(memory_format=torch.channels_last)
        _fill(network.parameters())
    for layer in attention.layers(unet, SELF).values():
        layer.fuse_projections()
    for module in expression.modules():
        module.to_empty(device=device).to(dtype)
        _fill(module.parameters())
    return RandomNetworks(unet, vae, tiny, expression, text, device, dtype)


def _text() -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12
        )
    )


def _expression(unet: Any) -> ExpressionAdapter:
    from diffusers.models.embeddings import ImageProjection

    width = unet.config.cross_attention_dim
    pairs: dict[str, tuple[Any, Any]] = {}
    for path, layer in attention.layers(unet, CROSS).items():
        channels = layer.to_k.weight.shape[0]
        pairs[path] = (_to_token(width, channels), _to_token(width, channels))
    projection = ImageProjection(
        image_embed_dim=flame.COUNT, cross_attention_dim=width, num_image_text_embeds=_TOKENS
    )
    return ExpressionAdapter(projection, pairs, _TOKENS)


def _to_token(width: int, channels: int) -> torch.nn.Linear:
    return torch.nn.Linear(width, channels, bias=False)


def _fill(parameters: Iterable[torch.Tensor]) -> None:
    for parameter in parameters:
        parameter.uniform_(-0.02, 0.02)
