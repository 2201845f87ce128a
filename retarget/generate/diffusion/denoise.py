"""From noise to a latent: the denoising loop over a batch of frames.

Everything constant over the steps is prepared in `Conditions`; the loop only calls the UNet and the
scheduler. Noise is an argument, and the noise of few-step schedulers is seeded per frame, so that a
frame does not depend on its batch.
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
"""Steps on which few-step networks were distilled, and so the most they can make."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Conditions:
    """The conditions of a batch of n frames."""

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
    """Classifier-free guidance scale; 1 is without guidance, at half the work."""
    expression_scale: float = 1.0
    """Weight of the attention to expression tokens."""
    strength: float = 1.0
    """Noise added to a given start: at 1 nothing of it is left, at 0.1 nearly all."""


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
        unet: the network.
        scheduler_config: of its training.
        graphs: records and replays passes; None: passes are not recorded.
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
        """Whether passes are recorded if possible."""
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
            conditions: the conditions of each frame.
            schedule: steps, guidance and scheduler.
            noise: (n, 4, h, w) standard normal numbers.
            start: (n, 4, h, w) scaled latents to begin from at the schedule's strength.
            seed: of the noise that few-step schedulers add between steps.
        """
        strength = 1.0 if start is None else schedule.strength
        scheduler, times = self.laid_out(schedule, strength=strength)
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
        """The noise predicted by one pass of the UNet, with guidance; inside `scope`."""
        rows = latents if guidance is None else torch.cat([latents, latents])
        if scheduler is not None:
            rows = scheduler.scale_model_input(rows, t)
        told = self.predict(rows.to(self._dtype), t)
        if guidance is None:
            return told
        without, with_ = told.chunk(2)
        return without + guidance * (with_ - without)

    def predict(self, rows: torch.Tensor, t: Any) -> torch.Tensor:
        """One pass of the UNet over (rows, 4, h, w), with the conditions in its attention."""
        return self._plain(rows, t) if self._recorded is None else self._recorded(rows, t)

    def _plain(self, rows: torch.Tensor, t: Any) -> torch.Tensor:
        nothing = rows.new_zeros(rows.shape[0], 1, 1)
        out: torch.Tensor = self._unet(rows, t, encoder_hidden_states=nothing, return_dict=False)[0]
        return out

    @contextmanager
    def scope(self, conditions: Conditions, schedule: Schedule, count: int) -> Iterator[None]:
        """Let the UNet attend to `conditions` inside the block, and restore it afterwards."""
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

        At a strength below 1 the same number of steps covers the last part of the schedule. The
        times are in the host's memory, as each look-up by the scheduler would wait for a device.

        Raises:
            UnknownWord: there is no such scheduler.
        """
        import diffusers

        if schedule.scheduler not in SCHEDULERS:
            raise UnknownWord("scheduler", schedule.scheduler, SCHEDULERS)
        kind = getattr(diffusers, SCHEDULERS[schedule.scheduler])
        made = kind.from_config(self._config, clip_sample=False)  # latents are not limited to -1..1
        if schedule.scheduler in ("lcm", "tcd"):
            # They use a subset of the distilled steps, of which the rest must contain enough.
            least = schedule.steps / TAUGHT_STEPS
            made.set_timesteps(schedule.steps, strength=max(strength, least))
            made.set_begin_index(0)
            return made, made.timesteps
        whole = max(schedule.steps, round(schedule.steps / strength))
        made.set_timesteps(whole)
        # The scheduler keeps the whole schedule, which identifies the last step.
        first = len(made.timesteps) - schedule.steps
        if first > 0 and hasattr(made, "set_begin_index"):
            made.set_begin_index(first)
        return made, made.timesteps[first:]

    @property
    def _dtype(self) -> torch.dtype:
        dtype: torch.dtype = next(iter(self._unet.parameters())).dtype
        return dtype


def _begin(
    scheduler: Any, times: torch.Tensor, noise: torch.Tensor, start: torch.Tensor | None
) -> torch.Tensor:
    """The first noisy latents, in float32, in which the scheduler computes."""
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
    """Keys and values of every row of the batch, or a single row for all of them."""
    own = (conditions.prompt, conditions.expression)[which][path]
    if not guided or conditions.without is None:
        return own
    without, own = conditions.without[which][path].rows(count), own.rows(count)
    return KeyValue(torch.cat([without.key, own.key]), torch.cat([without.value, own.value]))
