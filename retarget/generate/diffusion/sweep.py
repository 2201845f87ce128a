"""Measure whole frames at several numbers of steps and batch sizes, and profile a pass.

Unlike the single parts of a frame, these are drawn as in a clip: a guide's pictures are encoded,
denoised and decoded, and the bytes copied to the host. Reading expressions, drawing the guide and
pasting run beside it on the CPU and are not included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from retarget.flow import flame
from retarget.flow.plain_table import text_table
from retarget.flow.quiet import quiet
from retarget.generate.diffusion.compiling import compile_blocks, uncompiled
from retarget.generate.diffusion.decode import Pixels, to_bytes
from retarget.generate.diffusion.denoise import Conditions, Denoiser, Schedule
from retarget.generate.diffusion.device import choose_graphs
from retarget.generate.diffusion.graphs import Graphs
from retarget.generate.diffusion.measure import device_peak, seconds_of
from retarget.generate.diffusion.random_networks import RandomNetworks
from retarget.generate.diffusion.settings import DiffusionSettings

STEPS, BATCHES = (25, 4, 2, 1), (1, 8)
_FEW = 8
"""The most steps with the other values of `standard`; above, those of `best`."""
_TIME = 601
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("convolutions", ("conv",)),
    ("attention", ("attention",)),
    ("matrix products", ("mm", "linear", "matmul")),
    ("norms", ("norm",)),
    ("copies", ("copy", "cat", "clone", "contiguous", "fill", "zero")),
)
"""Kinds of work, and parts of their operations' names; the first match counts."""
_REST = "element by element"


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Batches of frames drawn at one number of steps."""

    steps: int
    batch: int
    guided: bool
    """Whether every step has another row per frame, without conditions."""
    seconds: float
    """Wall time of one batch."""
    peak_bytes: float
    """Peak memory on the device: weights of all networks, keys and values, drawing."""

    @property
    def frames_per_second(self) -> float:
        """Frames drawn in a second."""
        return self.batch / self.seconds

    @property
    def steps_per_second(self) -> float:
        """Steps of single frames made in a second."""
        return self.steps * self.frames_per_second


@dataclass(frozen=True, kw_only=True)
class Passes:
    """One pass of the network for a batch of frames without guidance."""

    batch: int
    plain_seconds: float
    """Wall time, with every kernel launched from Python."""
    recorded_seconds: float | None
    """Wall time of a replay; None without recordings."""
    by_kind: dict[str, float]
    """Seconds that the device spends on each kind of work."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The result of a sweep."""

    drawn: tuple[Drawn, ...]
    passes: tuple[Passes, ...]
    notes: tuple[str, ...]
    """Features that could not be used, and why."""


def settings_at(steps: int, settings: DiffusionSettings) -> DiffusionSettings:
    """The settings a frame is drawn with at a number of steps."""
    quality = "standard" if steps <= _FEW else "best"
    precision = settings.chosen().precision
    return replace(settings, quality=quality, steps=steps, precision=precision)  # type: ignore[arg-type]


def sweep(
    nets: RandomNetworks,
    conditions: Conditions,
    settings: DiffusionSettings,
    repeats: int,
    done: Callable[[], None],
) -> Sweep:
    """Draw at every number of steps and batch size.

    Args:
        nets: the networks.
        conditions: of one frame, with and without guidance.
        settings: whether to compile and to use graphs.
        repeats: times each is timed; the shortest counts.
        done: called after every measurement.
    """
    notes: list[str] = []
    if settings.compile:
        compile_blocks(nets.unet, notes.append)

    def denoiser() -> Denoiser:
        recording = choose_graphs(nets.device, settings.graphs)
        return Denoiser(nets.unet, {}, Graphs(notes.append) if recording else None)

    drawn, passes = [], []
    for steps in STEPS:
        for batch in BATCHES:
            asked = settings_at(steps, settings)
            call = partial(_draw, nets, denoiser(), conditions, asked, batch)
            drawn.append(_drawn(call, nets, asked, batch, repeats))
            done()
    for batch in BATCHES:
        passes.append(_passes(nets, denoiser(), conditions, batch, repeats))
        done()
    return Sweep(drawn=tuple(drawn), passes=tuple(passes), notes=tuple(dict.fromkeys(notes)))


def _drawn(
    call: Callable[[], object],
    nets: RandomNetworks,
    settings: DiffusionSettings,
    batch: int,
    repeats: int,
) -> Drawn:
    weights = nets.bytes_of("unet", "expression", "vae", "tiny_vae")
    peak = device_peak(call, nets.device, weights)  # the first call, which compiles and records
    return Drawn(
        steps=settings.chosen().steps,
        batch=batch,
        guided=settings.chosen().guidance != 1.0,
        seconds=seconds_of(call, nets.device, repeats),
        peak_bytes=peak,
    )


