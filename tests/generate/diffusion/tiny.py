"""A tiny model set in the published layout, the same weights on every machine.

Every tensor is drawn from a NumPy stream that its own name seeds, so neither a library's way of
initialising nor its version has a say. `recorded.npz` holds what the published implementation
computed with exactly these weights.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

from retarget.generate.diffusion.smirk import _Encoder, _PoseEncoder

from .onnx_file import node, write_onnx

WIDTH = 544
"""Of a prompt token: more than 512, so that the padding of the face vector is seen."""
SD15 = Path("stable-diffusion-v1-5/stable-diffusion-v1-5")
UNET = {
    "sample_size": 8,
    "in_channels": 4,
    "out_channels": 4,
    "layers_per_block": 2,
    "block_out_channels": (32, 64, 64, 64),
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    "cross_attention_dim": WIDTH,
    "attention_head_dim": 8,
    "norm_num_groups": 16,
}
_SCHEDULER = {
    "_class_name": "PNDMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "prediction_type": "epsilon",
    "timestep_spacing": "leading",
}


def draw(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """The tensor that belongs to a name: near 1 for norms, near 0 for biases, else unit gain."""
    digest = hashlib.sha256(name.encode()).digest()
    stream = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "little")))
    numbers = stream.standard_normal(shape).astype(np.float32)
    if len(shape) > 1:
        numbers = numbers * np.float32(int(np.prod(shape[1:])) ** -0.5)
    elif name.endswith(".weight"):
        numbers = 1 + 0.1 * numbers
    else:
        numbers = 0.05 * numbers
    return torch.from_numpy(numbers)


@torch.no_grad()
def fill(model: torch.nn.Module, tag: str) -> torch.nn.Module:
    """Give every weight of a model the numbers of its published name."""
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        public = name
        if isinstance(model, CLIPTextModel):
            public = "text_model." + name.removeprefix("text_model.")
        numbers = draw(f"{tag}/{public}", tuple(tensor.shape))
        if name.endswith(("token_embedding.weight", "position_embedding.weight")):
            numbers = numbers * 0.3
        tensor.copy_(numbers)
    return model.eval()


def write(folder: Path) -> Path:
    """Write the whole set; returns the folder that a person would name with --models."""
    models, base = folder / "models", folder / SD15
    words = _write_tokenizer(base / "tokenizer")
    _write_text(models / "encoder", words)
    unet = _write_unet(models / "arc2face")
    _write_vae(base / "vae")
    fill(tiny := _tiny_vae(), "taesd")
    tiny.save_pretrained(models / "taesd")
    _write_json(base / "scheduler" / "scheduler_config.json", _SCHEDULER)
    write_adapter(models / "exp_adapter" / "exp_adapter.bin", unet)
    attention = ("to_q", "to_k", "to_v", "to_out.0")
    every = (*attention, "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2")
    write_lora(models / "ref_adapter" / "pytorch_lora_weights.safetensors", unet, 8, attention)
    write_lora(models / "lcm_lora" / "pytorch_lora_weights.safetensors", unet, 4, every)
    write_smirk(models / "smirk" / "SMIRK_em1.pt")
    write_recogniser(models / "antelopev2" / "arcface.onnx")
    write_detector(models / "antelopev2" / "scrfd_10g_bnkps.onnx", face_at((2, 9, 10, 5.0, 0.9)))
    return models


def write_smirk(path: Path) -> None:
    """Expression and pose as published, with a tensor of the part that nobody here reads."""
    state = {"smirk_encoder.shape_encoder.shape_layers.0.bias": torch.zeros(300)}
    for what, tag, network in (
        ("expression", "smirk", _Encoder()),
        ("pose", "smirk-pose", _PoseEncoder()),
    ):
        encoder = fill(network, tag)
        for module in encoder.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_var.abs_().add_(1.0)
        for name, tensor in encoder.state_dict().items():
            state[f"smirk_encoder.{what}_encoder.{name}"] = tensor
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)


def write_recogniser(path: Path) -> None:
    """A recogniser of ArcFace's shape: colors averaged over cells, mixed into 512 numbers."""
    side = 112 // 16
    mixed = draw("arcface/weight", (3 * side * side, 512)).numpy()
    nodes = [
        node("AveragePool", ["face"], "cells", kernel_shape=[16, 16], strides=[16, 16]),
        node("Flatten", ["cells"], "flat"),
        node("MatMul", ["flat", "mixed"], "vector"),
    ]
    write_onnx(path, nodes, {"mixed": mixed}, ("face", (1, 3, 112, 112)), {"vector": (1, 512)})


