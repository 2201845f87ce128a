"""Measure time, operations and memory of a call."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost of one call."""

    seconds: float
    """Wall time."""
    flops: float
    """Floating-point operations of its matrix products, convolutions and attention."""
    peak_bytes: float
    """Peak memory of tensors made in the call."""


def cost(call: Callable[[], object], device: torch.device, repeats: int = 1) -> Cost:
    """Run `call` once to count and `repeats` times to time; the shortest time counts."""
    with torch.inference_mode():
        counter = FlopCounterMode(display=False, custom_mapping=_ATTENTION)
        with counter as flops, PeakMemory() as memory:
            call()
        seconds = seconds_of(call, device, repeats)
    return Cost(
        seconds=seconds, flops=float(flops.get_total_flops()), peak_bytes=float(memory.peak)
    )


def _attention_flops(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """Of attention between tensors of these shapes."""
    return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]


_ATTENTION = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops}
"""PyTorch's counter lacks attention on the CPU."""


class PeakMemory(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sums the storage of the tensors that exist at each moment."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._now = 0
        self._known: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run the operation and note its new tensors."""
        given = {_key(t) for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)}
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor) and _key(tensor) not in given:
                self._note(tensor)
        return made

    def _note(self, tensor: torch.Tensor) -> None:
        storage, key = tensor.untyped_storage(), _key(tensor)
        if key in self._known:
            return
        size = storage.nbytes()

        def gone(_: object) -> None:
            self._known.pop(key, None)
            self._now -= size

        self._known[key] = weakref.ref(storage, gone)
        self._now += size
        self.peak = max(self.peak, self._now)


def _key(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def seconds_of(call: Callable[[], object], device: torch.device, repeats: int = 1) -> float:
    """Wall time of one call in seconds, the shortest of several.

    On a GPU many calls are timed together, so that synchronisation does not count.
    """
    with torch.inference_mode():
        calls = 1
        if device.type != "cpu":
            calls = max(round(_LONG_ENOUGH / _clocked(call, device, 1)), 1)
        return min(_clocked(call, device, calls) / calls for _ in range(repeats))


_LONG_ENOUGH = 0.3
"""Seconds."""


def device_peak(call: Callable[[], object], device: torch.device, weights: float) -> float:
    """Peak memory on a device during a call, in bytes.

    Args:
        call: called once.
        device: with CUDA all memory reserved by PyTorch counts, else that of tensors.
        weights: bytes of weights, added where the device does not count them itself.
    """
    with torch.inference_mode():
        if device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(device)
            call()
            return float(torch.cuda.max_memory_reserved(device))
        with PeakMemory() as memory:
            call()
        return weights + float(memory.peak)


def _clocked(call: Callable[[], object], device: torch.device, calls: int) -> float:
    wait: Callable[[], None] = (
        (lambda: None) if device.type == "cpu" else getattr(torch, device.type).synchronize
    )
    wait()
    start = time.perf_counter()
    for _ in range(calls):
        call()
    wait()
    return time.perf_counter() - start
