"""Read single networks from their folders; the architecture comes from each config.

What the libraries' own loaders only warn about (a tensor that is missing, left over or of another
shape) is an error here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from retarget.errors import MissingModel
from retarget.generate.diffusion import files
from retarget.generate.diffusion.text import IdentityText

UNET_NAMES = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors",
         "diffusion_pytorch_model.bin")  # fmt: skip
TEXT_NAMES = ("model.safetensors", "pytorch_model.bin")
CONFIG = "config.json"
UNET_FILE, TEXT_FILE = "The UNet's weight file", "The text encoder's weight file"
VAE_FILE = "The autoencoder's weight file"
FAMILY = "Use a network of the Stable Diffusion 1.5 family."


def own_unet(named: Path) -> Path:
    """The folder of a UNet, given that folder or its pipeline's.

    Raises:
        MissingModel: it is neither.
    """
    for folder in (named, named / "unet"):
        if (folder / CONFIG).is_file():
            return folder
    raise MissingModel(
        f"{named} holds no UNet: neither config.json nor unet/config.json is there.",
        do=f"{FAMILY} It has to lie in the folders of the library diffusers; a single file can be "
        "brought into them with its script convert_original_stable_diffusion_to_diffusers.py.",
    )


def unet_config(folder: Path) -> dict[str, Any]:
    """The `config.json` of a UNet of this family.

    Raises:
        MissingModel: it is absent, unreadable, or of another family.
    """
    config = files.read_config(folder / CONFIG)
    if config.get("_class_name") != "UNet2DConditionModel" or config.get("in_channels") != 4:
        raise MissingModel(f"{folder} holds no UNet that draws from text.", do=FAMILY)
    if config.get("addition_embed_type") is not None or config.get("encoder_hid_dim"):
        raise MissingModel(f"{folder} holds a UNet of another family (SDXL or later).", do=FAMILY)
    if not isinstance(config.get("sample_size"), int):
        raise MissingModel(f"{folder} holds a UNet that does not say its size.", do=FAMILY)
    return config


def load_unet(folder: Path) -> Any:
    """The UNet in a folder with `config.json` and its weights, float32, on the CPU."""
    from diffusers import UNet2DConditionModel

    config = unet_config(folder)
    with config_checked(folder), _without_numbers():
        unet = UNet2DConditionModel.from_config(config)
    path = files.first_present(folder, UNET_NAMES, UNET_FILE)
    files.load_into(unet, files.read_tensors(path), path)
    return unet.eval().requires_grad_(False)


def load_text(folder: Path, tokenizer: Path) -> IdentityText:
    """The identity prompt's encoder and its tokenizer.

    Raises:
        MissingModel: a file is absent or damaged, or the tokenizer does not know the identity word.
    """
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    with config_checked(folder):
        encoder = CLIPTextModel(CLIPTextConfig(**files.read_config(folder / CONFIG)))
    path = files.first_present(folder, TEXT_NAMES, TEXT_FILE)
    files.load_into(encoder, _text_names(files.read_tensors(path), encoder), path)
    if not tokenizer.is_dir():
        raise files.absent("The tokenizer", tokenizer)
    try:
        words = CLIPTokenizer.from_pretrained(str(tokenizer), local_files_only=True)
        return IdentityText(encoder.eval().requires_grad_(False), words)
    except Exception as wrong:  # the reader of merges raises plain exceptions
        raise MissingModel(
            f"{tokenizer} holds no tokenizer that knows the identity word.",
            do="Use the tokenizer of stable-diffusion-v1-5.",
        ) from wrong


def load_vae(folder: Path) -> Any:
    """The full autoencoder of Stable Diffusion 1.5, float32, on the CPU."""
    from diffusers import AutoencoderKL

    return _autoencoder(folder, AutoencoderKL)


def load_tiny_vae(folder: Path) -> Any:
    """The tiny autoencoder (TAESD), float32, on the CPU."""
    from diffusers import AutoencoderTiny

    return _autoencoder(folder, AutoencoderTiny)


def _autoencoder(folder: Path, kind: Any) -> Any:
    config = files.read_config(folder / CONFIG)
    if config.get("_class_name") != kind.__name__:
        raise MissingModel(
            f"{folder} holds {config.get('_class_name')}, not {kind.__name__}.",
            do="Use the autoencoder of stable-diffusion-v1-5, and TAESD for the tiny one.",
        )
    with config_checked(folder), _without_numbers():
        vae = kind.from_config(config)
    path = files.first_present(folder, UNET_NAMES, VAE_FILE)
    files.load_into(vae, _attention_names(files.read_tensors(path)), path)
    return vae.eval().requires_grad_(False)


@contextmanager
def config_checked(folder: Path, name: str = CONFIG) -> Iterator[None]:
    """Turn errors of diffusers over a config into a sentence.

    They come from unknown words, values of the wrong kind, sizes below 0, divisions by 0.
    """
    try:
        yield
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as wrong:
        raise MissingModel(
            f"{folder / name} does not describe anything that can be built.",
            do=f"Use the {name} that was published with the weights.",
        ) from wrong


@contextmanager
def _without_numbers() -> Iterator[None]:
    """Build networks without weights, which come from the file.

    Warnings are off, as published configs have fields that later versions dropped.
    """
    from diffusers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with torch.device("meta"):
            yield
    finally:
        logging.set_verbosity(before)


def _text_names(weights: files.Weights, encoder: Any) -> files.Weights:
    """The weights with the prefix `text_model.` that some versions of the library have."""
    has_prefix = next(iter(encoder.state_dict())).startswith("text_model.")
    prefix = "text_model." if has_prefix else ""
    return {
        prefix + name.removeprefix("text_model."): tensor
        for name, tensor in weights.items()
        if not name.endswith("position_ids")  # a buffer that older versions saved
    }


def _attention_names(weights: files.Weights) -> files.Weights:
    """Weights with the names of today; Stable Diffusion 1.5 names its attention the old way."""
    new = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
    out = {}
    for name, tensor in weights.items():
        *path, layer, kind = name.split(".")
        if layer in new and "attentions" in path:
            out[".".join([*path, new[layer], kind])] = tensor.flatten(1 if kind == "weight" else 0)
        else:
            out[name] = tensor
    return out
