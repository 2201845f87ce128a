"""Low-rank updates (LoRA), added into the weights they belong to.

A file stores, for each linear or convolution layer it touches, two thin matrices whose product is
added to the layer's weight (Hu et al., arXiv 2106.09685). Three naming schemes are in use,
sometimes mixed within a file, and other loaders ignore names they do not know. So names are parsed
here, and a tensor without a layer is an error.

An update that is added to the weights costs nothing while drawing. `Updates.taken_out` restores the
plain weights for the one pass that needs them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from retarget.errors import MissingModel
from retarget.generate.diffusion.files import Weights, read_tensors

_DOWN = (".lora.down.weight", ".lora_A.weight", ".lora_A.default.weight", ".lora_down.weight",
         "_lora.down.weight")  # fmt: skip
_UP = (".lora.up.weight", ".lora_B.weight", ".lora_B.default.weight", ".lora_up.weight",
       "_lora.up.weight")  # fmt: skip
_PARTS = (*((e, "down") for e in _DOWN), *((e, "up") for e in _UP), (".alpha", "alpha"))
_UNET_PREFIXES = ("lora_unet_", "unet.", "base_model.model.")
_TEXT_PREFIXES = ("lora_te_", "text_encoder.")


@dataclass(frozen=True, eq=False)
class LowRank:
    """The update of one layer: weight += scale · up @ down."""

    down: torch.Tensor
    """(rank, inputs), or (rank, inputs, h, w) for a convolution."""
    up: torch.Tensor
    """(outputs, rank), or (outputs, rank, 1, 1)."""
    factor: float
    """alpha / rank; 1 where the file has no alpha."""

    def delta(self, shape: torch.Size) -> torch.Tensor:
        """The update as a tensor of the weight's own shape, in float32."""
        product = self.up.flatten(1).float() @ self.down.flatten(1).float()
        return (self.factor * product).reshape(shape)


Lora = Mapping[str, LowRank]
"""One file's updates by module path in the UNet."""


def read_lora(path: Path, unet: torch.nn.Module) -> Lora:
    """Read a LoRA file for `unet`, in any naming scheme.

    Raises:
        MissingModel: the file is damaged, or a tensor has no layer.
    """
    grouped: dict[str, dict[str, torch.Tensor]] = {}
    paths = _module_paths(unet)
    for name, tensor in read_tensors(path).items():
        module, part = _place(name, paths, path)
        grouped.setdefault(module, {})[part] = tensor
    return {m: _low_rank(m, parts, unet, path) for m, parts in grouped.items()}


class Updates:
    """The updates of one UNet, and its plain weights."""

    def __init__(self, unet: torch.nn.Module, loras: Iterable[tuple[Lora, float]]) -> None:
        """Collect the updates of each LoRA with its scale; nothing is added yet."""
        self._unet = unet
        self._added: dict[str, list[tuple[LowRank, float]]] = {}
        for lora, scale in loras:
            for module, update in lora.items():
                self._added.setdefault(module, []).append((update, scale))
        self._plain: Weights = {}

    def add(self) -> None:
        """Add every update into its weight, before the network is moved anywhere.

        The plain weights stay in the mapped file, without memory of their own; layers get new ones.
        """
        if self._plain:
            return
        for module in self._added:
            layer = self._unet.get_submodule(module)
            self._plain[module] = self._weight(module)
            layer.weight = torch.nn.Parameter(
                torch.empty_like(self._plain[module]), requires_grad=False
            )
        self._write()

    @contextmanager
    def taken_out(self) -> Iterator[None]:
        """Use the plain weights inside the block."""
        for module, plain in self._plain.items():
            self._weight(module).copy_(plain)
        try:
            yield
        finally:
            self._write()

    @torch.no_grad()
    def _write(self) -> None:
        for module, plain in self._plain.items():
            weight = self._weight(module)
            whole = plain.float()
            for update, scale in self._added[module]:
                whole = whole + scale * update.delta(plain.shape)
            weight.copy_(whole)

    def _weight(self, module: str) -> torch.Tensor:
        weight = self._unet.get_submodule(module).weight
        assert isinstance(weight, torch.Tensor)  # noqa: S101 - checked when the file was read
        return weight.data


def _module_paths(unet: torch.nn.Module) -> dict[str, str]:
    """Every name of every layer → its path."""
    paths = {}
    for name, module in unet.named_modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
            paths[name] = name
            paths[name.replace(".", "_")] = name
            # The older scheme names the attention processor instead of the projection.
            paths[re.sub(r"\.(to_[qkv]|to_out)(\.0)?$", r".processor.\1", name)] = name
            paths[re.sub(r"\.to_out\.0$", ".to_out", name)] = name
    return paths


def _place(name: str, paths: Mapping[str, str], source: Path) -> tuple[str, str]:
    if name.startswith(_TEXT_PREFIXES):
        raise MissingModel(
            f"{source} also changes a text encoder ({name!r}), which the identity encoder is not.",
            do="Use a LoRA that was trained on the UNet only.",
        )
    for ending, part in _PARTS:
        if name.endswith(ending):
            stem = name[: -len(ending)]
            for prefix in _UNET_PREFIXES:
                stem = stem.removeprefix(prefix)
            if stem in paths:
                return paths[stem], part
    raise MissingModel(
        f"{source} does not fit this UNet: nothing here answers to {name!r}.",
        do="Use a LoRA made for Stable Diffusion 1.5, in the diffusers or kohya layout.",
    )


def _low_rank(
    module: str, parts: Mapping[str, torch.Tensor], unet: torch.nn.Module, source: Path
) -> LowRank:
    if not {"up", "down"} <= parts.keys():
        raise MissingModel(f"{source} holds half of an update for {module!r}.", do="Get it again.")
    down, up = parts["down"], parts["up"]
    weight = unet.get_submodule(module).weight
    assert isinstance(weight, torch.Tensor)  # noqa: S101 - a Linear or Conv2d
    rank = down.shape[0]
    fits = up.shape[1] == rank and up.shape[0] * down[0].numel() == weight.numel()
    if not fits or up.shape[0] != weight.shape[0] or up[0].numel() != rank:
        raise MissingModel(
            f"{source} does not fit this UNet: {module!r} is {tuple(weight.shape)}, its update "
            f"{tuple(up.shape)} x {tuple(down.shape)}.",
            do="Use a LoRA made for Stable Diffusion 1.5.",
        )
    alpha = float(parts["alpha"]) if "alpha" in parts else float(rank)
    return LowRank(down, up, alpha / rank)