def _draw(
    nets: RandomNetworks,
    denoiser: Denoiser,
    conditions: Conditions,
    settings: DiffusionSettings,
    batch: int,
) -> object:
    """One batch, from a guide's pictures to pictures on the host."""
    chosen, side = settings.chosen(), nets.unet.config.sample_size
    pixels = Pixels(nets.tiny_vae if chosen.decoder == "tiny" else nets.vae)
    start = pixels.encode([np.zeros((8 * side, 8 * side, 3), np.uint8)] * batch)
    expression = nets.expression.tokens(torch.zeros(batch, flame.COUNT, device=nets.device))
    latents = denoiser.run(
        replace(conditions, expression=nets.expression.memory(expression)),
        Schedule(
            scheduler=chosen.scheduler,
            steps=chosen.steps,
            guidance=chosen.guidance,
            strength=settings.strength,
        ),
        _noise(nets, batch),
        start=start,
    )
    return to_bytes(pixels.decode(latents)).cpu()


def _passes(
    nets: RandomNetworks, recording: Denoiser, conditions: Conditions, batch: int, repeats: int
) -> Passes:
    """Wall time of a pass, plain and recorded, and its profile."""
    rows = _noise(nets, batch).to(nets.dtype)
    plain, schedule = Denoiser(nets.unet, {}), Schedule(guidance=1.0)

    def timed(denoiser: Denoiser) -> float:
        with denoiser.scope(conditions, schedule, batch):
            denoiser.predict(rows, _TIME)
            return seconds_of(lambda: denoiser.predict(rows, _TIME), nets.device, repeats)

    with uncompiled(nets.unet), plain.scope(conditions, schedule, batch):
        by_kind = where_time_goes(lambda: plain.predict(rows, _TIME), nets.device)
    return Passes(
        batch=batch,
        plain_seconds=timed(plain),
        recorded_seconds=timed(recording) if recording.records else None,
        by_kind=by_kind,
    )


def where_time_goes(call: Callable[[], object], device: torch.device) -> dict[str, float]:
    """Seconds of one call by kind of work: of the GPU's kernels with CUDA, else of the host.

    The call is made once before, so that one-time work is not counted.
    """
    on_gpu = device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    call()
    with quiet(), profile(activities=activities) as told:
        call()
        if on_gpu:
            torch.cuda.synchronize(device)
    seconds = dict.fromkeys([*(kind for kind, _ in _KINDS), _REST], 0.0)
    for event in told.key_averages():
        if event.key.startswith("aten::"):  # the kernels that they launch are listed beside them
            spent = event.self_device_time_total if on_gpu else event.self_cpu_time_total
            seconds[_kind(event.key)] += spent / 1e6
    return seconds


def _kind(operation: str) -> str:
    for kind, words in _KINDS:
        if any(word in operation for word in words):
            return kind
    return _REST


def _noise(nets: RandomNetworks, batch: int) -> torch.Tensor:
    side = nets.unet.config.sample_size
    noise = torch.randn((1, 4, side, side), generator=torch.Generator().manual_seed(0))
    return noise.to(nets.device).expand(batch, -1, -1, -1)


def sweep_table(told: Sweep, flops: Callable[[int], float], most: float) -> str:
    """The results as two tables.

    Args:
        told: the results.
        flops: floating-point operations of a frame at a number of steps.
        most: those per second of a large matrix product.
    """
    headings = ("steps", "batch", "guidance", "steps/s", "frames/s", "TFLOP/s", "used", "GB")
    frames = text_table(headings, (_row(drawn, flops(drawn.steps), most) for drawn in told.drawn))
    passes = text_table(("one pass, ms", *(f"batch {p.batch}" for p in told.passes)), _times(told))
    notes = "".join(f"{note}\n" for note in told.notes)
    return (
        f"{frames}whole frames: encoded, denoised, decoded, brought to the host; used: of what a "
        f"large matrix product reaches\n\n{passes}{notes}"
    )


def _row(drawn: Drawn, flops: float, most: float) -> list[str]:
    rate = flops * drawn.frames_per_second
    numbers = [drawn.steps_per_second, drawn.frames_per_second, rate / 1e12]
    return [
        str(drawn.steps),
        str(drawn.batch),
        "yes" if drawn.guided else "no",
        *(f"{n:.3g}" for n in numbers),
        f"{rate / most:.0%}",
        f"{drawn.peak_bytes / 1e9:.2g}",
    ]


def _times(told: Sweep) -> Iterator[list[str]]:
    def line(name: str, seconds: list[float | None]) -> list[str]:
        return [name, *("" if s is None else f"{1e3 * s:.3g}" for s in seconds)]

    yield line("by the clock", [p.plain_seconds for p in told.passes])
    if any(p.recorded_seconds for p in told.passes):
        yield line("by the clock, recorded", [p.recorded_seconds for p in told.passes])
    yield line("at work", [sum(p.by_kind.values()) for p in told.passes])
    for kind in told.passes[0].by_kind:
        yield line(f"  {kind}", [p.by_kind[kind] for p in told.passes])
