"""The same numbers as the published implementation, on the same tiny weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from retarget.errors import RetargetError
from retarget.generate.diffusion.attention import processors
from retarget.generate.diffusion.decode import to_bytes
from retarget.generate.diffusion.denoise import Conditions, Schedule, prompt_memory
from retarget.generate.diffusion.load import Networks, load_networks
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.models.parts import ModelFolder

from . import tiny
from .cuda import on_cuda

Recorded = Mapping[str, npt.NDArray[np.generic]]
STEP, LATENTS, BYTES = 1e-5, 1e-5, 1
"""Largest difference of a tensor of one step, relative of final latents, of 8-bit pixels."""
PUBLISHED = Schedule(scheduler="dpm", steps=25, guidance=3.0)
SCALES = (0.0, 0.8, 1.0)


@pytest.fixture(scope="module", params=["cpu", pytest.param("cuda", marks=on_cuda)])
def networks(models: Path, request: pytest.FixtureRequest) -> Iterator[dict[float, Networks]]:
    """The networks at each scale of the reference adapter."""
    best = DiffusionSettings(quality="best", graphs="off")
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False  # the recorded numbers have all their 32 bits
    yield {
        scale: load_networks(
            replace(best, reference_scale=scale),
            ModelFolder(models),
            torch.device(request.param),
            torch.float32,
        )
        for scale in SCALES
    }
    torch.backends.cudnn.allow_tf32 = before


def far(got: torch.Tensor, wanted: npt.NDArray[np.generic]) -> float:
    return float(np.abs(got.cpu().numpy().astype(np.float64) - wanted).max())


def identity(nets: Networks, recorded: Recorded) -> torch.Tensor:
    return nets.text.of(torch.from_numpy(recorded["in/face_emb"]).to(nets.device))


def conditions(
    nets: Networks, recorded: Recorded, expression: int, reference: torch.Tensor | None
) -> Conditions:
    """As the recorded cases have them; one reference latent per frame."""
    prompt = identity(nets, recorded)
    nothing = nets.expression.tokens(torch.zeros(1, 55, device=nets.device))
    doing = nets.expression.tokens(tiny.expressions()[expression].to(nets.device))
    return Conditions(
        prompt=prompt_memory(nets.unet, prompt),
        expression=nets.expression.memory(doing),
        reference=None
        if reference is None
        else nets.reference.prepare(
            reference.to(nets.device), prompt.expand(len(reference), -1, -1)
        ),
        without=(
            prompt_memory(nets.unet, nets.text.empty()),
            nets.expression.memory(nothing),
        ),
    )


def of_step(recorded: Recorded) -> torch.Tensor:
    """The reference latent of the recorded step: the row that was drawn with conditions."""
    return torch.from_numpy(recorded["in/unet_latents"])[1:]


def of_sampling(recorded: Recorded, frames: int) -> torch.Tensor:
    """The reference latents of the recorded sampling cases, one per frame.

    The published code draws them from the autoencoder's distribution, a fresh one for every row
    of the guided batch, and the rows with conditions come second. Two rows were kept; with the
    noise they were drawn with, they say what the rows of a larger batch were.
    """
    kept = torch.from_numpy(recorded["in/ref_latents"]).double()
    noise = torch.randn((2 * frames, 4, 8, 8), generator=_seeded(1234)).double()
    spread = (kept[0] - kept[1]) / (noise[0] - noise[1])
    return (kept[0] + spread * (noise - noise[0]))[frames:].float()


def one_step(nets: Networks, recorded: Recorded, asked: Conditions) -> torch.Tensor:
    latents = torch.from_numpy(recorded["in/unet_latents"]).to(nets.device)
    with nets.denoiser.scope(asked, PUBLISHED, 1):
        return nets.denoiser.predict(latents, 601)


def test_the_prompts_are_those_of_the_published_encoder(
    networks: dict[float, Networks], recorded: Recorded
) -> None:
    nets = networks[0.8]
    assert far(identity(nets, recorded), recorded["prompt_embeds"]) < STEP
    assert far(nets.text.empty(), recorded["neg_prompt_embeds"]) < STEP


def test_several_identities_in_one_batch_are_each_as_if_alone(
    networks: dict[float, Networks], recorded: Recorded
) -> None:
    text = networks[0.8].text
    others = torch.nn.functional.normalize(torch.randn(2, 512, generator=_seeded(3)), dim=1)
    faces = torch.cat([torch.from_numpy(recorded["in/face_emb"]), others]).to(networks[0.8].device)
    together = text.of(faces)
    assert far(together[:1], recorded["prompt_embeds"]) < STEP
    for row in range(3):
        assert torch.allclose(together[row], text.of(faces[row : row + 1])[0], atol=STEP)


@pytest.mark.parametrize("which", range(3))
def test_expressions_become_the_same_tokens(
    networks: dict[float, Networks], recorded: Recorded, which: int
) -> None:
    adapter = networks[0.8].expression
    tokens = adapter.tokens(tiny.expressions()[which].to(networks[0.8].device))
    assert far(tokens[None], recorded[f"exp_tokens/{which}"]) < STEP


def test_every_self_attention_is_handed_the_same_picture_of_the_reference(
    networks: dict[float, Networks], recorded: Recorded
) -> None:
    nets = networks[0.0]
    prompt = identity(nets, recorded).expand(2, -1, -1)
    latents = torch.from_numpy(recorded["in/unet_latents"]).to(nets.device)
    bank = nets.reference.read(latents, prompt)
    wanted = {k.removeprefix("bank/"): v for k, v in recorded.items() if k.startswith("bank/")}
    assert {path.removesuffix(".attn1") for path in bank} == wanted.keys()
    for path, tensor in bank.items():
        assert far(tensor, wanted[path.removesuffix(".attn1")]) < STEP


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("with_reference", [False, True])
def test_one_guided_step_is_the_same(
    networks: dict[float, Networks], recorded: Recorded, scale: float, with_reference: bool
) -> None:
    nets = networks[scale]
    reference = of_step(recorded) if with_reference else None
    told = one_step(nets, recorded, conditions(nets, recorded, 0, reference))
    assert far(told, recorded[f"unet_step/lora{scale}_ref{int(with_reference)}"]) < STEP


@pytest.mark.parametrize(
    ("case", "frames", "seed", "expression", "expression_scale", "scale"),
    [
        ("uncond", 1, 0, 0, 1.0, 0.0),
        ("uncond_n2_exp05", 2, 1, 1, 0.5, 0.0),
        ("ref", 1, 0, 0, 1.0, 0.8),
        ("ref_exp1", 1, 0, 1, 1.0, 0.8),
        ("ref_n2_lora1", 2, 5, 2, 1.0, 1.0),
        ("ref_lora0", 1, 0, 0, 1.0, 0.0),
    ],
)
def test_twenty_five_steps_end_in_the_same_picture(
    networks: dict[float, Networks],
    recorded: Recorded,
    case: str,
    frames: int,
    seed: int,
    expression: int,
    expression_scale: float,
    scale: float,
) -> None:
    nets = networks[scale]
    reference = of_sampling(recorded, frames) if case.startswith("ref") else None
    final = nets.denoiser.run(
        conditions(nets, recorded, expression, reference),
        replace(PUBLISHED, expression_scale=expression_scale),
        torch.randn((frames, 4, 8, 8), generator=_seeded(seed)).to(nets.device),
    )
    unscaled, wanted = final / 0.18215, recorded[f"{case}/latents"]
    assert far(unscaled, wanted) < LATENTS * np.abs(wanted).max()
    pixels = nets.pixels.decode(final)
    assert far(pixels / 2 + 0.5, recorded[f"{case}/image_float"] / 2 + 0.5) < STEP
    assert far(to_bytes(pixels), recorded[f"{case}/image_u8"]) <= BYTES


Mistake = Callable[[Networks, Recorded], Conditions]


def at_step_one(nets: Networks, recorded: Recorded) -> Conditions:
    found = nets.unet.forward

    def late(rows: torch.Tensor, t: int, **told: object) -> object:
        return found(rows, 1 if t == 0 else t, **told)

    nets.unet.forward = late
    try:
        return conditions(nets, recorded, 0, of_step(recorded))
    finally:
        nets.unet.forward = found


def jaw_and_eyelids_swapped(nets: Networks, recorded: Recorded) -> Conditions:
    right = conditions(nets, recorded, 0, of_step(recorded))
    numbers = tiny.expressions()[0].to(nets.device)
    swapped = torch.cat([numbers[:, :50], numbers[:, 52:], numbers[:, 50:52]], dim=1)
    return replace(right, expression=nets.expression.memory(nets.expression.tokens(swapped)))


def two_adapter_layers_swapped(nets: Networks, recorded: Recorded) -> Conditions:
    right = conditions(nets, recorded, 0, of_step(recorded))
    first, second = list(right.expression)[4:6]
    assert right.expression[first].key.shape == right.expression[second].key.shape
    swapped = {first: right.expression[second], second: right.expression[first]}
    return replace(right, expression={**right.expression, **swapped})


def no_reference(nets: Networks, recorded: Recorded) -> Conditions:
    return conditions(nets, recorded, 0, None)


def zeros_for_no_expression(nets: Networks, recorded: Recorded) -> Conditions:
    right = conditions(nets, recorded, 0, of_step(recorded))
    zeros = torch.zeros_like(nets.expression.tokens(torch.zeros(1, 55, device=nets.device)))
    return replace(right, without=(right.without[0], nets.expression.memory(zeros)))


def zeros_for_the_empty_prompt(nets: Networks, recorded: Recorded) -> Conditions:
    right = conditions(nets, recorded, 0, of_step(recorded))
    zeros = torch.zeros_like(nets.text.empty())
    return replace(right, without=(prompt_memory(nets.unet, zeros), right.without[1]))


@pytest.mark.parametrize("grown", [float("inf"), float("nan")])
def test_numbers_that_outgrew_their_format_are_told_and_not_drawn(
    networks: dict[float, Networks], recorded: Recorded, grown: float
) -> None:
    latents = torch.from_numpy(recorded["in/unet_latents"]).clone()
    pixels = networks[0.8].pixels
    assert pixels.pictures(latents)
    latents[-1, 0, 0, 0] = grown
    with pytest.raises(RetargetError, match="there is no picture"):
        pixels.pictures(latents)


@pytest.mark.parametrize(
    ("mistake", "size"),
    [
        (at_step_one, 1.2e-2),
        (jaw_and_eyelids_swapped, 6.8e-2),
        (two_adapter_layers_swapped, 7.8e-2),
        (no_reference, 9.0e-2),
        (zeros_for_no_expression, 0.66),
        (zeros_for_the_empty_prompt, 0.83),
    ],
)
def test_a_mistake_of_conditions_would_be_seen(
    networks: dict[float, Networks], recorded: Recorded, mistake: Mistake, size: float
) -> None:
    nets = networks[0.8]
    seen = far(
        one_step(nets, recorded, mistake(nets, recorded)), recorded["unet_step/lora0.8_ref1"]
    )
    assert seen > 100 * STEP
    assert size / 3 < seen < size * 3  # as large as the published mistake's


def test_the_wrong_scale_of_the_reference_adapter_would_be_seen(
    networks: dict[float, Networks], recorded: Recorded
) -> None:
    wrong = networks[1.0]
    told = one_step(wrong, recorded, conditions(wrong, recorded, 0, of_step(recorded)))
    assert far(told, recorded["unet_step/lora0.8_ref1"]) > 1e-2


def test_rows_without_conditions_that_saw_the_reference_would_be_seen(
    networks: dict[float, Networks], recorded: Recorded
) -> None:
    nets = networks[0.8]
    asked = conditions(nets, recorded, 0, of_step(recorded))
    latents = torch.from_numpy(recorded["in/unet_latents"]).to(nets.device)
    with (
        nets.denoiser.scope(asked, PUBLISHED, 1),
        processors(nets.unet, nets.reference.seeing(nets.unet, asked.reference, guided=False)),
    ):
        told = nets.denoiser.predict(latents, 601)
    assert far(told, recorded["unet_step/lora0.8_ref1"]) > 1e-2


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
