"""The adapters leave a UNet as they found it, and remember without changing what is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel

from retarget.errors import MissingModel, UnknownWord, WrongSetting
from retarget.generate.diffusion.attention import processors
from retarget.generate.diffusion.compiling import compile_blocks
from retarget.generate.diffusion.denoise import Conditions, Denoiser, Schedule, prompt_memory
from retarget.generate.diffusion.device import choose_dtype
from retarget.generate.diffusion.load import Networks, load_networks
from retarget.generate.diffusion.published import published_scope
from retarget.generate.diffusion.read_networks import load_unet
from retarget.generate.diffusion.reference_adapter import Reference, ReferenceAdapter
from retarget.generate.diffusion.settings import QUALITIES, DiffusionSettings
from retarget.models.parts import ModelFolder

from . import tiny

CPU = torch.device("cpu")
Backend = Callable[[torch.fx.GraphModule, object], Callable[..., object]]


@pytest.fixture(scope="module")
def nets(models: Path) -> Networks:
    settings = DiffusionSettings(quality="best")
    return load_networks(settings, ModelFolder(models), CPU, torch.float32)


@pytest.fixture(scope="module")
def prompt(nets: Networks) -> torch.Tensor:
    return nets.text.of(torch.nn.functional.normalize(seeded(1, 512), dim=1))


@pytest.fixture
def untouched(nets: Networks) -> Iterator[None]:
    weights = {k: v.clone() for k, v in nets.unet.state_dict().items()}
    found = dict(nets.unet.attn_processors)
    yield
    assert dict(nets.unet.attn_processors) == found
    assert all(torch.equal(v, weights[k]) for k, v in nets.unet.state_dict().items())


def seeded(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def conditions(nets: Networks, prompt: torch.Tensor, reference: Reference | None) -> Conditions:
    return Conditions(
        prompt=prompt_memory(nets.unet, prompt),
        expression=nets.expression.memory(nets.expression.tokens(tiny.expressions()[0])),
        reference=reference,
    )


@pytest.mark.usefixtures("untouched")
def test_preparing_a_photo_changes_nothing_and_can_be_repeated(
    nets: Networks, prompt: torch.Tensor
) -> None:
    latent = seeded(1, 4, 8, 8)
    first, second = (nets.reference.prepare(latent, prompt) for _ in range(2))
    assert len(first.memory) == 16
    for path, kept in first.memory.items():
        assert kept.key.shape == second.memory[path].key.shape
        assert torch.equal(kept.key, second.memory[path].key)
        assert torch.equal(kept.value, second.memory[path].value)


@pytest.mark.usefixtures("untouched")
def test_an_error_while_reading_leaves_the_unet_as_it_was(
    nets: Networks, prompt: torch.Tensor
) -> None:
    with pytest.raises(RuntimeError):
        nets.reference.prepare(seeded(1, 5, 8, 8), prompt)


@pytest.mark.usefixtures("untouched")
def test_an_error_while_drawing_leaves_the_unet_as_it_was(
    nets: Networks, prompt: torch.Tensor
) -> None:
    asked = conditions(nets, prompt, nets.reference.prepare(seeded(1, 4, 8, 8), prompt))
    with pytest.raises(RuntimeError):
        nets.denoiser.run(asked, Schedule(steps=2, guidance=1.0), seeded(1, 5, 8, 8))


def test_the_adapter_serves_any_unet_of_the_library_within_its_scope(
    nets: Networks, models: Path, prompt: torch.Tensor
) -> None:
    """Nothing but the scope is asked of the caller: a UNet from the library's own loader."""
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel.from_pretrained(models / "arc2face").eval()
    adapter = ReferenceAdapter(unet)
    found, rows = dict(unet.attn_processors), seeded(2, 4, 8, 8)
    alone = unet(rows, 601, prompt.expand(2, -1, -1)).sample
    reference = adapter.prepare(rows[:1], prompt)
    with processors(unet, adapter.seeing(unet, reference, guided=True)):
        guided = unet(rows, 601, prompt.expand(2, -1, -1)).sample
    with processors(unet, adapter.seeing(unet, reference, guided=False)):
        single = unet(rows[1:], 601, prompt).sample
    assert dict(unet.attn_processors) == found
    torch.testing.assert_close(guided[0], alone[0], atol=1e-5, rtol=0)  # no conditions, no photo
    assert (guided[1] - alone[1]).abs().max() > 1e-2
    torch.testing.assert_close(guided[1:], single, atol=1e-5, rtol=0)


