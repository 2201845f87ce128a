"""Recordings on any device, in place of CUDA graphs.

A CUDA graph launches the same kernels on the same memory again, without asking Python. A tape does
the same operations again on the same tensors: all but the launching is as with CUDA.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map


class Tape(TorchDispatchMode):
    """Does a call's operations again on the tensors they were done on."""

    def __init__(self) -> None:
        super().__init__()
        self._done: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        self._done.append((func, args, kwargs or {}, made))
        return made

    def replay(self) -> None:
        now: dict[int, torch.Tensor] = {}
        for func, args, kwargs, made in self._done:
            given = tree_map(lambda x: now.get(id(x), x), (args, kwargs))
            again = func(*given[0], **given[1])
            for old, new in zip(tree_leaves(made), tree_leaves(again), strict=True):
                now[id(old)] = new
        last = self._done[-1][-1]
        last.copy_(now[id(last)])  # a graph tells into the same memory every time


class Recordings:
    """Records on tapes and counts them and their replays."""

    def __init__(self) -> None:
        self.made = self.replayed = 0

    def __call__(self, call: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        self.made += 1
        with Tape() as tape:
            told = call()

        def replay() -> torch.Tensor:
            self.replayed += 1
            tape.replay()
            return told

        return replay
