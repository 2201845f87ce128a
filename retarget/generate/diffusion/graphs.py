"""Record the network's pass as a CUDA graph and replay it: one launch in place of hundreds.

A pass of Stable Diffusion 1.5's network has some 800 kernels, each launched from Python, and with a
small batch a fast GPU computes faster than they are launched. A CUDA graph launches them all at
once, but always on the same memory. So all inputs of a pass (latents, time, keys and values of
photo, prompt and expression) have fixed buffers, into which new values are copied.

`torch.compile(mode="reduce-overhead")` records graphs as well, but only of what it compiles: it
needs a compiler and minutes, records anew when a buffer moves, and fails on blocks that are
compiled one by one and feed each other (pytorch issue 152887). Recorded here, compiled and plain
blocks both work.

Each recording is checked: it is made over zeros and compared with the plain pass on the first
batch, so that a value recorded as a constant is detected. If anything fails, plain passes are used,
with one warning.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import Any

import torch

Pass = Callable[[torch.Tensor, Any], torch.Tensor]
"""Rows (n, 4, h, w) and the time of the step → the predicted noise, (n, 4, h, w)."""
Replay = Callable[[], torch.Tensor]
"""Repeats the recording; its result is always in the same tensor."""
Recorder = Callable[[Callable[[], torch.Tensor]], Replay]
"""Runs a call and records its kernels with their memory."""

_WARM_UPS = 3
"""Passes before a recording, in which libraries choose kernels and allocate memory."""
_MOST_SHAPES = 4
"""Recordings kept at the same time; each holds the memory of one pass."""
_APART = {torch.float32: 1e-3, torch.float16: 5e-3, torch.bfloat16: 2e-2}
"""The largest difference of a replay from the plain pass, relative to the largest value. Equal
kernels agree exactly; others, chosen by the memory available, differ by rounding."""


def record_cuda(call: Callable[[], torch.Tensor]) -> Replay:
    """Record a call on the current CUDA device.

    Raises:
        RuntimeError: something in it cannot be recorded, or there is not enough memory.
    """
    current = torch.cuda.current_stream()
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(current)
    with torch.cuda.stream(aside):
        for _ in range(_WARM_UPS):
            call()
    current.wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    try:
        # Other threads' use of the device must not make it fail.
        with torch.cuda.graph(graph, stream=aside, capture_error_mode="thread_local"):
            told = call()
    finally:
        torch.cuda.set_stream(current)  # a recording that fails at its end leaves its own stream

    def replay() -> torch.Tensor:
        graph.replay()
        return told

    return replay


class Graphs:
    """The recorded passes of one network, one for each shape of what enters.

    Args:
        tell: called once with a warning if plain passes are used instead.
        record: makes a recording.
    """

    def __init__(self, tell: Callable[[str], None], record: Recorder = record_cuda) -> None:
        self._tell = tell
        self._record = record
        self._passes: OrderedDict[Hashable, FixedPass] = OrderedDict()
        self._given_up = False

    def of(
        self, network: Pass, seeing: Mapping[str, torch.nn.Module], fixed: Hashable
    ) -> FixedPass | None:
        """The recorded pass for these attention processors.

        Args:
            network: the plain pass.
            seeing: attention processors by layer path, their keys and values in buffers.
            fixed: other constants of a recording; each value has a pass of its own.

        Returns:
            A pass whose own processors must be set when it is called; None where recording was
            given up.
        """
        if self._given_up:
            return None
        key = fixed, tuple((path, _shapes(module)) for path, module in seeing.items())
        if key not in self._passes:
            self._passes[key] = FixedPass(network, seeing, self._record, self._give_up)
            while len(self._passes) > _MOST_SHAPES:
                self._passes.popitem(last=False)
        self._passes.move_to_end(key)
        self._passes[key].see(seeing)
        return self._passes[key]

    def _give_up(self, why: str) -> None:
        if not self._given_up:
            self._tell(f"CUDA graphs are not used: {why}.")
        self._given_up = True
        self._passes.clear()


class FixedPass:
    """One pass whose inputs have fixed buffers.

    Args:
        network: the plain pass.
        seeing: attention processors of the right shapes; copies of them are kept.
        record: makes the recording, at the first call.
        give_up: called with the reason if recording fails.
    """

    def __init__(
        self,
        network: Pass,
        seeing: Mapping[str, torch.nn.Module],
        record: Recorder,
        give_up: Callable[[str], None],
    ) -> None:
        self._network = network
        self._record = record
        self._give_up = give_up
        own = {id(buffer): _zeros(buffer) for buffer in _buffers(seeing)}
        self.processors = {path: copy.deepcopy(module, own) for path, module in seeing.items()}
        """To be set while the pass is called."""
        self._buffers = _buffers(self.processors)
        self._seen: list[torch.Tensor] = []
        self._filled: list[torch.Tensor | None] = [None] * len(self._buffers)
        self._given: tuple[torch.Tensor, torch.Tensor] | None = None
        self._replay: Replay | None = None

    def see(self, seeing: Mapping[str, torch.nn.Module]) -> None:
        """Set the keys and values of further calls, from processors of the same shapes."""
        self._seen = _buffers(seeing)

    def __call__(self, rows: torch.Tensor, t: Any) -> torch.Tensor:
        """The noise predicted for rows (n, 4, h, w), which always have the same shape.

        Args:
            rows: noisy latents.
            t: the time of the step, a number or a tensor of one.
        """
        if self._given is None:
            return self._first(rows, t)
        self._fill(self._given, rows, t)
        return self._network(*self._given) if self._replay is None else self._replay().clone()

    def _first(self, rows: torch.Tensor, t: Any) -> torch.Tensor:
        """Record over zeros, then compare on the given values."""
        given = _zeros(rows), _zeros(torch.as_tensor(t, device=rows.device))
        self._given = given
        replay, why = _recorded(self._record, partial(self._network, *given))
        self._fill(given, rows, t)
        plain = self._network(*given)
        if replay is not None:
            replay, why = _checked(replay, plain)
        self._replay = replay
        if replay is None:
            self._give_up(why)
        return plain

    def _fill(self, given: tuple[torch.Tensor, torch.Tensor], rows: torch.Tensor, t: Any) -> None:
        if rows.shape != given[0].shape:
            raise ValueError(f"made for rows {tuple(given[0].shape)}, got {tuple(rows.shape)}")
        given[0].copy_(rows)
        given[1].copy_(torch.as_tensor(t))
        for number, (buffer, new) in enumerate(zip(self._buffers, self._seen, strict=True)):
            if self._filled[number] is not new:  # photo and prompt are the same for a whole clip
                buffer.copy_(new)
                self._filled[number] = new


def _recorded(record: Recorder, call: Callable[[], torch.Tensor]) -> tuple[Replay | None, str]:
    """The recording, or why there is none."""
    try:
        return record(call), ""
    except RuntimeError as failed:
        return None, f"recording failed ({first_line(failed)})"


def _checked(replay: Replay, plain: torch.Tensor) -> tuple[Replay | None, str]:
    """The recording if it agrees with the plain pass, or why it is not used."""
    try:
        apart = float((replay() - plain).abs().max() / plain.abs().max())
    except RuntimeError as failed:
        return None, f"a replay failed ({first_line(failed)})"
    if not apart <= _APART.get(plain.dtype, 0.0):  # also where it is not a number
        return None, f"a replay was {apart:.1%} away from the plain pass"
    return replay, ""


def first_line(failed: Exception) -> str:
    """The first line of an error of PyTorch, which may be pages."""
    return (str(failed).strip().splitlines() or [type(failed).__name__])[0][:120]


def _shapes(module: torch.nn.Module) -> tuple[object, ...]:
    return type(module), *((b.shape, b.dtype, b.device) for b in module.buffers())


def _buffers(processors: Mapping[str, torch.nn.Module]) -> list[torch.Tensor]:
    return [buffer for module in processors.values() for buffer in module.buffers()]


def _zeros(like: torch.Tensor) -> torch.Tensor:
    """A tensor that can be written in every mode, unlike one made in inference mode."""
    with torch.inference_mode(False):
        return torch.zeros(like.shape, dtype=like.dtype, device=like.device)
