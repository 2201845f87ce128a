"""Where to compute and in what precision, refused in one sentence where it cannot be done."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from retarget.errors import RetargetError
from retarget.generate.diffusion.settings import WithGraphs

_GB = 1e9
_SLACK = 0.6e9
"""Bytes that the runtime and its kernels take beside the tensors."""


def choose_device(name: str) -> torch.device:
    """The device of that name; "auto" takes the fastest that is there.

    Raises:
        RetargetError: the device asked for is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(kind for kind, here in there.items() if here)
    if not there[name]:
        what = {"cuda": "CUDA device", "mps": "Apple GPU"}[name]
        raise RetargetError(
            f"There is no {what} that PyTorch can use here.",
            do="Use device auto or cpu, or install a PyTorch build for this machine's GPU.",
        )
    return torch.device(name)


def choose_dtype(device: torch.device, precision: str) -> torch.dtype:
    """The number format for "half" or "full" on a device.

    Half is bfloat16 where there are instructions for it, else float16 on a GPU. A CPU without
    them would only get slower, so it stays at 32 bits.
    """
    if precision == "full":
        return torch.float32
    if device.type == "cpu":
        return torch.bfloat16 if _cpu_has_bfloat16() else torch.float32
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float16


def choose_graphs(device: torch.device, asked: WithGraphs) -> bool:
    """Whether passes of the network are recorded as CUDA graphs.

    Raises:
        RetargetError: they were asked for, and the device has none.
    """
    if asked == "on" and device.type != "cuda":
        raise RetargetError(
            f"CUDA graphs were asked for, and drawing is done on {device.type}.",
            do="Leave --diffusion.graphs at auto, or use a CUDA device.",
        )
    return asked != "off" and device.type == "cuda"


def check_memory(device: torch.device, needed: float) -> None:
    """Refuse before loading what cannot fit.

    Args:
        device: where the networks will lie.
        needed: bytes of weights and of the largest moment of drawing.

    Raises:
        RetargetError: less than that is free.
    """
    free = free_memory(device)
    if free is not None and needed + _SLACK > free:
        raise _too_little(f"{(needed + _SLACK) / _GB:.1f} GB, and {free / _GB:.1f} GB are free")


def free_memory(device: torch.device) -> float | None:
    """Free bytes on the device; None where nobody says."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    if device.type == "cpu" and "SC_AVPHYS_PAGES" in os.sysconf_names:
        return _available_on_linux()
    return None


@contextmanager
def memory_watched() -> Iterator[None]:
    """Turn running out of memory inside the block into one sentence.

    Raises:
        RetargetError: an allocation failed.
    """
    try:
        yield
    except torch.OutOfMemoryError as full:
        raise _too_little("more memory than is free") from full
    except RuntimeError as failed:
        if "not enough memory" not in str(failed) and "can't allocate" not in str(failed):
            raise
        raise _too_little("more memory than is free") from failed


def _too_little(wanted: str) -> RetargetError:
    return RetargetError(
        f"Drawing with these settings needs {wanted}.",
        do="Use --diffusion.quality draft, --diffusion.batch 1, or --diffusion.precision half.",
    )


def _cpu_has_bfloat16() -> bool:
    flags = torch.backends.cpu.get_cpu_capability()
    described = torch.cpu._is_avx512_bf16_supported() if "AVX512" in flags else False
    return bool(described or torch.cpu._is_amx_tile_supported())


def _available_on_linux() -> float | None:
    try:
        with open("/proc/meminfo", encoding="ascii") as told:  # noqa: PTH123 - a kernel's answer
            for line in told:
                if line.startswith("MemAvailable:"):
                    return float(line.split()[1]) * 1024
    except OSError:
        return None
    return None
