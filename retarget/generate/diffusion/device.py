"""Choose device, precision and CUDA graphs, and refuse what the machine lacks."""

from __future__ import annotations

import torch

from retarget.errors import RetargetError
from retarget.generate.diffusion.settings import WithGraphs


def choose_device(name: str) -> torch.device:
    """The device of that name; "auto" takes the fastest one.

    Raises:
        RetargetError: there is no such device.
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

    Half is float16 on a GPU, as published: its rounding is an eighth of bfloat16's, and so is the
    difference of pictures to 32 bits. On a CPU it is bfloat16 if the CPU has instructions for it;
    else 32 bits, which are faster.
    """
    if precision == "full":
        return torch.float32
    if device.type == "cpu":
        return torch.bfloat16 if _cpu_has_bfloat16() else torch.float32
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


def _cpu_has_bfloat16() -> bool:
    flags = torch.backends.cpu.get_cpu_capability()
    described = torch.cpu._is_avx512_bf16_supported() if "AVX512" in flags else False
    return bool(described or torch.cpu._is_amx_tile_supported())
