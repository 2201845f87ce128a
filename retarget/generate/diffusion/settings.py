"""How the diffusion generator is set: a quality as data, and options that change parts of it."""

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
"""What each quality stands for. `best` is the published setting. The steps of `standard` are spread
over what `strength` leaves of the way: from a guide, three are as close together as six from noise.
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
    """How far to go beyond the conditions; 1 means without guidance and takes half the time."""
    scheduler: Scheduler | None = None
    """lcm and tcd need 2 to 8 steps, dpm and ddim 20 to 50."""
    decoder: Decoder | None = None
    """tiny decodes in a tenth of the time, full keeps the finest detail."""
    precision: Precision | None = None
    """half uses 16 bits a number where the device does so soundly; full uses 32."""
    expression_scale: float = 1.0
    """How strongly the expression counts, 0 to 2."""
    reference_scale: float = 0.8
    """How closely the photo's look is kept, 0 to 1.5; from 1 on its own expression comes along."""
    guided: bool = True
    """Begin from the warp generator's picture of the same frame, so that pose, gaze, hair and
    background follow; off: begin from noise. On by design, not by measure: make a clip either way
    and let `retarget evaluate --compare` tell which is better for it."""
    strength: float = 0.5
    """How much of a guiding picture is redrawn, 0.05 to 1."""
    warm_start: float = 0.0
    """Unguided: begin from the frame before, redrawn this much (0.3 to 0.5); 0 begins anew."""
    anchor_every: int = 24
    """With a warm start: begin every so many frames from the shot's first frame again."""
    expression: Literal["auto", "pixels", "weights"] = "auto"
    """Read the expression off the driving pixels, or take the 52 weights; auto: what is there."""
    pixel_order: Literal["rgb", "bgr"] = "rgb"
    """Order in which the expression encoder is handed colors; the published demo uses bgr."""
    seed: int = 0
    """Of all noise: the same seed and frame give the same picture."""
    batch: int = 4
    """Frames drawn at once: speed and memory depend on it, pixels by no more than 1 of 255."""
    device: Device = "auto"
    """cpu, cuda or mps; auto takes the fastest one there is."""
    compile: bool = False
    """Compile the network first: minutes at the start, faster frames after; for long clips."""
    graphs: WithGraphs = "auto"
    """Record a pass of the network as a CUDA graph and replay it. auto: with CUDA, where a small
    batch waits for the launching of some 800 kernels a pass; a replay that tells other numbers is
    not used. off: saves the memory of a pass. on: refuse without CUDA."""
    photos: Kept[tuple[Path, ...]] = ()
    """More photos of the same person; who they are is averaged with the identity picture."""
    base: Kept[Path] | None = None
    """Another network of the Stable Diffusion 1.5 family, drawn with instead: its folder, or its
    pipeline's, as the library diffusers lays them out."""
    loras: Kept[tuple[Path, ...]] = ()
    """LoRA files for the network, such as a style; made for Stable Diffusion 1.5."""
    lora_scale: float = 1.0
    """How strongly those count."""

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
        """The quality with the single options laid over it."""
        named = {
            name: value if (value := getattr(self, name)) is not None else default
            for name, default in QUALITIES[self.quality].items()
        }
        return Chosen(**named)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A quality with every option decided."""

    steps: int
    guidance: float
    scheduler: Scheduler
    decoder: Decoder
    precision: Precision

    @property
    def few_steps(self) -> bool:
        """Whether the network has to be taught to draw in few steps (LCM-LoRA)."""
        return self.scheduler in ("lcm", "tcd")
