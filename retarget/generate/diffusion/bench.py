"""How fast: the parts of a frame at full size, added up for each quality and as published.

A frame is a sum of parts (steps, encoding, decoding), and a part's time does not depend on the
numbers in it. So each part is measured once on weights of the right size, random if there are no
others, and frames are added up from them; the result says so.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import count
from typing import Any, get_args

import torch

from retarget.flow import flame
from retarget.flow.plain_table import text_table
from retarget.flow.report import Report
from retarget.generate.diffusion.decode import Pixels
from retarget.generate.diffusion.denoise import Conditions, Denoiser, Schedule, prompt_memory
from retarget.generate.diffusion.device import choose_device, choose_dtype
from retarget.generate.diffusion.measure import Cost, cost
from retarget.generate.diffusion.memory import memory_watched
from retarget.generate.diffusion.published import published_scope
from retarget.generate.diffusion.random_networks import RandomNetworks, random_networks
from retarget.generate.diffusion.reference_adapter import Bank, Reference, ReferenceAdapter
from retarget.generate.diffusion.settings import DiffusionSettings, Quality
from retarget.generate.diffusion.sweep import (
    BATCHES,
    STEPS,
    Sweep,
    settings_at,
    sweep,
    sweep_table,
)

PUBLISHED_STEPS = 25
_STEP = 601
_Timed = Callable[[Callable[[], object]], Cost]
_LARGE, _LARGE_ON_GPU = 2048, 8192
_LAUNCHED = "every kernel was launched from Python; videos replay recorded passes, as --sweep\n"


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
    sweep: Sweep | None
    """Whole frames at several numbers of steps; None: not asked for."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        out = asdict(self)
        for name, quality in self.qualities.items():
            out["qualities"][name]["frames_per_second"] = quality.frames_per_second
        for number, drawn in enumerate(self.sweep.drawn if self.sweep else ()):
            out["sweep"]["drawn"][number]["frames_per_second"] = drawn.frames_per_second
        return {**out, "how": "frames added up from parts, each measured by itself"}