Cell = tuple[int, int, int, float, float]
"""Level (stride 8, 16 or 32), row, column, half size in strides, score."""


def face_at(*faces: Cell) -> list[np.ndarray]:
    """A detector's nine outputs with these faces in its 640 x 640 pixels."""
    counts = [(640 // s) ** 2 * 2 for s in (8, 16, 32)]
    outputs = [np.zeros((n, width), np.float32) for width in (1, 4, 10) for n in counts]
    for level, row, column, half, score in faces:
        place = (row * (640 // (8, 16, 32)[level]) + column) * 2
        outputs[level][place] = score
        outputs[level + 3][place] = half
        outputs[level + 6][place] = np.array([[-1, -1], [1, -1], [0, 0], [-1, 1], [1, 1]]).ravel()
    return outputs


def write_detector(path: Path, outputs: list[np.ndarray]) -> Path:
    """A detector of SCRFD's shape: tells this of every picture that is not black all over."""
    names = [f"told{i}" for i in range(9)]
    lit = [
        node("GlobalMaxPool", ["picture"], "channels"),
        node("ReduceMax", ["channels"], "lightest", axes=[1]),
        node("Relu", ["lightest"], "above"),
        node("Sign", ["above"], "sign"),
        node("Flatten", ["sign"], "lit"),
    ]
    scores = [node("Mul", [f"kept{i}", "lit"], names[i]) for i in range(3)]
    others = [node("Identity", [f"kept{i}"], names[i]) for i in range(3, 9)]
    kept = {f"kept{i}": array for i, array in enumerate(outputs)}
    shapes = {name: array.shape for name, array in zip(names, outputs, strict=True)}
    nodes = [*lit, *scores, *others]
    write_onnx(path, nodes, kept, ("picture", (1, 3, 640, 640)), shapes)
    return path


def write_flame_map(folder: Path) -> dict[str, str]:
    """A map in the published layout; returns its files' digests."""
    folder.mkdir(parents=True, exist_ok=True)
    digests = {}
    for name, width in (("bs2exp", 100), ("bs2jaw", 3)):
        path = folder / f"{name}.npy"
        np.save(path, draw(f"flame-map/{name}", (52, width)).numpy())
        digests[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return digests


def expressions() -> list[torch.Tensor]:
    """The three expression vectors, (1, 55) each, that the recorded cases use."""
    stream = np.random.Generator(np.random.PCG64(7))
    stream.standard_normal(512)
    made = []
    for _ in range(3):
        parts = [stream.standard_normal((1, n)) * s for n, s in ((50, 0.8), (2, 0.3), (3, 0.1))]
        made.append(torch.from_numpy(np.concatenate(parts, axis=1).astype(np.float32)))
    return made


def write_adapter(
    path: Path, unet: UNet2DConditionModel, tokens: int = 4, kind: str = "two"
) -> None:
    """An expression adapter file with a projection of one or two layers."""
    shapes: Mapping[str, tuple[int, ...]] = {
        "two": {
            "proj.0.weight": (110, 55),
            "proj.0.bias": (110,),
            "proj.2.weight": (tokens * WIDTH, 110),
            "proj.2.bias": (tokens * WIDTH,),
        },
        "one": {"proj.weight": (tokens * WIDTH, 55), "proj.bias": (tokens * WIDTH,)},
    }[kind] | {"norm.weight": (WIDTH,), "norm.bias": (WIDTH,)}
    tag = {"two": "faceid", "one": "linear"}[kind]
    proj = {name: draw(f"exp/{tag}/{name}", shape) for name, shape in shapes.items()}
    pairs = {}
    for number, name in enumerate(unet.attn_processors):
        if name.endswith("attn2.processor"):
            channels = unet.get_submodule(name.removesuffix(".processor")).to_k.weight.shape[0]
            for part in ("to_k_ip", "to_v_ip"):
                tensor = draw(f"exp/ip/{number}.{part}", (channels, WIDTH))
                pairs[f"{number}.{part}.weight"] = tensor
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"image_proj": proj, "ip_adapter": pairs}, path)


def write_lora(path: Path, unet: UNet2DConditionModel, rank: int, targets: tuple[str, ...]) -> None:
    """A LoRA file; like the published writer's, it mixes two spellings of the names."""
    tensors = {}
    for name, module in unet.named_modules():
        if not any(name == t or name.endswith("." + t) for t in targets):
            continue
        inputs, outputs = module.weight.shape[1], module.weight.shape[0]
        window = (1, 1) if isinstance(module, torch.nn.Conv2d) else ()
        in_attention = re.search(r"\.to_(q|k|v|out\.0)$", name) is not None
        down, up = ("lora.down", "lora.up") if in_attention else ("lora_A", "lora_B")
        for part, shape in ((down, (rank, inputs, *window)), (up, (outputs, rank, *window))):
            key = f"{name}.{part}.weight"
            tensors[f"unet.{key}"] = draw(f"{path.parent.name}/{key}", shape) * 0.5
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)


def _write_unet(folder: Path) -> UNet2DConditionModel:
    unet = fill(UNet2DConditionModel(**UNET), "arc2face")
    with torch.no_grad():
        unet.conv_out.weight *= 0.5
    unet.save_pretrained(folder)
    return unet


def _write_vae(folder: Path) -> None:
    vae = fill(
        AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(16, 16, 32, 32),
            norm_num_groups=8,
            sample_size=64,
            scaling_factor=0.18215,
        ),
        "vae",
    )
    with torch.no_grad():  # a trained autoencoder is sure of itself: little variance
        vae.quant_conv.weight[4:] *= 0.1
        vae.quant_conv.bias[4:] = -4.0
    vae.save_pretrained(folder)


def _tiny_vae() -> AutoencoderTiny:
    return AutoencoderTiny(
        encoder_block_out_channels=(8,) * 4,
        decoder_block_out_channels=(8,) * 4,
        num_encoder_blocks=(1, 1, 1, 1),
        num_decoder_blocks=(1, 1, 1, 1),
    )


def _write_text(folder: Path, words: int) -> None:
    config = CLIPTextConfig(
        vocab_size=words,
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=8,
        max_position_embeddings=77,
        bos_token_id=0,
        eos_token_id=2,
        pad_token_id=1,
        projection_dim=WIDTH,
    )
    encoder = fill(CLIPTextModel(config), "encoder")
    _write_json(folder / "config.json", config.to_dict())
    named = {
        "text_model." + k.removeprefix("text_model."): v for k, v in encoder.state_dict().items()
    }
    torch.save(named, folder / "pytorch_model.bin")


def _write_tokenizer(folder: Path) -> int:
    """CLIP's byte alphabet and just enough merges for the identity prompt."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    unseen = [b for b in range(256) if b not in shown]
    letters = [chr(b) for b in shown] + [chr(256 + i) for i in range(len(unseen))]
    merges: list[tuple[str, str]] = []
    for word in ("photo", "of", "id", "person"):
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            if (parts[0], parts[1]) not in merges:
                merges.append((parts[0], parts[1]))
            parts = [parts[0] + parts[1], *parts[2:]]
    words = [*letters, *(x + "</w>" for x in letters), *(a + b for a, b in merges)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    _write_json(folder / "vocab.json", {word: i for i, word in enumerate(words)})
    lines = ["#version: 0.2", *(f"{a} {b}" for a, b in merges), ""]
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    _write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77},
    )
    return len(words)


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
