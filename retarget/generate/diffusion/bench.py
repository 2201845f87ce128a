"""How fast: the parts of a frame at full size, added up for each quality and as published.

A frame is a sum of parts (steps, encoding, decoding), and a part's time does not depend on the
numbers in it. So each part is measured once on weights of the right size, random if there are no
others, and frames are added up from them; the result says so.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from io import StringIO
from itertools import count
from typing import Any, get_args

import torch

from retarget.flow.report import Report
from retarget.generate.diffusion.decode import Pixels
from retarget.generate.diffusion.denoise import Conditions, Denoiser, Schedule, prompt_memory
from retarget.generate.diffusion.device import choose_device, choose_dtype
from retarget.generate.diffusion.measure import Cost, cost
from retarget.generate.diffusion.published import published_scope
from retarget.generate.diffusion.random_networks import RandomNetworks, random_networks
from retarget.generate.diffusion.reference_adapter import Reference, ReferenceAdapter
from retarget.generate.diffusion.settings import DiffusionSettings, Quality

PUBLISHED_STEPS = 25
_STEP, _LARGE = 601, 2048


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What each part of a frame costs, for one frame."""

    step: Cost
    """One denoising step without guidance, the photo's keys and values at hand."""
    guided_step: Cost
    published_step: Cost
    """One guided step that projects photo, prompt and expression again."""
    published_reference: Cost
    """The photo through the network, twice over."""
    decode: Cost
    encode: Cost
    tiny_decode: Cost
    tiny_encode: Cost
    product: Cost
    """One large matrix product: the most that can be asked of the device."""


@dataclass(frozen=True, kw_only=True)
class FrameCost:
    """What a frame costs, added up from its parts."""

    seconds: float
    tera_flops: float
    gigabytes_at_16_bits: float
    """Weights and the largest moment of drawing, if every number took two bytes."""
    against_published: float
    """How many times faster than the published flow."""

    @property
    def frames_per_second(self) -> float:
        """Of computing time."""
        return 1.0 / self.seconds


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The outcome of a measurement."""

    machine: str
    device: str
    precision: str
    parts: Parts
    published: FrameCost
    qualities: dict[str, FrameCost]
    reference_megabytes: float
    """Keys and values of one photo."""
    utilisation: float
    """Arithmetic of a step per second, as a share of what a large matrix product reaches here."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        out = asdict(self)
        for name, quality in self.qualities.items():
            out["qualities"][name]["frames_per_second"] = quality.frames_per_second
        return {**out, "how": "frames added up from parts, each measured by itself"}


def bench(
    settings: DiffusionSettings,
    *,
    small: bool = False,
    repeats: int = 1,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Bench:
    """Measure on the settings' device and precision, with random weights.

    Args:
        settings: device and precision are used.
        small: a network of toy size, to see that the measurement works.
        repeats: times each part is timed; the shortest counts.
        progress: is told how many parts of how many are measured.
    """
    device = choose_device(settings.device)
    dtype = choose_dtype(device, settings.chosen().precision)
    nets = random_networks(device, dtype, small=small)
    with torch.inference_mode():
        reference, parts = _measure(nets, repeats, progress)
    published = _published(parts, nets)
    return Bench(
        machine=f"{platform.machine()}, {torch.get_num_threads()} threads",
        device=str(device),
        precision=str(dtype).removeprefix("torch."),
        parts=parts,
        published=published,
        qualities={
            name: _frame(DiffusionSettings(quality=name), parts, nets, reference, published)
            for name in get_args(Quality)
        },
        reference_megabytes=reference.bytes / 1e6,
        utilisation=_rate(parts.step) / _rate(parts.product),
    )


def bench_table(report: Report) -> str:
    """Measure on the fastest device that is here and say it as a table."""
    from rich.console import Console
    from rich.table import Table

    told = bench(DiffusionSettings(), progress=report.bar.advance)
    report.facts["bench"] = told.as_dict()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "steps/s", "frames/s", "TFLOP a frame", "GB at 16 bits", "x published"):
        table.add_column(heading, justify="right" if heading else "left")
    rows = {"published, 25 steps": (told.published, told.parts.published_step)}
    for name, frame in told.qualities.items():
        guided = DiffusionSettings(quality=name).chosen().guidance != 1.0  # type: ignore[arg-type]
        rows[name] = frame, told.parts.guided_step if guided else told.parts.step
    for name, (frame, step) in rows.items():
        numbers = [1 / step.seconds, frame.frames_per_second, frame.tera_flops]
        numbers += [frame.gigabytes_at_16_bits, frame.against_published]
        table.add_row(name, *[f"{n:.3g}" for n in numbers])
    text = StringIO()
    Console(file=text, width=100).print(table)
    return (
        f"{text.getvalue()}{told.device}, {told.precision}, {told.machine}; one frame at a time; "
        f"{told.utilisation:.0%} of what a large matrix product reaches here\n"
        "frames are added up from parts, each measured by itself on random weights of full size\n"
    )