def test_keys_and_values_kept_are_those_projected_in_every_step(
    nets: Networks, prompt: torch.Tensor
) -> None:
    latent, rows = seeded(1, 4, 8, 8), seeded(2, 4, 8, 8, seed=1)
    reference = nets.reference.prepare(latent, prompt)
    empty, nothing = nets.text.empty(), nets.expression.tokens(torch.zeros(1, 55))
    asked = replace(
        conditions(nets, prompt, reference),
        without=(prompt_memory(nets.unet, empty), nets.expression.memory(nothing)),
    )
    with nets.denoiser.scope(asked, Schedule(guidance=3.0), 1):
        kept = nets.denoiser.predict(rows, 601)
    with nets.reference._plain():
        bank = nets.reference.read(latent, prompt)
    tokens = torch.cat([nothing, nets.expression.tokens(tiny.expressions()[0])])
    with published_scope(nets.unet, nets.expression, bank, tokens):
        again = nets.unet(rows, 601, torch.cat([empty, prompt])).sample
    torch.testing.assert_close(kept, again, atol=2e-6, rtol=0)


def test_one_photo_serves_a_whole_batch_without_copies(
    nets: Networks, prompt: torch.Tensor
) -> None:
    one = nets.reference.prepare(seeded(1, 4, 8, 8), prompt)
    assert Reference.rows([one] * 4).memory is one.memory
    other = nets.reference.prepare(seeded(1, 4, 8, 8, seed=2), prompt)
    both = Reference.rows([one, other])
    path = next(iter(both.memory))
    assert both.memory[path].key.shape[0] == 2
    assert one.bytes == sum(kv.key.nbytes + kv.value.nbytes for kv in one.memory.values())


def test_scale_zero_draws_without_the_expression(nets: Networks, prompt: torch.Tensor) -> None:
    asked, rows = conditions(nets, prompt, None), seeded(1, 4, 8, 8)
    other = replace(
        asked, expression=nets.expression.memory(nets.expression.tokens(tiny.expressions()[1]))
    )
    for scale, same in ((0.0, True), (1.0, False)):
        told = []
        for conditions_ in (asked, other):
            with nets.denoiser.scope(conditions_, Schedule(expression_scale=scale), 1):
                told.append(nets.denoiser.predict(rows, 601))
        assert torch.equal(*told) is same


def test_few_step_noise_is_the_same_for_every_frame_of_a_batch(
    nets: Networks, prompt: torch.Tensor
) -> None:
    asked, noise = conditions(nets, prompt, None), seeded(1, 4, 8, 8).expand(3, -1, -1, -1)
    for scheduler in ("lcm", "tcd"):
        schedule = Schedule(scheduler=scheduler, steps=3, guidance=1.0)
        final = nets.denoiser.run(asked, schedule, noise, seed=5)
        torch.testing.assert_close(final, final[:1].expand_as(final), atol=1e-5, rtol=0)
        other = nets.denoiser.run(asked, schedule, noise, seed=6)
        assert (other - final).abs().max() > 1e-2


