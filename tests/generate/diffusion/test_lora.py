"""Updates of the network, however their files spell them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file

from retarget.errors import MissingModel
from retarget.generate.diffusion import read_networks
from retarget.generate.diffusion.lora import Updates, read_lora

from .conftest import one_sentence

REFERENCE = "ref_adapter/pytorch_lora_weights.safetensors"


def as_kohya(name: str) -> str:
    stem, _, end = name.removeprefix("unet.").partition(".lora.")
    if not end:
        stem, _, end = name.removeprefix("unet.").partition(".lora_")
        end = {"A.weight": "down.weight", "B.weight": "up.weight"}[end]
    return "lora_unet_" + stem.replace(".", "_") + ".lora_" + end


def as_peft(name: str) -> str:
    name = name.replace(".lora.down.", ".lora_A.").replace(".lora.up.", ".lora_B.")
    return "base_model.model." + name.removeprefix("unet.")


@pytest.mark.parametrize("spelling", [as_kohya, as_peft])
@pytest.mark.parametrize("folder", ["ref_adapter", "lcm_lora"])
def test_every_spelling_of_an_update_says_the_same(
    unet: UNet2DConditionModel,
    models: Path,
    tmp_path: Path,
    spelling: Callable[[str], str],
    folder: str,
) -> None:
    path, other = models / folder / "pytorch_lora_weights.safetensors", tmp_path / "x.safetensors"
    save_file({spelling(k): v for k, v in load_file(path).items()}, other)
    one, two = read_lora(path, unet), read_lora(other, unet)
    assert one.keys() == two.keys() and len(one) in (128, 192)
    for name, update in one.items():
        shape = unet.get_submodule(name).weight.shape
        assert torch.equal(update.delta(shape), two[name].delta(shape))


def test_alpha_divides_by_the_rank(
    unet: UNet2DConditionModel, models: Path, tmp_path: Path
) -> None:
    weights = {as_kohya(k): v for k, v in load_file(models / REFERENCE).items()}
    some = next(k for k in weights if k.endswith(".lora_down.weight"))
    layer = some.removesuffix(".lora_down.weight")
    path = tmp_path / "x.safetensors"
    save_file(weights | {f"{layer}.alpha": torch.tensor(2.0)}, path)
    plain, scaled = read_lora(models / REFERENCE, unet), read_lora(path, unet)
    factors = {plain[m].factor / u.factor for m, u in scaled.items()}
    assert factors == {1.0, 4.0}  # rank 8, alpha 2 in one layer


def test_updates_leave_the_plain_weights_where_they_were_read_and_can_be_taken_out(
    models: Path,
) -> None:
    """No second copy of them is made, which a mapped file would have to be read into memory for."""
    own = read_networks.load_unet(models / "arc2face")
    lora = read_lora(models / REFERENCE, own)
    some = next(iter(lora))
    read = own.get_submodule(some).weight.data
    before, update = read.clone(), lora[some].delta(read.shape)
    updates = Updates(own, [(lora, 0.8)])
    updates.add()
    assert updates._plain[some].data_ptr() == read.data_ptr()
    weight = own.get_submodule(some).weight
    torch.testing.assert_close(weight.data, before + 0.8 * update)
    with updates.taken_out():
        assert torch.equal(weight.data, before)
    torch.testing.assert_close(weight.data, before + 0.8 * update)
    assert torch.equal(read, before)


def test_an_update_that_finds_no_layer_is_refused(
    unet: UNet2DConditionModel, models: Path, tmp_path: Path
) -> None:
    weights, path = load_file(models / REFERENCE), tmp_path / "x.safetensors"
    some = next(k for k in weights if k.endswith("lora.down.weight"))
    changes = {
        "nothing here answers": {"unet.down_blocks.7.attn.to_q.lora.up.weight": weights[some]},
        "text encoder": {"text_encoder.layers.0.q_proj.lora_A.weight": weights[some]},
        "half of an update": {some: None},
        "its update": {some: torch.zeros(8, 33)},
        "dora_scale": {some.replace("lora.down.weight", "dora_scale"): weights[some]},
    }
    for message, change in changes.items():
        merged = {k: v.clone() for k, v in (weights | change).items() if v is not None}
        save_file(merged, path)
        with pytest.raises(MissingModel, match=message) as told:
            read_lora(path, unet)
        one_sentence(told.value)
