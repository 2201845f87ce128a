"""From noise to a latent: the denoising loop over a batch of frames.

Everything that does not change from step to step is prepared by `Conditions`; the loop itself
only asks the UNet and the scheduler. Noise is given, never drawn from a global state, and the
random part of a few-step scheduler is seeded per frame, so a frame does not depend on the batch
it was drawn in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from retarget.errors import UnknownWord
from retarget.generate.diffusion import attention
from retarget.generate.diffusion.attention import CROSS, KeyValue, Memory
from retarget.generate.diffusion.graphs import FixedPass, Graphs
from retarget.generate.diffusion.reference_adapter import Reference, ReferenceAdapter

SCHEDULERS = {
    "dpm": "DPMSolverMultistepScheduler",
    "lcm": "LCMScheduler",
    "tcd": "TCDScheduler",
    "ddim": "DDIMScheduler",
}

TAUGHT_STEPS = 50
"""Steps that few-step networks were distilled on; they cannot make more."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Conditions:
    """What a batch of n frames is drawn from."""

    prompt: Memory
    """Keys and values of the identity prompts: 1 or n rows."""
    expression: Memory
    """Of the expression tokens: 1 or n rows."""
    reference: Reference | None = None
    """Of the reference photos: 1 or n rows; None: drawn from identity and expression alone."""
    without: tuple[Memory, Memory] | None = None
    """(prompt, expression) of the rows without conditions, 1 row each; None: no guidance."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How a latent is denoised."""

    scheduler: str = "dpm"
    """dpm, lcm, tcd or ddim."""
    steps: int = 25
    """UNet passes per frame."""
    guidance: float = 3.0
    """How far to go beyond the conditions; 1 draws without guidance, at half the work."""
    expression_scale: float = 1.0
    """How strongly the expression tokens count."""
    strength: float = 1.0
    """How much noise a given start is drowned in: 1 forgets it, 0.1 barely touches it."""


def prompt_memory(unet: Any, tokens: torch.Tensor) -> Memory:
    """Keys and values of prompt tokens (n, 77, width) in every cross-attention layer."""
    with torch.no_grad():
        return {
            path: attention.project(layer, tokens)
            for path, layer in attention.layers(unet, CROSS).items()
        }


