"""Read the networks from their folders; the architecture comes from each config.

Whatever the libraries' own loaders would only warn about (a tensor that is missing, left over or
of another shape; an update that found no layer) is an error here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from retarget.errors import MissingModel
from retarget.generate.diffusion import attention, files
from retarget.generate.diffusion.compiling import compile_blocks
from retarget.generate.diffusion.decode import Pixels
from retarget.generate.diffusion.denoise import Denoiser, Schedule
from retarget.generate.diffusion.device import choose_graphs
from retarget.generate.diffusion.expression_adapter import ExpressionAdapter
from retarget.generate.diffusion.graphs import Graphs
from retarget.generate.diffusion.lora import Lora, Updates, read_lora
from retarget.generate.diffusion.memory import Sizes, check_memory
from retarget.generate.diffusion.places import Locate
from retarget.generate.diffusion.reference_adapter import ReferenceAdapter
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.generate.diffusion.text import IdentityText

_UNET = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors",
         "diffusion_pytorch_model.bin")  # fmt: skip
_TEXT = ("model.safetensors", "pytorch_model.bin")
_CONFIG = "config.json"
_UNET_FILE, _TEXT_FILE = "The UNet's weight file", "The text encoder's weight file"
_VAE_FILE = "The autoencoder's weight file"
_FAMILY = "Use a network of the Stable Diffusion 1.5 family."


@dataclass(frozen=True, eq=False)
class Networks:
    """Everything that draws, on its device."""

    unet: Any
    text: IdentityText
    pixels: Pixels
    expression: ExpressionAdapter
    reference: ReferenceAdapter
    denoiser: Denoiser
    device: torch.device
    sizes: Sizes

    @property
    def latent_side(self) -> int:
        """Width and height of a latent: 64 for Stable Diffusion 1.5."""
        return self.sizes.latent_side

    @property
    def side(self) -> int:
        """Width and height of a picture in pixels: 512 for Stable Diffusion 1.5."""
        return 8 * self.latent_side


def load_networks(
    settings: DiffusionSettings,
    locate: Locate,
    device: torch.device,
    dtype: torch.dtype,
    tell: Callable[[str], None] = lambda _: None,
) -> Networks:
    """Read every network that `settings` need and put it on `device`.

    Raises:
        MissingModel: a file is absent, damaged, or does not fit the others.
    """
    source = own_unet(settings.base) if settings.base else locate("unet")
    counted = sizes(source, settings, locate)
    check_memory(counted, settings, device)
    unet = load_unet(source)
    text = load_text(locate("encoder"), locate("tokenizer"))
    check_family(unet, text, source)
    expression = ExpressionAdapter.load(locate("expression-adapter"), unet)
    updates = Updates(unet, _loras(settings, locate, unet))
    tiny = settings.chosen().decoder == "tiny"
    vae = load_tiny_vae(locate("tiny-vae")) if tiny else load_vae(locate("vae"))
    updates.add()
    _settle(unet, vae, device, dtype)
    text.encoder.to(device, dtype)
    if settings.compile:
        compile_blocks(unet, tell)
    return Networks(
        unet=unet,
        text=text,
        pixels=Pixels(vae),
        expression=expression.to(device, dtype),
        reference=ReferenceAdapter(unet, updates.taken_out),
        denoiser=_denoiser(unet, locate("scheduler"), settings, device, tell),
        device=device,
        sizes=counted,
    )


def _settle(unet: Any, vae: Any, device: torch.device, dtype: torch.dtype) -> None:
    """Put what draws on its device, laid out as convolutions and self-attention work fastest."""
    for network in (unet, vae):
        # The library's own `to` warns about parts in float32 even where there are none.
        torch.nn.Module.to(network, device, dtype).to(memory_format=torch.channels_last)
    for layer in attention.layers(unet, attention.SELF).values():
        layer.fuse_projections()


def sizes(source: Path, settings: DiffusionSettings, locate: Locate) -> Sizes:
    """Of the networks that `settings` need, told by the heads of their files."""
    config = unet_config(source)
    vae = locate("tiny-vae" if settings.chosen().decoder == "tiny" else "vae")
    encoder = locate("encoder")
    return Sizes(
        unet=files.numbers_in(files.first_present(source, _UNET, _UNET_FILE)),
        text=files.numbers_in(files.first_present(encoder, _TEXT, _TEXT_FILE)),
        expression=files.numbers_in(locate("expression-adapter")),
        vae=files.numbers_in(files.first_present(vae, _UNET, _VAE_FILE)),
        latent_side=config["sample_size"],
    )


def own_unet(named: Path) -> Path:
    """The folder of a UNet that a person names: its own, or that of the pipeline it is part of.

    Raises:
        MissingModel: it is neither.
    """
    for folder in (named, named / "unet"):
        if (folder / _CONFIG).is_file():
            return folder
    raise MissingModel(
        f"{named} holds no UNet: neither config.json nor unet/config.json is there.",
        do=f"{_FAMILY} It has to lie in the folders of the library diffusers; a single file can be "
        "brought into them with its script convert_original_stable_diffusion_to_diffusers.py.",
    )


def unet_config(folder: Path) -> dict[str, Any]:
    """The `config.json` of a UNet of this family.

    Raises:
        MissingModel: it is absent, unreadable, or of another family.
    """
    config = files.read_config(folder / _CONFIG)
    if config.get("_class_name") != "UNet2DConditionModel" or config.get("in_channels") != 4:
        raise MissingModel(f"{folder} holds no UNet that draws from text.", do=_FAMILY)
    if config.get("addition_embed_type") is not None or config.get("encoder_hid_dim"):
        raise MissingModel(f"{folder} holds a UNet of another family (SDXL or later).", do=_FAMILY)
    if not isinstance(config.get("sample_size"), int):
        raise MissingModel(f"{folder} holds a UNet that does not say its size.", do=_FAMILY)
    return config


def load_unet(folder: Path) -> Any:
    """The UNet in a folder with `config.json` and its weights, float32, on the CPU."""
    from diffusers import UNet2DConditionModel

    config = unet_config(folder)
    with _config_checked(folder), _laid_out():
        unet = UNet2DConditionModel.from_config(config)
    path = files.first_present(folder, _UNET, _UNET_FILE)
    files.load_into(unet, files.read_tensors(path), path)
    return unet.eval().requires_grad_(False)


def load_text(folder: Path, tokenizer: Path) -> IdentityText:
    """The identity prompt's encoder and its tokenizer.

    Raises:
        MissingModel: a file is absent or damaged, or the tokenizer does not know the identity word.
    """
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    with _config_checked(folder):
        encoder = CLIPTextModel(CLIPTextConfig(**files.read_config(folder / _CONFIG)))
    path = files.first_present(folder, _TEXT, _TEXT_FILE)
    files.load_into(encoder, _text_names(files.read_tensors(path), encoder), path)
    if not tokenizer.is_dir():
        raise files.absent("The tokenizer", tokenizer)
    try:
        words = CLIPTokenizer.from_pretrained(str(tokenizer), local_files_only=True)
        return IdentityText(encoder.eval().requires_grad_(False), words)
    except Exception as wrong:  # the reader of merges raises nothing more particular
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


def check_family(unet: Any, text: IdentityText, source: Path) -> None:
    """Refuse a UNet that reads other prompts than this encoder writes.

    Raises:
        MissingModel: the widths differ.
    """
    wants, has = unet.config.cross_attention_dim, text.encoder.config.hidden_size
    if wants != has:
        raise MissingModel(
            f"{source} reads prompts {wants} wide, and the identity encoder writes {has}: it is "
            "of another family.",
            do=_FAMILY,
        )


def _denoiser(
    unet: Any,
    folder: Path,
    settings: DiffusionSettings,
    device: torch.device,
    tell: Callable[[str], None],
) -> Denoiser:
    """The denoising loop; its schedule is tried before anything is drawn."""
    name, chosen = "scheduler_config.json", settings.chosen()
    graphs = Graphs(tell) if choose_graphs(device, settings.graphs) else None
    made = Denoiser(unet, files.read_config(folder / name), graphs)
    with _config_checked(folder, name):
        made.laid_out(Schedule(scheduler=chosen.scheduler, steps=chosen.steps))
    return made


def _loras(settings: DiffusionSettings, locate: Locate, unet: Any) -> list[tuple[Lora, float]]:
    files_at = [(locate("reference-adapter"), settings.reference_scale)]
    if settings.chosen().few_steps:
        files_at.append((locate(f"{settings.chosen().scheduler}-lora"), 1.0))
    files_at += [(path, settings.lora_scale) for path in settings.loras]
    return [(read_lora(path, unet), scale) for path, scale in files_at]


def _autoencoder(folder: Path, kind: Any) -> Any:
    config = files.read_config(folder / _CONFIG)
    if config.get("_class_name") != kind.__name__:
        raise MissingModel(
            f"{folder} holds {config.get('_class_name')}, not {kind.__name__}.",
            do="Use the autoencoder of stable-diffusion-v1-5, and TAESD for the tiny one.",
        )
    with _config_checked(folder), _laid_out():
        vae = kind.from_config(config)
    path = files.first_present(folder, _UNET, _VAE_FILE)
    files.load_into(vae, _attention_names(files.read_tensors(path)), path)
    return vae.eval().requires_grad_(False)


@contextmanager
def _config_checked(folder: Path, name: str = _CONFIG) -> Iterator[None]:
    """Turn what diffusers raises over a config into a sentence.

    That is whatever its own lines run into: words it does not know, values of the wrong kind,
    sizes below 0, a division by 0.
    """
    try:
        yield
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as wrong:
        raise MissingModel(
            f"{folder / name} does not describe anything that can be built.",
            do=f"Use the {name} that was published with the weights.",
        ) from wrong


@contextmanager
def _laid_out() -> Iterator[None]:
    """Networks made inside the block have shapes but no numbers yet: those come from the file.

    Published configs name fields that later versions dropped; that is worth no line.
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
    """The published names start with `text_model.`; the library's own do so in some versions."""
    has_prefix = next(iter(encoder.state_dict())).startswith("text_model.")
    prefix = "text_model." if has_prefix else ""
    return {
        prefix + name.removeprefix("text_model."): tensor
        for name, tensor in weights.items()
        if not name.endswith("position_ids")  # a buffer that older versions saved
    }


def _attention_names(weights: files.Weights) -> files.Weights:
    """Stable Diffusion 1.5's own file names its attention the older way, with 1x1 convolutions."""
    new = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
    out = {}
    for name, tensor in weights.items():
        *path, layer, kind = name.split(".")
        if layer in new and "attentions" in path:
            out[".".join([*path, new[layer], kind])] = tensor.flatten(1 if kind == "weight" else 0)
        else:
            out[name] = tensor
    return out
