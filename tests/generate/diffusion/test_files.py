"""A file that is not what it should be: one sentence, never a traceback, and no code is run."""

from __future__ import annotations

import json
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
from retarget.generate.diffusion import files, load, memory
from retarget.generate.diffusion.expression_adapter import ExpressionAdapter
from retarget.generate.diffusion.lora import Updates, read_lora
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.models.parts import PARTS, ModelFolder

from . import tiny

Damage = Callable[[Path], None]


@pytest.fixture(scope="module")
def unet(models: Path) -> UNet2DConditionModel:
    return load.load_unet(models / "arc2face")


@pytest.fixture
def copied(models: Path, tmp_path: Path) -> Callable[[str], Path]:
    def copy(name: str) -> Path:
        source, target = models / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
        return target

    return copy


def one_sentence(problem: MissingModel) -> None:
    assert problem.what.endswith(".") and problem.what.count("\n") == 0
    assert problem.do


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
        load.load_unet(folder)
    one_sentence(told.value)
    del weights["conv_in.weight"]
    save_file(weights, path)
    with pytest.raises(MissingModel, match=r"lacks tensor 'conv_in\.weight'"):
        load.load_unet(folder)


def test_weights_in_whole_numbers_are_refused_not_drawn_with(copied: Callable[[str], Path]) -> None:
    folder = copied("arc2face")
    path = folder / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    save_file(weights | {"conv_in.weight": (100 * weights["conv_in.weight"]).to(torch.int8)}, path)
    with pytest.raises(MissingModel, match="quantised") as told:
        load.load_unet(folder)
    one_sentence(told.value)
    save_file({name: tensor.half() for name, tensor in weights.items()}, path)
    assert {p.dtype for p in load.load_unet(folder).parameters()} == {torch.float32}


