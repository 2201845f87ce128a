"""Estimate the memory of drawing, check that it is free, and suggest settings that fit."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from retarget.errors import RetargetError
from retarget.flow import free_memory as host
from retarget.generate.diffusion.device import choose_dtype, choose_graphs
from retarget.generate.diffusion.settings import QUALITIES, DiffusionSettings

_GB = 1e9
_SLACK = 0.6e9
"""Bytes of the runtime and its kernels, in addition to tensors."""
_READ_BYTES = 4
"""Bytes of a number while reading, as updates are added in float32."""
_STEP_NUMBERS, _FULL_NUMBERS, _TINY_NUMBERS = 8_320, 49_160, 12_296
"""Peak count of numbers in a step, in the full and in the tiny decoder, per latent pixel and row;
measured by `bench` at the sizes of Stable Diffusion 1.5."""
_REFUSALS = (
    "not enough memory", "can't allocate", "Cannot allocate memory", "bad_alloc",
    "failed to map segment", "could not create a primitive", "can't start new thread",
)  # fmt: skip
"""Messages of PyTorch, oneDNN, the library loader and Python for too little memory."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The count of weights of each network, from the headers of their files."""

    unet: int
    text: int
    expression: int
    vae: int
    latent_side: int
    """Width and height of a latent."""

    @property
    def weights(self) -> int:
        """Of all networks."""
        return self.unet + self.text + self.expression + self.vae


def on_device(sizes: Sizes, settings: DiffusionSettings, device: torch.device) -> float:
    """Bytes on the device: all weights, and the peak of drawing a batch."""
    dtype = choose_dtype(device, settings.chosen().precision)
    return float((sizes.weights + _moment(sizes, settings, device)) * dtype.itemsize)


def on_host(sizes: Sizes, settings: DiffusionSettings, device: torch.device) -> float:
    """Bytes on the host: of reading, and also of drawing if the device is the CPU."""
    reading = float(sizes.weights * _READ_BYTES)
    if device.type != "cpu":
        return reading
    dtype = choose_dtype(device, settings.chosen().precision)
    return reading + _moment(sizes, settings, device) * dtype.itemsize


def in_address_space(sizes: Sizes, settings: DiffusionSettings, device: torch.device) -> float:
    """Bytes of address space, where the UNet's file is mapped in addition to its weights."""
    return on_host(sizes, settings, device) + sizes.unet * _READ_BYTES


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A kind of memory."""

    name: str
    needed: Callable[[Sizes, DiffusionSettings, torch.device], float]
    free: float | None
    """None: not known."""

    def holds(self, sizes: Sizes, settings: DiffusionSettings, device: torch.device) -> bool:
        takes = self.needed(sizes, settings, device) + _SLACK
        return self.free is None or takes <= self.free


def check_memory(sizes: Sizes, settings: DiffusionSettings, device: torch.device) -> None:
    """Refuse settings that do not fit, before anything is read.

    Raises:
        RetargetError: there is too little memory on the host or on the device.
    """
    places = _places(device)
    for place in places:
        if not place.holds(sizes, settings, device):
            takes = place.needed(sizes, settings, device) + _SLACK
            raise RetargetError(
                f"The diffusion generator needs {takes / _GB:.1f} GB of {place.name} with these "
                f"settings, and {(place.free or 0.0) / _GB:.1f} GB are free.",
                do=_lighter(sizes, settings, device, places),
            )


def after_running_out(
    sizes: Sizes | None, settings: DiffusionSettings, device: torch.device
) -> str:
    """Advice after memory ran out: the first lighter setting that fits by estimate."""
    if sizes is None:
        return _NOTHING_LIGHTER
    return _lighter(sizes, settings, device, _places(device, held=sizes.weights * _READ_BYTES))


def free_on(device: torch.device) -> float | None:
    """Bytes of a device's own memory that are free or reserved by PyTorch; None: not known."""
    if device.type != "cuda":
        return None
    return float(torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device))


def _places(device: torch.device, held: float = 0.0) -> list[_Place]:
    """The kinds of memory needed; `held` bytes of the host are used by the networks already."""
    here, mapped = host.free_memory(), host.free_address_space()
    return [
        _Place(name="memory", needed=on_host, free=None if here is None else here + held),
        _Place(
            name="address space (ulimit -v)",
            needed=in_address_space,
            free=None if mapped is None else mapped + held,
        ),
        _Place(name=f"memory on {device}", needed=on_device, free=free_on(device)),
    ]


def _lighter(
    sizes: Sizes, settings: DiffusionSettings, device: torch.device, places: list[_Place]
) -> str:
    """Advice with the first lighter setting that fits everywhere."""
    for change in _changes(settings):
        less = replace(settings, **change)
        if all(place.holds(sizes, less, device) for place in places):
            options = " ".join(f"--diffusion.{name} {value}" for name, value in change.items())
            takes = (on_host if device.type == "cpu" else on_device)(sizes, less, device)
            return f"Use {options}, which needs {(takes + _SLACK) / _GB:.1f} GB."
    return _NOTHING_LIGHTER


_NOTHING_LIGHTER = (
    "Close other programs, raise the limit that is set for this one, draw on a device with more "
    "memory, or use --generator warp, which takes far less."
)


@contextmanager
def memory_watched(what_to_do: Callable[[], str]) -> Iterator[None]:
    """Turn running out of memory inside the block into one sentence.

    Args:
        what_to_do: gives the second sentence.

    Raises:
        RetargetError: memory ran out, in any library.
    """
    try:
        yield
    except (MemoryError, RuntimeError, ImportError, OSError) as failed:
        if not _refused(failed):
            raise
        raise RetargetError(
            "Drawing with these settings needs more memory than is free.", do=what_to_do()
        ) from failed


def _changes(settings: DiffusionSettings) -> Iterator[Mapping[str, Any]]:
    """Changes that reduce memory, in order: smaller batches, 16 bits, the draft quality."""
    batch = settings.batch // 2
    while batch:
        yield {"batch": batch}
        batch //= 2
    yield {"batch": 1, "precision": "half"}
    asked = {n: v for n, v in QUALITIES["draft"].items() if getattr(settings, n) not in (None, v)}
    yield {"batch": 1, "quality": "draft", **asked}


def _moment(sizes: Sizes, settings: DiffusionSettings, device: torch.device) -> int:
    """Peak count of numbers while drawing, without the weights."""
    chosen = settings.chosen()
    step = _STEP_NUMBERS * settings.batch * (1 if chosen.guidance == 1.0 else 2)
    decoding = _FULL_NUMBERS if chosen.decoder == "full" else _TINY_NUMBERS * settings.batch
    recorded = step if choose_graphs(device, settings.graphs) else 0  # a graph keeps its own memory
    return sizes.latent_side**2 * (max(step, decoding) + recorded)


def _refused(failed: BaseException) -> bool:
    if isinstance(failed, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    if isinstance(failed, OSError) and failed.errno == errno.ENOMEM:
        return True
    return any(words in str(failed) for words in _REFUSALS)
