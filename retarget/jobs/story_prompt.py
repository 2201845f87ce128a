"""Backgrounds from text prompts, by a text-to-image model in a local folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from retarget.errors import MissingModel
from retarget.extras import extra
from retarget.flow.arrays import Picture

STEPS = 25


def no_model() -> MissingModel:
    """The error where a prompt is given and no model."""
    return MissingModel(
        "A background from a prompt needs a text-to-image model, and none is named.",
        do="Name its folder with --text-to-image DIR, or use a picture, a colour or blur.",
    )


class Painter:
    """Paints pictures from prompts with a model in diffusers' layout; nothing is fetched.

    Raises:
        MissingPackage: diffusers or torch is not installed.
        MissingModel: the folder does not hold such a model.
    """

    def __init__(self, folder: Path) -> None:
        with extra("diffusion", purpose="A background from a prompt"):
            import torch
            from diffusers import AutoPipelineForText2Image
        self._torch: Any = torch
        try:
            pipeline: Any = AutoPipelineForText2Image.from_pretrained(
                str(folder), local_files_only=True, use_safetensors=True
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise MissingModel(
                f"{folder} does not hold a text-to-image model that can be loaded.",
                do="Name a folder in diffusers' layout with safetensors files.",
            ) from error
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self._pipeline = pipeline.to(device)
        self._pipeline.set_progress_bar_config(disable=True)

    def paint(self, prompt: str, seed: int) -> Picture:
        """(height, width, 3) RGB; the same for the same prompt and seed."""
        chance = self._torch.Generator("cpu").manual_seed(seed)
        out = self._pipeline(
            prompt, generator=chance, num_inference_steps=STEPS, output_type="np"
        ).images[0]
        return np.asarray(np.rint(np.clip(out, 0, 1) * 255), np.uint8)
