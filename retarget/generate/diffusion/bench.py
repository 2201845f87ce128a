"""Speed of a frame at full size, as the sum of its parts, for each quality and as published.

The time of a part (a step, encoding, decoding) does not depend on the weights. So each part is
measured once with random weights of the right size, and frames are sums of them; the result says
so.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import count
from typing import Any, get_args

import torch

from retarget.flow.plain_table import text_table
from retarget.flow.report import Report
from retarget.generate.diffusion.bench_parts import Parts, measure, subject_of
from retarget.generate.diffusion.device import choose_device, choose_dtype
from retarget.generate.diffusion.measure import Cost, cost
from retarget.generate.diffusion.memory import memory_watched
from retarget.generate.diffusion.random_networks import RandomNetworks, random_networks
from retarget.generate.diffusion.reference_adapter import Reference
from retarget.generate.diffusion.settings import DiffusionSettings, Quality
from retarget.generate.diffusion.sweep import BATCHES, STEPS, Sweep, settings_at, sweep, sweep_table

PUBLISHED_STEPS = 25
_LAUNCHED = "every kernel was launched from Python; videos replay recorded passes, as --sweep\n"


@dataclass(frozen=True, kw_only=True)
class FrameCost:
    """The cost of a frame, the sum of its parts."""

    seconds: float
    tera_flops: float
    gigabytes_at_16_bits: float
    """Weights and the peak of drawing, with two bytes per number."""
    against_published: float
    """Speed relative to the published flow."""

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
    """Operations per second of a step, relative to a large matrix product."""
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
        small: use tiny networks, for tests.
        sweeping: also draw whole frames at several numbers of steps and batch sizes.
        repeats: times each part is timed; the shortest counts.
        progress: called with the number of measured parts and the total.
    """
    device = choose_device(settings.device)
    dtype = choose_dtype(device, settings.chosen().precision)
    nets = random_networks(device, dtype, small=small)
    total = len(fields(Parts)) + sweeping * (len(STEPS) + 1) * len(BATCHES)
    numbers = count(1)

    def advance() -> None:
        progress(next(numbers), total)

    def timed(call: Callable[[], object]) -> Cost:
        measured = cost(call, nets.device, repeats)
        advance()
        return measured

    with torch.inference_mode():
        subject = subject_of(nets)
        parts = measure(nets, subject, timed)
        swept = sweep(nets, subject.conditions, settings, repeats, advance) if sweeping else None
    return _outcome(nets, parts, subject.reference, swept)


def _outcome(
    nets: RandomNetworks, parts: Parts, reference: Reference, swept: Sweep | None
) -> Bench:
    published = _published(parts, nets)
    return Bench(
        machine=f"{platform.machine()}, {torch.get_num_threads()} threads",
        device=str(nets.device),
        precision=str(nets.dtype).removeprefix("torch."),
        parts=parts,
        published=published,
        qualities=_qualities(parts, nets, reference, published),
        reference_megabytes=reference.bytes / 1e6,
        utilisation=_rate(parts.step) / _rate(parts.product),
        sweep=swept,
    )


def bench_table(
    report: Report, settings: DiffusionSettings, *, sweeping: bool = False, repeats: int = 1
) -> str:
    """Measure with `bench` and return tables; the report gets plain values."""
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
    """Operations of a frame with so many steps."""
    return sum(part.flops for part in _parts_of(settings_at(steps, settings), parts))


def _published(parts: Parts, nets: RandomNetworks) -> FrameCost:
    """A frame of the published flow, which repeats everything for every frame."""
    costs = [parts.published_reference, parts.encode, parts.decode]
    costs += [parts.published_step] * PUBLISHED_STEPS
    # It keeps a frozen copy of the UNet beside the one that draws.
    return _sum(costs, nets.bytes_of("unet", "unet", "text", "expression", "vae"), nets, 0.0, None)


def _qualities(
    parts: Parts, nets: RandomNetworks, reference: Reference, published: FrameCost
) -> dict[str, FrameCost]:
    """A frame of each quality with a guide: encoded, denoised and decoded."""
    out = {}
    for name in get_args(Quality):
        settings = DiffusionSettings(quality=name)
        decoder = "tiny_vae" if settings.chosen().decoder == "tiny" else "vae"
        weights = nets.bytes_of("unet", "text", "expression", decoder)
        costs = _parts_of(settings, parts)
        out[name] = _sum(costs, weights, nets, float(reference.bytes), published)
    return out


def _parts_of(settings: DiffusionSettings, parts: Parts) -> list[Cost]:
    """The parts of a frame with a guide."""
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