def test_a_network_may_be_named_by_its_own_folder_or_by_its_pipelines(
    copied: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = copied("arc2face")
    assert load.own_unet(folder) == folder
    folder.rename(tmp_path / "unet")
    assert load.own_unet(tmp_path) == tmp_path / "unet"
    for wrong in (tmp_path / "absent", tmp_path / "unet" / "config.json"):
        with pytest.raises(MissingModel, match="holds no UNet") as told:
            load.own_unet(wrong)
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
        load.load_unet(folder)
    one_sentence(told.value)
    assert "1.5" in told.value.do


def test_a_unet_that_reads_wider_prompts_is_refused(models: Path) -> None:
    text = load.load_text(models / "encoder", models.parent / tiny.SD15 / "tokenizer")
    other = UNet2DConditionModel(**(tiny.UNET | {"cross_attention_dim": 1024}))
    with pytest.raises(MissingModel, match="1024 wide"):
        load.check_family(other, text, Path("other"))


@pytest.mark.parametrize("text", ["{", "[]", '{"_class_name": "UNet2DConditionModel"}'])
def test_a_config_that_says_nothing_is_refused(copied: Callable[[str], Path], text: str) -> None:
    folder = copied("arc2face")
    (folder / "config.json").write_text(text)
    with pytest.raises(MissingModel) as told:
        load.load_unet(folder)
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
        folder, load_it = copied("arc2face"), load.load_unet
    else:
        folder, load_it = tmp_path / "vae", load.load_vae
        shutil.copytree(models.parent / tiny.SD15 / "vae", folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(MissingModel, match="can be built") as told:
        load_it(folder)
    one_sentence(told.value)


def test_a_tokenizer_is_needed(models: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingModel, match="tokenizer"):
        load.load_text(models / "encoder", tmp_path / "absent")
    with pytest.raises(MissingModel, match="tokenizer"):
        load.load_text(models / "encoder", tmp_path)
    shutil.copytree(models.parent / tiny.SD15 / "tokenizer", tmp_path / "other")
    (tmp_path / "other" / "vocab.json").write_text("{")
    with pytest.raises(MissingModel, match="tokenizer") as told:
        load.load_text(models / "encoder", tmp_path / "other")
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
    new = load.load_vae(models.parent / tiny.SD15 / "vae").state_dict()
    old = load.load_vae(folder).state_dict()
    assert all(torch.equal(new[name], old[name]) for name in new)


def test_every_part_of_the_written_set_is_found(models: Path) -> None:
    locate = ModelFolder(models)
    optional = {"flame-map", "tcd-lora"}
    for name in PARTS.keys() - optional:
        assert locate(name).exists()
    assert ModelFolder(models.parent)("unet") == locate("unet")
    with pytest.raises(MissingModel, match="flame-map"):
        locate("flame-map")


@pytest.mark.parametrize(("kind", "tokens"), [("one", 4), ("one", 6), ("two", 4), ("two", 16)])
def test_the_number_of_expression_tokens_is_read_off_the_shapes(
    unet: UNet2DConditionModel, tmp_path: Path, kind: str, tokens: int
) -> None:
    path = tmp_path / "exp_adapter.bin"
    tiny.write_adapter(path, unet, tokens, kind)
    adapter = ExpressionAdapter.load(path, unet)
    assert adapter.token_count == tokens
    assert adapter.tokens(torch.zeros(3, 55)).shape == (3, tokens, tiny.WIDTH)


def test_reading_an_adapter_leaves_the_unet_as_it_was(
    unet: UNet2DConditionModel, models: Path
) -> None:
    before = dict(unet.attn_processors), unet.encoder_hid_proj, unet.config.encoder_hid_dim_type
    ExpressionAdapter.load(models / "exp_adapter" / "exp_adapter.bin", unet)
    after = dict(unet.attn_processors), unet.encoder_hid_proj, unet.config.encoder_hid_dim_type
    assert before == after


def test_an_adapter_for_another_unet_or_other_numbers_is_refused(
    unet: UNet2DConditionModel, models: Path, tmp_path: Path
) -> None:
    state = torch.load(models / "exp_adapter" / "exp_adapter.bin", weights_only=True)
    pairs, proj = state["ip_adapter"], state["image_proj"]
    wrong = {
        "fewer": (proj, dict(list(pairs.items())[:-2])),
        "sizes": (proj, pairs | {"1.to_k_ip.weight": pairs["1.to_k_ip.weight"][:-1]}),
        "numbers": (proj | {"proj.0.weight": torch.zeros(110, 53)}, pairs),
        "kind": ({"latents": torch.zeros(1, 4, 64)}, pairs),
        "lists": (torch.zeros(3), [1]),
    }
    for name, (image_proj, ip_adapter) in wrong.items():
        path = tmp_path / f"{name}.bin"
        torch.save({"image_proj": image_proj, "ip_adapter": ip_adapter}, path)
        with pytest.raises(MissingModel, match=name) as told:
            ExpressionAdapter.load(path, unet)
        one_sentence(told.value)


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
    assert one.layers.keys() == two.layers.keys() and len(one.layers) in (128, 192)
    for name, update in one.layers.items():
        shape = unet.get_submodule(name).weight.shape
        assert torch.equal(update.delta(shape), two.layers[name].delta(shape))


def test_alpha_divides_by_the_rank(
    unet: UNet2DConditionModel, models: Path, tmp_path: Path
) -> None:
    weights = {as_kohya(k): v for k, v in load_file(models / REFERENCE).items()}
    some = next(k for k in weights if k.endswith(".lora_down.weight"))
    layer = some.removesuffix(".lora_down.weight")
    path = tmp_path / "x.safetensors"
    save_file(weights | {f"{layer}.alpha": torch.tensor(2.0)}, path)
    plain, scaled = read_lora(models / REFERENCE, unet), read_lora(path, unet)
    factors = {plain.layers[m].factor / u.factor for m, u in scaled.layers.items()}
    assert factors == {1.0, 4.0}  # rank 8, alpha 2 in one layer


def test_updates_leave_the_plain_weights_where_they_were_read_and_can_be_taken_out(
    models: Path,
) -> None:
    """No second copy of them is made, which a mapped file would have to be read into memory for."""
    own = load.load_unet(models / "arc2face")
    lora = read_lora(models / REFERENCE, own)
    some = next(iter(lora.layers))
    read = own.get_submodule(some).weight.data
    before, update = read.clone(), lora.layers[some].delta(read.shape)
    updates = Updates(own, {"reference": (lora, 0.8)})
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
