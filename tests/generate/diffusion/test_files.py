"""A file that is not what it should be: one sentence, never a traceback, and no code is run."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file

from retarget.errors import MissingModel, RetargetError
from retarget.generate.diffusion import files, load, memory, read_networks
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.models.parts import ModelFolder

from . import tiny
from .conftest import one_sentence

Damage = Callable[[Path], None]


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def a_web_page(path: Path) -> None:
    path.write_text("<!doctype html><title>Not found</title>")


@pytest.mark.parametrize("damage", [truncated, emptied, a_web_page])
@pytest.mark.parametrize(
    "name",
    [
        "ref_adapter/pytorch_lora_weights.safetensors",
        "exp_adapter/exp_adapter.bin",
        "encoder/pytorch_model.bin",
        "smirk/SMIRK_em1.pt",
    ],
)
def test_a_damaged_weight_file_is_named(
    copied: Callable[[str], Path], name: str, damage: Damage
) -> None:
    path = copied(name)
    damage(path)
    with pytest.raises(MissingModel, match=path.name) as told:
        files.read_tensors(path)
    one_sentence(told.value)


class _Touch:
    """What a malicious pickle does: name a function to call while it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.path,)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("save", [torch.save, lambda x, p: p.write_bytes(pickle.dumps(x))])
def test_a_pickle_with_code_is_refused_and_its_code_not_run(
    tmp_path: Path, save: Callable[[object, Path], None]
) -> None:
    trap, bad = tmp_path / "was_run", tmp_path / "exp_adapter.bin"
    save({"image_proj": _Touch(trap)}, bad)
    with pytest.raises(MissingModel, match="exp_adapter") as told:
        files.read_pickle(bad)
    one_sentence(told.value)
    assert not trap.exists()


def test_a_tampered_network_names_the_tensor(copied: Callable[[str], Path]) -> None:
    folder = copied("arc2face")
    path = folder / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    weights["conv_in.weight"] = weights["conv_in.weight"][:, :3].contiguous()
    save_file(weights, path)
    with pytest.raises(MissingModel, match=r"conv_in\.weight") as told:
        read_networks.load_unet(folder)
    one_sentence(told.value)
    del weights["conv_in.weight"]
    save_file(weights, path)
    with pytest.raises(MissingModel, match=r"lacks tensor 'conv_in\.weight'"):
        read_networks.load_unet(folder)


def test_weights_in_whole_numbers_are_refused_not_drawn_with(copied: Callable[[str], Path]) -> None:
    folder = copied("arc2face")
    path = folder / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    save_file(weights | {"conv_in.weight": (100 * weights["conv_in.weight"]).to(torch.int8)}, path)
    with pytest.raises(MissingModel, match="quantised") as told:
        read_networks.load_unet(folder)
    one_sentence(told.value)
    save_file({name: tensor.half() for name, tensor in weights.items()}, path)
    assert {p.dtype for p in read_networks.load_unet(folder).parameters()} == {torch.float32}


def test_a_network_may_be_named_by_its_own_folder_or_by_its_pipelines(
    copied: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = copied("arc2face")
    assert read_networks.own_unet(folder) == folder
    folder.rename(tmp_path / "unet")
    assert read_networks.own_unet(tmp_path) == tmp_path / "unet"
    for wrong in (tmp_path / "absent", tmp_path / "unet" / "config.json"):
        with pytest.raises(MissingModel, match="holds no UNet") as told:
            read_networks.own_unet(wrong)
        assert "1.5" in told.value.do


def test_a_network_that_cannot_be_read_into_memory_is_refused_before(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory.host, "free_memory", lambda: 0.5e9)
    monkeypatch.setattr(files, "read_tensors", lambda *_: pytest.fail("it was read"))
    with pytest.raises(RetargetError, match=r"GB of memory .* 0\.5 GB are free") as told:
        load.load_networks(
            DiffusionSettings(), ModelFolder(models), torch.device("cpu"), torch.float32
        )
    assert "--generator warp" in told.value.do


def test_the_numbers_of_a_file_are_counted_by_its_head(
    models: Path, unet: UNet2DConditionModel, tmp_path: Path
) -> None:
    path = models / "arc2face" / "diffusion_pytorch_model.safetensors"
    assert files.numbers_in(path) == sum(p.numel() for p in unet.parameters())
    head = path.read_bytes()[: 8 + int.from_bytes(path.read_bytes()[:8], "little")]
    (short := tmp_path / "short.safetensors").write_bytes(head)
    assert files.numbers_in(short) == files.numbers_in(path)  # nothing but the head was read
    pickled = models / "encoder" / "pytorch_model.bin"
    held = sum(tensor.numel() for tensor in files.read_tensors(pickled).values())
    assert files.numbers_in(pickled) == pytest.approx(held, rel=0.01)


@pytest.mark.parametrize("head", [b"", b"\xff" * 9, b"\x02" + bytes(7) + b"[]", b"\x05" + bytes(7)])
def test_a_head_that_says_nothing_is_refused(tmp_path: Path, head: bytes) -> None:
    (path := tmp_path / "x.safetensors").write_bytes(head)
    with pytest.raises(MissingModel, match="damaged") as told:
        files.numbers_in(path)
    one_sentence(told.value)


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"beta_schedule": "unheard of"}', '{"num_train_timesteps": "many"}']
)
def test_a_schedule_that_says_nothing_is_refused_before_anything_is_drawn(
    models: Path, tmp_path: Path, text: str
) -> None:
    shutil.copytree(models, tmp_path / "models", copy_function=os.link)
    shutil.copytree(models.parent / tiny.SD15, tmp_path / "stable-diffusion-v1-5")
    (tmp_path / "stable-diffusion-v1-5" / "scheduler" / "scheduler_config.json").write_text(text)
    locate, cpu = ModelFolder(tmp_path / "models"), torch.device("cpu")
    with pytest.raises(MissingModel, match=r"scheduler_config\.json") as told:
        load.load_networks(DiffusionSettings(), locate, cpu, torch.float32)
    one_sentence(told.value)
