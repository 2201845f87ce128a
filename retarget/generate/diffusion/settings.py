"""Settings of the diffusion generator: qualities, and options that override their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from retarget.flow.declared import AsDeclared, Kept, check_range

Quality = Literal["draft", "standard", "best"]
Scheduler = Literal["lcm", "dpm", "tcd", "ddim"]
Decoder = Literal["tiny", "full"]
Precision = Literal["half", "full"]
Device = Literal["auto", "cpu", "cuda", "mps"]
WithGraphs = Literal["auto", "on", "off"]

QUALITIES: Mapping[str, Mapping[str, Any]] = {
    "draft": {
        "steps": 2, "guidance": 1.0, "scheduler": "lcm", "decoder": "tiny", "precision": "half",
    },
    "standard": {
        "steps": 3, "guidance": 1.0, "scheduler": "lcm", "decoder": "tiny", "precision": "half",
    },
    "best": {
        "steps": 25, "guidance": 3.0, "scheduler": "dpm", "decoder": "full", "precision": "full",
    },
}  # fmt: skip
"""The values of each quality. `best` is the published setting. With a guide the steps cover only
the last part of the schedule, by `strength`: three are as dense as six from noise.
"""

MOST_STEPS, MOST_FEW_STEPS, MOST_FRAMES, MOST_PHOTOS = 200, 50, 64, 16


@dataclass(frozen=True, kw_only=True)
class DiffusionSettings(AsDeclared):
    """How faces are drawn by diffusion."""

    quality: Quality = "standard"
    """draft, standard or best: a set of values for the five options that follow."""
    steps: int | None = None
    """Denoising steps per frame."""
    guidance: float | None = None
    """Classifier-free guidance scale; 1 means without guidance and takes half the time."""
    scheduler: Scheduler | None = None
    """lcm and tcd need 2 to 8 steps, dpm and ddim 20 to 50."""
    decoder: Decoder | None = None
    """tiny decodes in a tenth of the time, full keeps the finest detail."""
    precision: Precision | None = None
    """half uses 16 bits a number where the device supports it well; full uses 32."""
    expression_scale: float = 1.0
    """Strength of the expression, 0 to 2."""
    reference_scale: float = 0.8
    """How closely the photo's look is kept, 0 to 1.5; from 1 on its own expression is kept, too."""
    guided: bool = True
    """Begin from the warp generator's picture of the same frame, so that pose, gaze, hair and
    background follow; off: begin from noise. Which is better was not measured:
    `retarget evaluate --compare` measures both on your clip."""
    strength: float = 0.5
    """How much of a guiding picture is redrawn, 0.05 to 1."""
    warm_start: float = 0.0
    """Unguided: begin from the frame before, redrawn this much (0.3 to 0.5); 0: from noise."""
    anchor_every: int = 24
    """With a warm start: begin every so many frames from the shot's first frame again."""
    expression: Literal["auto", "pixels", "weights"] = "auto"
    """Read the expression from the driving pixels, or use the 52 weights; auto: if available."""
    pixel_order: Literal["rgb", "bgr"] = "rgb"
    """The expression encoder's order of colours; the published demo uses bgr."""
    seed: int = 0
    """Seed of all noise: the same seed and frame give the same picture."""
    batch: int = 4
    """Frames drawn at once; affects speed and memory, and pixels by at most 1 of 255."""
    device: Device = "auto"
    """cpu, cuda or mps; auto takes the fastest one."""
    compile: bool = False
    """Compile the network first: minutes at the start, faster frames after; for long clips."""
    graphs: WithGraphs = "auto"
    """Record passes of the network as CUDA graphs, which saves the launching of some 800 kernels a
    pass. auto: with CUDA; a replay with other results is not used. off: saves the memory of a
    pass. on: refuse without CUDA."""
    photos: Kept[tuple[Path, ...]] = ()
    """More photos of the same person, whose identity vectors are averaged with the first."""
    base: Kept[Path] | None = None
    """Another network of the Stable Diffusion 1.5 family, drawn with instead: its folder, or its
    pipeline's, as the library diffusers lays them out."""
    loras: Kept[tuple[Path, ...]] = ()
    """LoRA files for the network, such as a style; made for Stable Diffusion 1.5."""
    lora_scale: float = 1.0
    """Strength of the LoRAs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        chosen = self.chosen()
        check_range("steps", chosen.steps, 1, MOST_STEPS)
        check_range("guidance", chosen.guidance, 1.0, 30.0)
        check_range("expression_scale", self.expression_scale, 0.0, 2.0)
        check_range("reference_scale", self.reference_scale, 0.0, 1.5)
        check_range("strength", self.strength, 0.05, 1.0)
        check_range("warm_start", self.warm_start, 0.0, 1.0)
        check_range("anchor_every", self.anchor_every, 1, 100_000)
        check_range("batch", self.batch, 1, MOST_FRAMES)
        check_range("photos", len(self.photos), 0, MOST_PHOTOS)
        check_range("lora_scale", self.lora_scale, -4.0, 4.0)
        check_range("seed", self.seed, 0, 2**63 - 1)
        if chosen.few_steps:
            check_range("steps (with lcm or tcd)", chosen.steps, 1, MOST_FEW_STEPS)

    def chosen(self) -> Chosen:
        """The quality's values, overridden by single options."""
        named = {
            name: value if (value := getattr(self, name)) is not None else default
            for name, default in QUALITIES[self.quality].items()
        }
        return Chosen(**named)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The values of a quality and its options."""

    steps: int
    guidance: float
    scheduler: Scheduler
    decoder: Decoder
    precision: Precision

    @property
    def few_steps(self) -> bool:
        """Whether the network needs a LoRA for few steps."""
        return self.scheduler in ("lcm", "tcd")
