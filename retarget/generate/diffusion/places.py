"""Which files the generator needs, and where they lie in a folder of models.

The layout is the one that Arc2Face's own README describes, so a folder made for it serves as it
is; files that came later (the adapters, SMIRK, few-step and tiny-decoder weights) lie beside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from retarget.errors import MissingModel

Locate = Callable[[str], Path]
"""Where a part lies: its name (a key of `PARTS`) → a file or folder.

Raises:
    MissingModel: it is nowhere to be found.
"""

_SD15 = "stable-diffusion-v1-5"

PARTS: Mapping[str, tuple[str, ...]] = {
    "unet": ("arc2face",),
    "encoder": ("encoder",),
    "tokenizer": (f"{_SD15}/tokenizer", f"{_SD15}/{_SD15}/tokenizer", "tokenizer"),
    "scheduler": (f"{_SD15}/scheduler", f"{_SD15}/{_SD15}/scheduler", "scheduler"),
    "vae": (f"{_SD15}/vae", f"{_SD15}/{_SD15}/vae", "vae"),
    "tiny-vae": ("taesd",),
    "expression-adapter": ("exp_adapter/exp_adapter.bin", "exp_adapter/exp_adapter.safetensors"),
    "reference-adapter": ("ref_adapter/pytorch_lora_weights.safetensors",),
    "lcm-lora": ("lcm-lora-sdv1-5/pytorch_lora_weights.safetensors",
                 "lcm_lora/pytorch_lora_weights.safetensors"),
    "tcd-lora": ("TCD-SD15-LoRA/pytorch_lora_weights.safetensors",
                 "tcd_lora/pytorch_lora_weights.safetensors"),
    "smirk": ("smirk/SMIRK_em1.pt", "SMIRK_em1.pt"),
    "face-detector": ("antelopev2/scrfd_10g_bnkps.onnx", "scrfd_10g_bnkps.onnx"),
    "face-recogniser": ("antelopev2/arcface.onnx", "arcface.onnx"),
    "flame-map": ("flame-map", "mappings"),
}  # fmt: skip
"""Every part and the places it may have, the usual one first."""


class ModelFolder:
    """Find parts in folders of that layout; a `Locate`.

    Args:
        folders: looked through in order. Each may be the models' folder itself or the one that
            holds it, and Stable Diffusion's may lie in it or beside it.
    """

    def __init__(self, *folders: Path) -> None:
        self.roots = [place for f in folders for place in (f, f / "models", f.parent)]

    def __call__(self, name: str) -> Path:
        """The file or folder of a part.

        Raises:
            MissingModel: it is in none of its places.
        """
        for root in self.roots:
            for place in PARTS[name]:
                if (root / place).exists():
                    return root / place
        raise MissingModel(
            f"The diffusion generator's {name} is missing: looked for "
            f"{self.roots[0] / PARTS[name][0]}.",
            do="Fetch it with `retarget models pull diffusion`, or name the folder with --models.",
        )
