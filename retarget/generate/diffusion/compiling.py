"""Compile the network's repeated blocks, and fall back to plain ones where that fails.

A compiler must be installed (C++ for a CPU, Triton for a GPU) and support every operation, which is
only known at the first frame. If not, plain blocks are used, with one warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from retarget.generate.diffusion.graphs import first_line

_RESIDUAL = "ResnetBlock2D"
"""Compiled in addition to the library's attention blocks: they take half of a pass, and without
compiling their norms copy every tensor to another layout and back."""


def compile_blocks(unet: Any, tell: Callable[[str], None], backend: Any = "inductor") -> None:
    """Compile every repeated block of a network of the library diffusers at its first use."""
    kinds = {*unet._repeated_blocks, _RESIDUAL}
    blocks = [module for module in unet.modules() if type(module).__name__ in kinds]
    _allow(len(blocks))
    for block in blocks:
        block.compile(dynamic=False, backend=backend)  # batches are padded to the same size

    def give_up(why: Exception) -> None:
        for block in blocks:
            block._compiled_call_impl = None
        tell(f"The network could not be compiled and is used as it is ({first_line(why)}).")

    for block in blocks:
        block._compiled_call_impl = _trying(block, give_up)


def _allow(shapes: int) -> None:
    """Allow compiling one block's code for so many shapes; the default limit is low."""
    from torch._dynamo import config

    for name in ("recompile_limit", "cache_size_limit"):  # the later and the earlier name
        if hasattr(config, name):
            setattr(config, name, max(getattr(config, name), shapes))


@contextmanager
def uncompiled(network: torch.nn.Module) -> Iterator[None]:
    """Use plain blocks inside the `with`, for a single pass that is not worth compiling."""
    blocks: Any = network.modules()
    found = {b: b._compiled_call_impl for b in blocks if b._compiled_call_impl is not None}
    try:
        for block in found:
            block._compiled_call_impl = None
        yield
    finally:
        for block, call in found.items():
            block._compiled_call_impl = call


def _trying(block: Any, give_up: Callable[[Exception], None]) -> Callable[..., Any]:
    from torch._dynamo.exc import TorchDynamoException  # takes a second: only where it is wanted

    compiled = block._compiled_call_impl

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return compiled(*args, **kwargs)
        except TorchDynamoException as failed:
            give_up(failed)
            return block._call_impl(*args, **kwargs)

    return call
