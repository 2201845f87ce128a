"""Read all networks of the diffusion generator, check that they fit together, and move them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from retarget.errors import MissingModel
from retarget.generate.diffusion import attention, files, read_networks
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


@dataclass(frozen=True, eq=False)
class Networks:
    """All networks, on their device."""

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
    """Read every network that `settings` need, and move it to `device`.

    Raises:
        MissingModel: a file is missing or damaged, or does not fit the others.
    """
    source = read_networks.own_unet(settings.base) if settings.base else locate("unet")
    counted = sizes(source, settings, locate)
    check_memory(counted, settings, device)
    unet = read_networks.load_unet(source)
    text = read_networks.load_text(locate("encoder"), locate("tokenizer"))
    check_family(unet, text, source)
    expression = ExpressionAdapter.load(locate("expression-adapter"), unet)
    updates = Updates(unet, _loras(settings, locate, unet))
    vae = _load_vae(settings, locate)
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


def _load_vae(settings: DiffusionSettings, locate: Locate) -> Any:
    if settings.chosen().decoder == "tiny":
        return read_networks.load_tiny_vae(locate("tiny-vae"))
    return read_networks.load_vae(locate("vae"))


def _settle(unet: Any, vae: Any, device: torch.device, dtype: torch.dtype) -> None:
    """Move networks to their device, in the layout that is fastest for them."""
    for network in (unet, vae):
        # The library's own `to` warns about float32 parts even without any.
        torch.nn.Module.to(network, device, dtype).to(memory_format=torch.channels_last)
    for layer in attention.layers(unet, attention.SELF).values():
        layer.fuse_projections()


def sizes(source: Path, settings: DiffusionSettings, locate: Locate) -> Sizes:
    """Sizes of the networks that `settings` need, from the headers of their files."""
    config = read_networks.unet_config(source)
    vae = locate("tiny-vae" if settings.chosen().decoder == "tiny" else "vae")
    encoder = locate("encoder")
    return Sizes(
        unet=files.numbers_in(
            files.first_present(source, read_networks.UNET_NAMES, read_networks.UNET_FILE)
        ),
        text=files.numbers_in(
            files.first_present(encoder, read_networks.TEXT_NAMES, read_networks.TEXT_FILE)
        ),
        expression=files.numbers_in(locate("expression-adapter")),
        vae=files.numbers_in(
            files.first_present(vae, read_networks.UNET_NAMES, read_networks.VAE_FILE)
        ),
        latent_side=config["sample_size"],
    )


def check_family(unet: Any, text: IdentityText, source: Path) -> None:
    """Refuse a UNet whose prompts have another width than this encoder's.

    Raises:
        MissingModel: the widths differ.
    """
    wants, has = unet.config.cross_attention_dim, text.encoder.config.hidden_size
    if wants != has:
        raise MissingModel(
            f"{source} reads prompts {wants} wide, and the identity encoder writes {has}: it is "
            "of another family.",
            do=read_networks.FAMILY,
        )


def _denoiser(
    unet: Any,
    folder: Path,
    settings: DiffusionSettings,
    device: torch.device,
    tell: Callable[[str], None],
) -> Denoiser:
    """The denoising loop; its schedule is checked before anything is drawn."""
    name, chosen = "scheduler_config.json", settings.chosen()
    graphs = Graphs(tell) if choose_graphs(device, settings.graphs) else None
    made = Denoiser(unet, files.read_config(folder / name), graphs)
    with read_networks.config_checked(folder, name):
        made.laid_out(Schedule(scheduler=chosen.scheduler, steps=chosen.steps))
    return made


def _loras(settings: DiffusionSettings, locate: Locate, unet: Any) -> list[tuple[Lora, float]]:
    files_at = [(locate("reference-adapter"), settings.reference_scale)]
    if settings.chosen().few_steps:
        files_at.append((locate(f"{settings.chosen().scheduler}-lora"), 1.0))
    files_at += [(path, settings.lora_scale) for path in settings.loras]
    return [(read_lora(path, unet), scale) for path, scale in files_at]
