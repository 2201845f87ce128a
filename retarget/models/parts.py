"""The parts of the diffusion generator, and their paths in a models folder.

The layout is that of Arc2Face's README, so that a folder made for it can be used; later files (the
adapters, SMIRK, few-step and tiny-decoder weights) are beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from retarget.errors import MissingModel
from retarget.flow.paths import is_there
from retarget.models import folders

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
"""Every part and its possible paths, that of the catalogue first."""


_PULLED = {"flame-map": "flame-map", "tcd-lora": "tcd-lora"}
"""Names for `retarget models pull` of parts outside the group diffusion."""


class ModelFolder:
    """Finds parts in folders of that layout, searched in order."""

    def __init__(self, *searched: Path) -> None:
        self._folders = searched

    def __call__(self, name: str) -> Path:
        """The file or folder of a part.

        Raises:
            MissingModel: it is at none of its paths.
        """
        for folder in self._folders:
            for root in folders.roots(folder):
                for place in PARTS[name]:
                    if is_there(root / place):
                        return root / place
        looked = ", ".join(str(folder / PARTS[name][0]) for folder in self._folders)
        raise MissingModel(
            f"The diffusion generator's {name} is missing; looked for {looked}.",
            do=f"Fetch it with `retarget models pull {_PULLED.get(name, 'diffusion')}`, or name "
            f"the folder that holds it with --models or {folders.VARIABLE}.",
        )


def within(part: str, path: str) -> str | None:
    """The path of a catalogue's file within a part; "" if it is the part; None if outside."""
    usual = PurePosixPath(PARTS[part][0])
    if not PurePosixPath(path).is_relative_to(usual):
        return None
    inside = str(PurePosixPath(path).relative_to(usual))
    return "" if inside == "." else inside


def places(path: str) -> list[str]:
    """Every possible path of a catalogue's file, its own first."""
    found = [path]
    for part, others in PARTS.items():
        inside = within(part, path)
        if inside is not None:
            found += [str(PurePosixPath(other) / inside) for other in others[1:]]
    return found