def bench(
    settings: DiffusionSettings,
    *,
    small: bool = False,
    sweeping: bool = False,
    repeats: int = 1,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Bench:
    """Measure on the settings' device and precision, with random weights.

    Args:
        settings: device and precision are used; compile and graphs for whole frames.
        small: a network of toy size, to see that the measurement works.
        sweeping: also draw whole frames at several numbers of steps and batch sizes.
        repeats: times each part is timed; the shortest counts.
        progress: is told how many parts of how many are measured.
    """
    device = choose_device(settings.device)
    dtype = choose_dtype(device, settings.chosen().precision)
    nets = random_networks(device, dtype, small=small)
    total = len(fields(Parts)) + sweeping * (len(STEPS) + 1) * len(BATCHES)
    numbers = count(1)

    def advance() -> None:
        progress(next(numbers), total)

    def timed(call: Callable[[], object]) -> Cost:
        told = cost(call, nets.device, repeats)
        advance()
        return told

    with torch.inference_mode():
        subject = _subject(nets)
        parts = _measure(nets, subject, timed)
        swept = sweep(nets, subject.conditions, settings, repeats, advance) if sweeping else None
    published = _published(parts, nets)
    return Bench(
        machine=f"{platform.machine()}, {torch.get_num_threads()} threads",
        device=str(device),
        precision=str(dtype).removeprefix("torch."),
        parts=parts,
        published=published,
        qualities=_qualities(parts, nets, subject.reference, published),
        reference_megabytes=subject.reference.bytes / 1e6,
        utilisation=_rate(parts.step) / _rate(parts.product),
        sweep=swept,
    )


def bench_table(
    report: Report, settings: DiffusionSettings, *, sweeping: bool = False, repeats: int = 1
) -> str:
    """Measure as `bench` does and say it as tables; the report has it as plain values."""
    with memory_watched(lambda: "Measure on a device with more memory."):
        told = bench(settings, sweeping=sweeping, repeats=repeats, progress=report.bar.advance)
    report.facts["bench"] = told.as_dict()
    headings = ("", "steps/s", "frames/s", "TFLOP a frame", "GB at 16 bits", "x published")
    text = (
        f"{text_table(headings, _rows(told))}{told.device}, {told.precision}, {told.machine}; one "
        f"frame at a time; {told.utilisation:.0%} of what a large matrix product reaches here\n"
        "frames are added up from parts, each measured by itself on random weights of full size\n"
        f"{_LAUNCHED if told.device.startswith('cuda') else ''}"
    )
    if told.sweep is None:
        return text
    flops = partial(_flops, settings=settings, parts=told.parts)
    return f"{text}\n{sweep_table(told.sweep, flops, _rate(told.parts.product))}"


def _rows(told: Bench) -> Iterator[list[str]]:
    rows = {"published, 25 steps": (told.published, told.parts.published_step)}
    for name, frame in told.qualities.items():
        guided = DiffusionSettings(quality=name).chosen().guidance != 1.0  # type: ignore[arg-type]
        rows[name] = frame, told.parts.guided_step if guided else told.parts.step
    for name, (frame, step) in rows.items():
        numbers = [1 / step.seconds, frame.frames_per_second, frame.tera_flops]
        numbers += [frame.gigabytes_at_16_bits, frame.against_published]
        yield [name, *(f"{n:.3g}" for n in numbers)]


def _flops(steps: int, settings: DiffusionSettings, parts: Parts) -> float:
    """Of a frame that is drawn in so many steps."""
    return sum(part.flops for part in _parts_of(settings_at(steps, settings), parts))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Subject:
    """One frame of random numbers, and what is kept of its photo."""

    latent: torch.Tensor
    prompt: torch.Tensor
    bank: Bank
    reference: Reference
    conditions: Conditions


def _subject(nets: RandomNetworks) -> _Subject:
    side, width = nets.unet.config.sample_size, nets.unet.config.cross_attention_dim
    latent, prompt = _random((1, 4, side, side), nets), _random((1, 77, width), nets)
    reader = ReferenceAdapter(nets.unet)
    reference, words = reader.prepare(latent, prompt), prompt_memory(nets.unet, prompt)
    nothing = torch.zeros(1, flame.COUNT, device=nets.device)
    doing = nets.expression.memory(nets.expression.tokens(nothing))
    return _Subject(
        latent=latent,
        prompt=prompt,
        bank=reader.read(latent, prompt),
        reference=reference,
        conditions=Conditions(
            prompt=words, expression=doing, reference=reference, without=(words, doing)
        ),
    )


def _measure(nets: RandomNetworks, subject: _Subject, timed: _Timed) -> Parts:
    square = _square(nets)
    return Parts(
        **_steps(nets, subject, timed),
        **_pictures(nets, subject.latent, timed),
        product=timed(lambda: square @ square),
    )


def _steps(nets: RandomNetworks, subject: _Subject, timed: _Timed) -> dict[str, Cost]:
    """Passes of the network, ours and the published ones."""
    unet, latent = nets.unet, subject.latent
    doubled, prompts = latent.expand(2, -1, -1, -1), subject.prompt.expand(2, -1, -1)
    tokens = nets.expression.tokens(torch.zeros(2, flame.COUNT, device=nets.device))
    denoiser, told = Denoiser(unet, {}), {}
    with denoiser.scope(subject.conditions, Schedule(guidance=1.0), 1):
        told["step"] = timed(lambda: denoiser.told(latent, _STEP))
    with denoiser.scope(subject.conditions, Schedule(guidance=3.0), 1):
        told["guided_step"] = timed(lambda: denoiser.told(doubled, _STEP))
    with published_scope(unet, nets.expression, subject.bank, tokens):
        told["published_step"] = timed(lambda: unet(doubled, _STEP, encoder_hidden_states=prompts))
    reader = ReferenceAdapter(unet)
    told["published_reference"] = timed(lambda: reader.read(doubled, prompts))
    return told


def _pictures(nets: RandomNetworks, latent: torch.Tensor, timed: _Timed) -> dict[str, Cost]:
    """Between pixels and latents, either way, by either autoencoder."""
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
    """A matrix whose product with itself keeps the device wholly at work."""
    side = _LARGE if nets.device.type == "cpu" else _LARGE_ON_GPU
    return _random((side, side), nets)


def _published(parts: Parts, nets: RandomNetworks) -> FrameCost:
    """The published flow does all of it for every frame."""
    costs = [parts.published_reference, parts.encode, parts.decode]
    costs += [parts.published_step] * PUBLISHED_STEPS
    # Its frozen copy of the UNet lies beside the one that draws.
    return _sum(costs, nets.bytes_of("unet", "unet", "text", "expression", "vae"), nets, 0.0, None)


def _qualities(
    parts: Parts, nets: RandomNetworks, reference: Reference, published: FrameCost
) -> dict[str, FrameCost]:
    """One frame of each with a guide: its picture is encoded, denoised and decoded."""
    out = {}
    for name in get_args(Quality):
        settings = DiffusionSettings(quality=name)
        decoder = "tiny_vae" if settings.chosen().decoder == "tiny" else "vae"
        weights = nets.bytes_of("unet", "text", "expression", decoder)
        costs = _parts_of(settings, parts)
        out[name] = _sum(costs, weights, nets, float(reference.bytes), published)
    return out


def _parts_of(settings: DiffusionSettings, parts: Parts) -> list[Cost]:
    """Everything that is done for a frame with a guide."""
    chosen = settings.chosen()
    steps = [parts.step if chosen.guidance == 1.0 else parts.guided_step] * chosen.steps
    if chosen.decoder == "tiny":
        return [parts.tiny_encode, *steps, parts.tiny_decode]
    return [parts.encode, *steps, parts.decode]


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
