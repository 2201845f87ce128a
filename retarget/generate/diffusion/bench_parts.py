"""Measure the parts of a frame, each by itself, on networks with random weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from retarget.flow import flame
from retarget.generate.diffusion.decode import Pixels
from retarget.generate.diffusion.denoise import Conditions, Denoiser, Schedule, prompt_memory
from retarget.generate.diffusion.measure import Cost
from retarget.generate.diffusion.published import published_scope
from retarget.generate.diffusion.random_networks import RandomNetworks
from retarget.generate.diffusion.reference_adapter import Bank, Reference, ReferenceAdapter

_STEP = 601
Timed = Callable[[Callable[[], object]], Cost]
_LARGE, _LARGE_ON_GPU = 2048, 8192


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The cost of each part of one frame."""

    step: Cost
    """One denoising step without guidance, with the photo's keys and values prepared."""
    guided_step: Cost
    published_step: Cost
    """One guided step that projects photo, prompt and expression again."""
    published_reference: Cost
    """Two passes of the network over the photo."""
    decode: Cost
    encode: Cost
    tiny_decode: Cost
    tiny_encode: Cost
    product: Cost
    """One large matrix product, the fastest work of the device."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A frame of random numbers, with the keys and values of its photo."""

    latent: torch.Tensor
    prompt: torch.Tensor
    bank: Bank
    reference: Reference
    conditions: Conditions


def subject_of(nets: RandomNetworks) -> Subject:
    """Random inputs for networks, and what is kept of the photo."""
    side, width = nets.unet.config.sample_size, nets.unet.config.cross_attention_dim
    latent, prompt = _random((1, 4, side, side), nets), _random((1, 77, width), nets)
    reader = ReferenceAdapter(nets.unet)
    reference, words = reader.prepare(latent, prompt), prompt_memory(nets.unet, prompt)
    nothing = torch.zeros(1, flame.COUNT, device=nets.device)
    doing = nets.expression.memory(nets.expression.tokens(nothing))
    return Subject(
        latent=latent,
        prompt=prompt,
        bank=reader.read(latent, prompt),
        reference=reference,
        conditions=Conditions(
            prompt=words, expression=doing, reference=reference, without=(words, doing)
        ),
    )


def measure(nets: RandomNetworks, subject: Subject, timed: Timed) -> Parts:
    """Measure every part by `timed`."""
    square = _square(nets)
    return Parts(
        **_steps(nets, subject, timed),
        **_pictures(nets, subject.latent, timed),
        product=timed(lambda: square @ square),
    )


def _steps(nets: RandomNetworks, subject: Subject, timed: Timed) -> dict[str, Cost]:
    """Passes of the network: ours and those of the published flow."""
    unet, latent = nets.unet, subject.latent
    doubled, prompts = latent.expand(2, -1, -1, -1), subject.prompt.expand(2, -1, -1)
    tokens = nets.expression.tokens(torch.zeros(2, flame.COUNT, device=nets.device))
    denoiser, told = Denoiser(unet, {}), {}
    with denoiser.scope(subject.conditions, Schedule(guidance=1.0), 1):
        told["step"] = timed(lambda: denoiser.predict(latent, _STEP))
    with denoiser.scope(subject.conditions, Schedule(guidance=3.0), 1):
        told["guided_step"] = timed(lambda: denoiser.predict(doubled, _STEP))
    with published_scope(unet, nets.expression, subject.bank, tokens):
        told["published_step"] = timed(lambda: unet(doubled, _STEP, encoder_hidden_states=prompts))
    reader = ReferenceAdapter(unet)
    told["published_reference"] = timed(lambda: reader.read(doubled, prompts))
    return told


def _pictures(nets: RandomNetworks, latent: torch.Tensor, timed: Timed) -> dict[str, Cost]:
    """Encoding and decoding by both autoencoders."""
    side = 8 * nets.unet.config.sample_size
    picture = torch.zeros(side, side, 3, dtype=torch.uint8).numpy()
    full, tiny = Pixels(nets.vae), Pixels(nets.tiny_vae)
    return {
        "decode": timed(lambda: full.decode(latent)),
        "encode": timed(lambda: full.encode([picture])),
        "tiny_decode": timed(lambda: tiny.decode(latent)),
        "tiny_encode": timed(lambda: tiny.encode([picture])),
    }


def _square(nets: RandomNetworks) -> torch.Tensor:
    """A matrix large enough to use the whole device."""
    side = _LARGE if nets.device.type == "cpu" else _LARGE_ON_GPU
    return _random((side, side), nets)


def _random(shape: tuple[int, ...], nets: RandomNetworks) -> torch.Tensor:
    seeded = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=seeded).to(nets.device, nets.dtype)
