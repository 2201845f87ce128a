"""Read weight files safely, with one sentence for each error.

`.safetensors` holds numbers only. `.bin` and `.pt` files are pickles, which can contain code: they
are read with PyTorch's restricted reader, which accepts only tensors and plain containers.
"""

from __future__ import annotations

import json
import math
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from retarget.errors import MissingModel

Weights = dict[str, torch.Tensor]

_AGAIN = (
    "Get it again from where it came; the generator's own files come with `retarget models pull "
    "diffusion` once the damaged one is deleted."
)
_MOST_HEAD = 100_000_000
"""Bytes of a header; the format allows no longer ones."""
_PICKLE_BEGINNINGS = (b"PK\x03\x04", b"\x80")


def absent(what: str, looked_in: Path) -> MissingModel:
    """The error for a model file that is not there."""
    return MissingModel(
        f"{what} is missing: looked for {looked_in}.",
        do="Check the name; the generator's own files come with `retarget models pull diffusion`, "
        "and --models names their folder.",
    )


def read_tensors(path: Path) -> Weights:
    """Every tensor of a flat weight file, by name.

    Raises:
        MissingModel: the file is missing or damaged, or holds code or no tensors.
    """
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    return _flat(read_pickle(path), path)


def read_pickle(path: Path) -> Any:
    """The content of a `.bin` or `.pt` file: tensors in plain containers, never code.

    Raises:
        MissingModel: the file is absent, cut short, or holds anything else.
    """
    if not path.is_file():
        raise absent(path.name, path)
    with path.open("rb") as file:
        beginning = file.read(4)
    if not beginning.startswith(_PICKLE_BEGINNINGS):
        raise MissingModel(f"{path} is not a PyTorch weight file.", do=_AGAIN)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the age of a pickle
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as unsafe:
        raise MissingModel(
            f"{path} holds something other than plain tensors, which could run code when read.",
            do="Do not use this file; get it again from its publisher.",
        ) from unsafe
    except (RuntimeError, EOFError, ValueError, KeyError, OSError, zipfile.BadZipFile) as broken:
        raise MissingModel(f"{path} is damaged or cut short.", do=_AGAIN) from broken


def numbers_in(path: Path) -> int:
    """The count of numbers in a weight file, from its header.

    A pickle has no header: numbers of four bytes are assumed.

    Raises:
        MissingModel: the file is absent, or its head is damaged.
    """
    if not path.is_file():
        raise absent(path.name, path)
    if path.suffix != ".safetensors":
        return path.stat().st_size // 4
    try:
        with path.open("rb") as file:
            head = file.read(min(int.from_bytes(file.read(8), "little"), _MOST_HEAD))
        told = {name: entry for name, entry in json.loads(head).items() if name != "__metadata__"}
        return sum(math.prod(entry["shape"]) for entry in told.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as broken:
        raise MissingModel(f"{path} is damaged or cut short.", do=_AGAIN) from broken


def read_config(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        MissingModel: the file is absent or not a JSON object.
    """
    if not path.is_file():
        raise absent(path.name, path)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as broken:
        raise MissingModel(f"{path} is not a readable JSON file.", do=_AGAIN) from broken
    if not isinstance(config, dict):
        raise MissingModel(f"{path} is not a model's configuration.", do=_AGAIN)
    return config


def first_present(folder: Path, names: tuple[str, ...], what: str) -> Path:
    """The first of several file names that exists in `folder`.

    Raises:
        MissingModel: none exists.
    """
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise absent(what, folder / names[0])


def load_into(module: torch.nn.Module, weights: Mapping[str, torch.Tensor], source: Path) -> None:
    """Load `weights` into `module`, in float32; all names and shapes must fit.

    Raises:
        MissingModel: a tensor is missing, left over, of another shape, or of integers instead of
            floats; the message names the first one.
    """
    own = module.state_dict()
    missing, extra = own.keys() - weights.keys(), weights.keys() - own.keys()
    if missing or extra:
        kind, name = ("lacks", min(missing)) if missing else ("has an unknown", min(extra))
        raise MissingModel(
            f"{source} does not fit its configuration: it {kind} tensor {name!r} "
            f"({len(missing)} missing, {len(extra)} left over).",
            do="Use the weight file and the config.json that were published together.",
        )
    for name, tensor in own.items():
        if tensor.shape != weights[name].shape:
            raise MissingModel(
                f"{source} does not fit its configuration: {name!r} is "
                f"{tuple(weights[name].shape)}, not {tuple(tensor.shape)}.",
                do="Use the weight file and the config.json that were published together.",
            )
        if tensor.is_floating_point() and not weights[name].is_floating_point():
            raise MissingModel(
                f"{source} is quantised: {name!r} holds {weights[name].dtype} without a scale.",
                do="Use the weights in float32, float16 or bfloat16.",
            )
    ready = {n: t.float() if t.is_floating_point() else t for n, t in weights.items()}
    module.load_state_dict(ready, strict=True, assign=True)


def _read_safetensors(path: Path) -> Weights:
    if not path.is_file():
        raise absent(path.name, path)
    try:
        weights: Weights = load_file(path)
    except (SafetensorError, OSError, ValueError) as broken:
        raise MissingModel(f"{path} is damaged or cut short.", do=_AGAIN) from broken
    return weights


def _flat(found: Any, path: Path) -> Weights:
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]
    if not isinstance(found, dict):
        raise MissingModel(f"{path} holds no named tensors.", do=_AGAIN)
    weights = {str(k): v for k, v in found.items() if isinstance(v, torch.Tensor)}
    if not weights:
        raise MissingModel(f"{path} holds no named tensors.", do=_AGAIN)
    return weights