def _measure(
    nets: RandomNetworks, repeats: int, progress: Callable[[int, int], None]
) -> tuple[Reference, Parts]:
    unet, side = nets.unet, nets.unet.config.sample_size
    latent = _random((1, 4, side, side), nets)
    prompt = _random((1, 77, unet.config.cross_attention_dim), nets)
    reader = ReferenceAdapter(unet)
    bank = reader.read(latent, prompt)
    reference = reader.prepare(latent, prompt)
    conditions = _conditions(nets, prompt, reference)
    doubled, prompts = latent.expand(2, -1, -1, -1), prompt.expand(2, -1, -1)
    tokens = nets.expression.tokens(torch.zeros(2, 55, device=nets.device))

    done = count(1)

    def timed(call: Callable[[], object]) -> Cost:
        told = cost(call, nets.device, repeats)
        progress(next(done), len(fields(Parts)))
        return told

    denoiser = Denoiser(unet, {})
    with denoiser.scope(conditions, Schedule(guidance=1.0), 1):
        step = timed(lambda: denoiser.told(latent, _STEP))
    with denoiser.scope(conditions, Schedule(guidance=3.0), 1):
        guided = timed(lambda: denoiser.told(doubled, _STEP))
    with published_scope(unet, nets.expression, bank, tokens):
        published = timed(lambda: unet(doubled, _STEP, encoder_hidden_states=prompts))
    read = timed(lambda: reader.read(doubled, prompts))
    full, tiny = Pixels(nets.vae), Pixels(nets.tiny_vae)
    square = _random((_LARGE, _LARGE), nets)
    picture = torch.zeros(8 * side, 8 * side, 3, dtype=torch.uint8).numpy()
    return reference, Parts(
        step=step,
        guided_step=guided,
        published_step=published,
        published_reference=read,
        decode=timed(lambda: full.decode(latent)),
        encode=timed(lambda: full.encode([picture])),
        tiny_decode=timed(lambda: tiny.decode(latent)),
        tiny_encode=timed(lambda: tiny.encode([picture])),
        product=timed(lambda: square @ square),
    )


def _conditions(nets: RandomNetworks, prompt: torch.Tensor, reference: Reference) -> Conditions:
    words = prompt_memory(nets.unet, prompt)
    doing = nets.expression.memory(nets.expression.tokens(torch.zeros(1, 55, device=nets.device)))
    return Conditions(prompt=words, expression=doing, reference=reference, without=(words, doing))


def _published(parts: Parts, nets: RandomNetworks) -> FrameCost:
    """The published flow does all of it for every frame."""
    costs = [parts.published_reference, parts.encode, parts.decode]
    costs += [parts.published_step] * PUBLISHED_STEPS
    # Its frozen copy of the UNet lies beside the one that draws.
    return _sum(costs, nets.bytes_of("unet", "unet", "text", "expression", "vae"), nets, 0.0, None)


def _frame(
    settings: DiffusionSettings,
    parts: Parts,
    nets: RandomNetworks,
    reference: Reference,
    published: FrameCost,
) -> FrameCost:
    """One frame with a guide: its picture is encoded, denoised and decoded."""
    chosen = settings.chosen()
    tiny = chosen.decoder == "tiny"
    costs = [parts.step if chosen.guidance == 1.0 else parts.guided_step] * chosen.steps
    costs += [parts.tiny_encode, parts.tiny_decode] if tiny else [parts.encode, parts.decode]
    weights = nets.bytes_of("unet", "text", "expression", "tiny_vae" if tiny else "vae")
    return _sum(costs, weights, nets, float(reference.bytes), published)


def _sum(
    costs: list[Cost],
    weights: float,
    nets: RandomNetworks,
    kept: float,
    published: FrameCost | None,
) -> FrameCost:
    seconds = sum(c.seconds for c in costs)
    moment = weights + kept + max(c.peak_bytes for c in costs)
    return FrameCost(
        seconds=seconds,
        tera_flops=sum(c.flops for c in costs) / 1e12,
        gigabytes_at_16_bits=moment * 2 / nets.dtype.itemsize / 1e9,
        against_published=published.seconds / seconds if published else 1.0,
    )


def _rate(part: Cost) -> float:
    return part.flops / part.seconds


def _random(shape: tuple[int, ...], nets: RandomNetworks) -> torch.Tensor:
    seeded = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=seeded).to(nets.device, nets.dtype)