@pytest.mark.parametrize("scheduler", ["lcm", "tcd", "dpm", "ddim"])
@pytest.mark.parametrize("strength", [0.05, 0.5, 1.0])
def test_the_steps_asked_for_are_the_steps_made(
    nets: Networks, scheduler: str, strength: float
) -> None:
    """Whatever part of the way is left, and the last of them ends near no noise."""
    for steps in (1, 2, 4):
        schedule = Schedule(scheduler=scheduler, steps=steps, strength=strength)
        _, times = nets.denoiser.laid_out(schedule, strength=strength)
        assert len(times) == steps
        assert int(times[0]) <= 1000 * max(strength, steps / 50)


@pytest.mark.parametrize("scheduler", ["lcm", "tcd", "dpm", "ddim"])
@pytest.mark.parametrize("strength", [0.05, 0.5, 1.0])
@pytest.mark.parametrize("steps", [1, 3, 25])
def test_noise_told_without_error_leads_to_the_picture_it_was_laid_over(
    nets: Networks,
    prompt: torch.Tensor,
    monkeypatch: pytest.MonkeyPatch,
    scheduler: str,
    strength: float,
    steps: int,
) -> None:
    """Whatever scheduler, number of steps and part of the way."""
    wanted = seeded(1, 4, 8, 8)
    levels = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64)
    kept = torch.cumprod(1 - levels**2, dim=0).float()  # the schedule of Stable Diffusion 1.5

    def tell(rows: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        share = kept[int(t)]
        return (rows - share.sqrt() * wanted) / (1 - share).sqrt()

    monkeypatch.setattr(nets.denoiser, "predict", tell)
    schedule = Schedule(scheduler=scheduler, steps=steps, guidance=1.0, strength=strength)
    asked = conditions(nets, prompt, None)
    final = nets.denoiser.run(asked, schedule, seeded(1, 4, 8, 8, seed=1), start=wanted)
    left = float((1 - kept[0]).sqrt())  # some end at the first of the thousand levels
    assert (final - wanted).abs().max() < 5 * left


def test_a_start_is_kept_in_the_measure_that_the_strength_says(
    nets: Networks, prompt: torch.Tensor
) -> None:
    asked, start, noise = conditions(nets, prompt, None), seeded(1, 4, 8, 8), seeded(1, 4, 8, 8)
    moved = []
    for strength in (0.1, 0.4, 0.9):
        schedule = Schedule(scheduler="ddim", steps=4, guidance=1.0, strength=strength)
        final = nets.denoiser.run(asked, schedule, noise + 1, start=start)
        moved.append(float((final - start).abs().mean()))
    assert moved == sorted(moved)


def test_unknown_words_offer_the_nearest(nets: Networks) -> None:
    with pytest.raises(UnknownWord, match="dpm"):
        nets.denoiser.laid_out(Schedule(scheduler="dpmm"))
    with pytest.raises(UnknownWord, match="draft"):
        DiffusionSettings(quality="drafty")


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"guidance": 0.5}, {"batch": 10**6}, {"seed": -1}])
def test_a_setting_out_of_range_cannot_be_made(wrong: dict[str, int]) -> None:
    with pytest.raises(WrongSetting, match=next(iter(wrong))):
        DiffusionSettings(**wrong)


def test_single_options_lie_over_the_quality() -> None:
    for name, values in QUALITIES.items():
        chosen = DiffusionSettings(quality=name, steps=7).chosen()
        assert chosen.steps == 7
        assert all(getattr(chosen, k) == v for k, v in values.items() if k != "steps")


def test_a_few_step_scheduler_without_its_weights_says_so(models: Path) -> None:
    settings = DiffusionSettings(scheduler="tcd")
    with pytest.raises(MissingModel, match="tcd-lora"):
        load_networks(settings, ModelFolder(models), CPU, torch.float32)


def test_half_precision_is_taken_only_where_it_is_sound() -> None:
    assert choose_dtype(CPU, "full") == torch.float32
    assert choose_dtype(CPU, "half") in (torch.float32, torch.bfloat16)
    for gpu in ("mps", "cuda"):
        assert choose_dtype(torch.device(gpu), "half") == torch.float16