class Denoiser:
    """The denoising loop of one UNet.

    Args:
        unet: draws.
        scheduler_config: of the noise that it was trained on.
        graphs: records passes and replays them; None: every pass is made anew.
    """

    def __init__(
        self, unet: Any, scheduler_config: Mapping[str, Any], graphs: Graphs | None = None
    ) -> None:
        self._unet = unet
        self._config = dict(scheduler_config)
        self._graphs = graphs
        self._recorded: FixedPass | None = None

    @property
    def records(self) -> bool:
        """Whether passes are recorded where they can be."""
        return self._graphs is not None

    @torch.no_grad()
    def run(
        self,
        conditions: Conditions,
        schedule: Schedule,
        noise: torch.Tensor,
        *,
        start: torch.Tensor | None = None,
        seed: int = 0,
    ) -> torch.Tensor:
        """Final scaled latents (n, 4, h, w).

        Args:
            conditions: what to draw.
            schedule: how.
            noise: (n, 4, h, w) standard normal numbers.
            start: (n, 4, h, w) scaled latents to begin from at the schedule's strength.
            seed: of the noise that few-step schedulers add between steps.
        """
        scheduler, times = self.laid_out(schedule, strength=_strength(schedule, start))
        latents = _begin(scheduler, times, noise, start)
        draws = [torch.Generator().manual_seed(seed) for _ in range(noise.shape[0])]
        options = {"generator": draws} if schedule.scheduler in ("lcm", "tcd") else {}
        with self.scope(conditions, schedule, noise.shape[0]):
            for t in times:
                told = self.step(latents, t, scheduler, guidance=_guidance(conditions, schedule))
                latents = scheduler.step(told, t, latents, return_dict=False, **options)[0]
        return latents.to(noise.dtype)

    def step(
        self, latents: torch.Tensor, t: Any, scheduler: Any, *, guidance: float | None
    ) -> torch.Tensor:
        """The noise told by one pass of the UNet, guidance applied; inside `scope`."""
        rows = latents if guidance is None else torch.cat([latents, latents])
        if scheduler is not None:
            rows = scheduler.scale_model_input(rows, t)
        told = self.told(rows.to(self._dtype), t)
        if guidance is None:
            return told
        without, with_ = told.chunk(2)
        return without + guidance * (with_ - without)

    def told(self, rows: torch.Tensor, t: Any) -> torch.Tensor:
        """One pass of the UNet over (rows, 4, h, w); the conditions lie in its attention."""
        return self._plain(rows, t) if self._recorded is None else self._recorded(rows, t)

    def _plain(self, rows: torch.Tensor, t: Any) -> torch.Tensor:
        nothing = rows.new_zeros(rows.shape[0], 1, 1)
        out: torch.Tensor = self._unet(rows, t, encoder_hidden_states=nothing, return_dict=False)[0]
        return out

    @contextmanager
    def scope(self, conditions: Conditions, schedule: Schedule, count: int) -> Iterator[None]:
        """The UNet attends to `conditions` inside the block and is as it was afterwards."""
        guided = _guidance(conditions, schedule) is not None
        seeing = ReferenceAdapter.seeing(self._unet, conditions.reference, guided=guided)
        for path in conditions.prompt:
            seeing[path] = attention.CrossAttention(
                _rows(conditions, 0, path, count, guided),
                _rows(conditions, 1, path, count, guided),
                schedule.expression_scale,
            )
        recorded = None
        if self._graphs is not None:
            fixed = count, guided, schedule.expression_scale
            recorded = self._graphs.of(self._plain, seeing, fixed)
        before, self._recorded = self._recorded, recorded
        try:
            with attention.processors(self._unet, recorded.processors if recorded else seeing):
                yield
        finally:
            self._recorded = before

    def laid_out(self, schedule: Schedule, *, strength: float = 1.0) -> tuple[Any, torch.Tensor]:
        """A fresh scheduler, and the times of the steps to make.

        At a strength below 1 the same number of steps is spread over the last part of the way.
        The times lie in the host's memory, where the scheduler looks things up by them: were they
        on the device, every look would wait for it.

        Raises:
            UnknownWord: there is no such scheduler.
        """
        import diffusers

        if schedule.scheduler not in SCHEDULERS:
            raise UnknownWord("scheduler", schedule.scheduler, SCHEDULERS)
        kind = getattr(diffusers, SCHEDULERS[schedule.scheduler])
        made = kind.from_config(self._config, clip_sample=False)  # latents know no limits
        if schedule.scheduler in ("lcm", "tcd"):
            # They walk on the steps they were taught; a short way has to hold enough of those.
            least = schedule.steps / TAUGHT_STEPS
            made.set_timesteps(schedule.steps, strength=max(strength, least))
            made.set_begin_index(0)
            return made, made.timesteps
        whole = max(schedule.steps, round(schedule.steps / strength))
        made.set_timesteps(whole)
        # The scheduler keeps its whole way: it knows the last step by its place on it.
        first = len(made.timesteps) - schedule.steps
        if first > 0 and hasattr(made, "set_begin_index"):
            made.set_begin_index(first)
        return made, made.timesteps[first:]

    @property
    def _dtype(self) -> torch.dtype:
        dtype: torch.dtype = next(iter(self._unet.parameters())).dtype
        return dtype


def _strength(schedule: Schedule, start: torch.Tensor | None) -> float:
    return schedule.strength if start is not None else 1.0


def _begin(
    scheduler: Any, times: torch.Tensor, noise: torch.Tensor, start: torch.Tensor | None
) -> torch.Tensor:
    """The first noisy latents, in float32: the scheduler's sums are not done in half precision."""
    noise = noise.float()
    if start is None:
        began: torch.Tensor = noise * scheduler.init_noise_sigma
        return began
    first = times[:1].repeat(noise.shape[0])
    mixed: torch.Tensor = scheduler.add_noise(start.float(), noise, first)
    return mixed


def _guidance(conditions: Conditions, schedule: Schedule) -> float | None:
    return schedule.guidance if conditions.without and schedule.guidance != 1.0 else None


def _rows(conditions: Conditions, which: int, path: str, count: int, guided: bool) -> KeyValue:
    """Keys and values of every row of the batch; a single row stays one if it serves them all."""
    own = (conditions.prompt, conditions.expression)[which][path]
    if not guided or conditions.without is None:
        return own
    without, own = conditions.without[which][path].rows(count), own.rows(count)
    return KeyValue(torch.cat([without.key, own.key]), torch.cat([without.value, own.value]))
