"""Backgrounds painted from words, on a tiny untrained model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from retarget.errors import MissingModel

for package in ("torch", "diffusers", "transformers", "safetensors"):
    pytest.importorskip(package, reason=f"needs {package}: pip install 'retarget[diffusion]'")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline
    from diffusers import UNet2DConditionModel as Unet
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("model")
    letters = [chr(c) for c in range(33, 127)]
    words = [*letters, *(f"{c}</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer.model_max_length = 16
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(words), hidden_size=32, intermediate_size=37, num_hidden_layers=2,
            num_attention_heads=4, max_position_embeddings=16, projection_dim=32,
            bos_token_id=len(words) - 2, eos_token_id=len(words) - 1,
        )
    )  # fmt: skip
    unet = Unet(
        sample_size=16, block_out_channels=(32, 64), layers_per_block=1, norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), cross_attention_dim=32,
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), attention_head_dim=8,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(16, 32), norm_num_groups=8, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    )  # fmt: skip
    pipeline = StableDiffusionPipeline(
        vae=vae, text_encoder=text, tokenizer=tokenizer, unet=unet,
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.save_pretrained(str(folder / "sd"))
    return folder / "sd"


def test_the_same_prompt_and_seed_paint_the_same_picture(model: Path) -> None:
    from retarget.jobs.story_prompt import Painter

    painter = Painter(model)
    one, two, other = (painter.paint("a street at night", seed) for seed in (3, 3, 4))
    assert one.dtype == np.uint8
    assert one.shape[2] == 3
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


def test_a_folder_without_a_model_is_a_sentence(tmp_path: Path) -> None:
    from retarget.jobs.story_prompt import Painter

    with pytest.raises(MissingModel, match="does not hold a text-to-image model"):
        Painter(tmp_path)
