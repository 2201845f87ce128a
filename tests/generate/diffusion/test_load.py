"""A network that is not what it should be: one sentence, before anything is drawn."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file

from retarget.errors import MissingModel
from retarget.generate.diffusion import load, read_networks
from retarget.models.parts import PARTS, ModelFolder

from . import tiny
from .conftest import one_sentence


@pytest.mark.parametrize(
    "change",
    [
        {"addition_embed_type": "text_time"},
        {"_class_name": "SD3Transformer2DModel"},
        {"in_channels": 9},
        {"sample_size": None},
    ],
)
def test_a_unet_of_another_family_is_refused(
    copied: Callable[[str], Path], change: dict[str, object]
) -> None:
    folder = copied("arc2face")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(MissingModel) as told:
        read_networks.load_unet(folder)
    one_sentence(told.value)
    assert "1.5" in told.value.do


def test_a_unet_that_reads_wider_prompts_is_refused(models: Path) -> None:
    text = read_networks.load_text(models / "encoder", models.parent / tiny.SD15 / "tokenizer")
    other = UNet2DConditionModel(**(tiny.UNET | {"cross_attention_dim": 1024}))
    with pytest.raises(MissingModel, match="1024 wide"):
        load.check_family(other, text, Path("other"))


@pytest.mark.parametrize("text", ["{", "[]", '{"_class_name": "UNet2DConditionModel"}'])
def test_a_config_that_says_nothing_is_refused(copied: Callable[[str], Path], text: str) -> None:
    folder = copied("arc2face")
    (folder / "config.json").write_text(text)
    with pytest.raises(MissingModel) as told:
        read_networks.load_unet(folder)
    one_sentence(told.value)


@pytest.mark.parametrize(
    "change",
    [
        {"norm_num_groups": 0},
        {"layers_per_block": "two"},
        {"down_block_types": ["-"] * 4},
        {"block_out_channels": [-32] * 4},
    ],
)
@pytest.mark.parametrize("part", ["unet", "vae"])
def test_a_config_of_which_nothing_can_be_built_is_refused(
    copied: Callable[[str], Path],
    models: Path,
    tmp_path: Path,
    part: str,
    change: dict[str, object],
) -> None:
    if part == "unet":
        folder, load_it = copied("arc2face"), read_networks.load_unet
    else:
        folder, load_it = tmp_path / "vae", read_networks.load_vae
        shutil.copytree(models.parent / tiny.SD15 / "vae", folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(MissingModel, match="can be built") as told:
        load_it(folder)
    one_sentence(told.value)


def test_a_tokenizer_is_needed(models: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingModel, match="tokenizer"):
        read_networks.load_text(models / "encoder", tmp_path / "absent")
    with pytest.raises(MissingModel, match="tokenizer"):
        read_networks.load_text(models / "encoder", tmp_path)
    shutil.copytree(models.parent / tiny.SD15 / "tokenizer", tmp_path / "other")
    (tmp_path / "other" / "vocab.json").write_text("{")
    with pytest.raises(MissingModel, match="tokenizer") as told:
        read_networks.load_text(models / "encoder", tmp_path / "other")
    one_sentence(told.value)


def test_the_autoencoder_of_the_published_file_names_its_attention_the_older_way(
    models: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "vae"
    shutil.copytree(models.parent / tiny.SD15 / "vae", folder)
    path = folder / "diffusion_pytorch_model.safetensors"
    older = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    renamed = {}
    for name, tensor in load_file(path).items():
        was = name
        for new, old in older.items():
            was = was.replace(f"attentions.0.{new}.", f"attentions.0.{old}.")
        is_matrix = any(f".{old}.weight" in was for old in older.values())
        renamed[was] = tensor[..., None, None].contiguous() if is_matrix else tensor
    save_file(renamed, path)
    new = read_networks.load_vae(models.parent / tiny.SD15 / "vae").state_dict()
    old = read_networks.load_vae(folder).state_dict()
    assert all(torch.equal(new[name], old[name]) for name in new)


def test_every_part_of_the_written_set_is_found(models: Path) -> None:
    locate = ModelFolder(models)
    optional = {"flame-map", "tcd-lora"}
    for name in PARTS.keys() - optional:
        assert locate(name).exists()
    assert ModelFolder(models.parent)("unet") == locate("unet")
    with pytest.raises(MissingModel, match="flame-map"):
        locate("flame-map")