def test_half_precision_draws_nearly_the_same_step(models: Path, prompt: torch.Tensor) -> None:
    best, rows = DiffusionSettings(quality="best"), seeded(1, 4, 8, 8)
    told = []
    for dtype in (torch.float32, torch.bfloat16):
        nets = load_networks(best, ModelFolder(models), CPU, dtype)
        asked = conditions(nets, prompt.to(dtype), None)
        with nets.denoiser.scope(asked, Schedule(), 1):
            told.append(nets.denoiser.predict(rows.to(dtype), 601).float())
    assert (told[0] - told[1]).abs().max() < 0.1 * told[0].abs().max()


@pytest.fixture
def own_unet(models: Path) -> Iterator[UNet2DConditionModel]:
    """One that may be changed."""
    torch._dynamo.reset()
    yield load_unet(models / "arc2face")
    torch._dynamo.reset()


def compile_with(unet: UNet2DConditionModel, backend: Backend) -> list[str]:
    """Compile `unet` by a compiler of the test's own; what is told of it comes in the list."""
    told: list[str] = []
    compile_blocks(unet, told.append, backend)
    return told


def test_a_network_is_compiled_once_for_all_frames_and_not_for_the_photo(
    nets: Networks, own_unet: UNet2DConditionModel, prompt: torch.Tensor
) -> None:
    """New keys and values in every frame are no reason to compile again."""
    made: list[torch.fx.GraphModule] = []

    def keep(graph: torch.fx.GraphModule, _: object) -> Callable[..., object]:
        made.append(graph)
        return graph.forward

    adapter, scheduler = ReferenceAdapter(own_unet), nets.denoiser._config
    denoiser, asked, counted = Denoiser(own_unet, scheduler), [], []
    for seed in range(3):
        reference = adapter.prepare(seeded(1, 4, 8, 8, seed=seed), prompt)
        tokens = nets.expression.tokens(tiny.expressions()[seed])
        asked.append(
            Conditions(
                prompt=prompt_memory(own_unet, prompt),
                expression=nets.expression.memory(tokens),
                reference=reference,
            )
        )
    quick, noise = Schedule(scheduler="lcm", steps=2, guidance=1.0), seeded(1, 4, 8, 8)
    plain = [denoiser.run(conditions_, quick, noise) for conditions_ in asked]
    told = compile_with(own_unet, keep)
    adapter.prepare(seeded(1, 4, 8, 8), prompt)
    assert not made
    for conditions_, wanted in zip(asked, plain, strict=True):
        torch.testing.assert_close(denoiser.run(conditions_, quick, noise), wanted)
        counted.append(len(made))
    # As the network has them: channels and side of attention, and (in, out, side) of the others.
    attending = {(32, 8), (64, 4), (64, 2), (64, 1)}
    down = {(32, 32, 8), (32, 64, 4), (64, 64, 4), (64, 64, 2), (64, 64, 1)}
    up = {(128, 64, 1), (128, 64, 2), (128, 64, 4), (96, 64, 4), (96, 32, 8), (64, 32, 8)}
    least = len(attending) + len(down) + len(up)
    # One pixel wide, a tensor can be laid out in two ways that are the same.
    assert least <= counted[0] <= least + 1
    assert counted == counted[:1] * 3
    assert told == []


def test_a_compiler_that_fails_is_told_once_and_the_network_draws_as_it_is(
    nets: Networks, own_unet: UNet2DConditionModel, prompt: torch.Tensor
) -> None:
    tried = []

    def broken(*_: object) -> Callable[..., object]:
        tried.append(1)
        raise RuntimeError("no compiler was found")

    rows, tokens = seeded(1, 4, 8, 8), prompt
    plain = own_unet(rows, 601, tokens).sample
    told = compile_with(own_unet, broken)
    for _ in range(3):
        assert torch.equal(own_unet(rows, 601, tokens).sample, plain)
    assert len(tried) == len(told) == 1
    assert "could not be compiled" in told[0]
