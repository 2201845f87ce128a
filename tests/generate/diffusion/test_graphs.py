"""Recorded passes: what enters lies still, pixels stay the same, and what fails falls back.

Recordings on tape stand in for CUDA graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from retarget.errors import RetargetError
from retarget.generate.diffusion import attention, device, generator, graphs, load
from retarget.generate.diffusion.denoise import Conditions, Denoiser, Schedule, prompt_memory
from retarget.generate.diffusion.draw import Draw, Frame
from retarget.generate.diffusion.generator import DiffusionGenerator
from retarget.generate.diffusion.graphs import Graphs, Recorder
from retarget.generate.diffusion.load import Networks, load_networks
from retarget.generate.diffusion.read_networks import load_unet
from retarget.generate.diffusion.reference_adapter import Reference
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.models.parts import ModelFolder

from . import scene, tiny
from .tape import Recordings

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
QUICK = DiffusionSettings(quality="draft", device="cpu", precision="full", batch=2)
FEW = Schedule(scheduler="lcm", steps=2, guidance=1.0)


@pytest.fixture(scope="module")
def nets(models: Path) -> Networks:
    return load_networks(DiffusionSettings(quality="best"), ModelFolder(models), CPU, torch.float32)


def seeded(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@cache
def conditions(nets: Networks, seed: int, rows: int = 1) -> Conditions:
    """Another person with another expression for every seed."""
    faces = torch.nn.functional.normalize(seeded(rows, 512, seed=seed), dim=1)
    prompt, nothing = nets.text.of(faces), nets.expression.tokens(torch.zeros(1, 55))
    return Conditions(
        prompt=prompt_memory(nets.unet, prompt),
        expression=nets.expression.memory(nets.expression.tokens(tiny.expressions()[seed % 3])),
        reference=nets.reference.prepare(seeded(rows, 4, 8, 8, seed=seed), prompt),
        without=(prompt_memory(nets.unet, nets.text.empty()), nets.expression.memory(nothing)),
    )


def denoiser(nets: Networks, record: Recorder, told: list[str] | None = None) -> Denoiser:
    found = [] if told is None else told
    return Denoiser(nets.unet, nets.denoiser._config, Graphs(found.append, record))


@pytest.mark.parametrize(("scheduler", "guidance"), [("lcm", 1.0), ("dpm", 3.0)])
def test_replays_draw_what_plain_passes_draw_for_every_person_and_expression(
    nets: Networks, guidance: float, scheduler: str
) -> None:
    schedule = Schedule(scheduler=scheduler, steps=2, guidance=guidance)
    told: list[str] = []
    tapes, noise = Recordings(), seeded(2, 4, 8, 8)
    recorded = denoiser(nets, tapes, told)
    for seed in (0, 1, 0):
        asked = conditions(nets, seed)
        wanted = nets.denoiser.run(asked, schedule, noise)
        assert torch.equal(recorded.run(asked, schedule, noise), wanted)
    assert (tapes.made, told) == (1, [])
    assert tapes.replayed == 3 * 2  # one of them only to compare


def test_no_buffer_of_a_recorded_pass_ever_moves(nets: Networks) -> None:
    made = denoiser(nets, Recordings())
    places = []
    for seed in range(2):
        asked = conditions(nets, seed)
        made.run(asked, FEW, seeded(1, 4, 8, 8, seed=seed))
        (held,) = made._graphs._passes.values()
        tensors = [*held._given, *held._buffers]
        places.append([t.data_ptr() for t in tensors])
        kept = held.processors[path := next(iter(asked.reference.memory))]
        assert torch.equal(kept.key, asked.reference.memory[path].key)
        assert {t.data_ptr() for t in held._buffers}.isdisjoint(s.data_ptr() for s in held._seen)
    assert places[0] == places[1]
    assert len(set(places[0])) == 2 + 2 * 16 + 4 * 16  # rows, time, keys and values per layer


def test_what_stays_the_same_for_a_clip_is_copied_once(
    nets: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, asked = denoiser(nets, Recordings()), conditions(nets, 0)
    made.run(asked, FEW, seeded(1, 4, 8, 8))
    (held,) = made._graphs._passes.values()
    for buffer in held._buffers:
        buffer.zero_()
    made.run(replace(asked, expression=conditions(nets, 1).expression), FEW, seeded(1, 4, 8, 8))
    assert not any(b.any() for b in held.processors["mid_block.attentions.0."
        "transformer_blocks.0.attn1"].buffers())  # fmt: skip
    cross = held.processors["mid_block.attentions.0.transformer_blocks.0.attn2"]
    assert cross.expression_key.any() and not cross.prompt_key.any()


def test_each_shape_is_recorded_once_and_only_the_last_few_are_kept(nets: Networks) -> None:
    tapes = Recordings()
    made = denoiser(nets, tapes)
    for count in (1, 2, 1):
        made.run(conditions(nets, 0), FEW, seeded(count, 4, 8, 8))
    assert tapes.made == 2
    made.run(conditions(nets, 0, rows=2), FEW, seeded(2, 4, 8, 8))  # two people
    made.run(replace(conditions(nets, 0), reference=None), FEW, seeded(1, 4, 8, 8))
    made.run(conditions(nets, 0), replace(FEW, expression_scale=0.5), seeded(1, 4, 8, 8))
    assert tapes.made == 5
    assert len(made._graphs._passes) == graphs._MOST_SHAPES
    with pytest.raises(ValueError, match="made for rows"):
        made.run(conditions(nets, 0), FEW, seeded(1, 4, 16, 16))


def test_a_recording_that_fails_is_told_once_and_plain_passes_go_on(
    nets: Networks, told_once: list[str]
) -> None:
    tried = []

    def broken(call: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        tried.append(1)
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    same_as_plain(nets, denoiser(nets, broken, told_once))
    assert len(tried) == 1
    assert "operation not permitted" in told_once[0] and "more" not in told_once[0]


def test_a_replay_that_fails_is_told_once_and_plain_passes_go_on(
    nets: Networks, told_once: list[str]
) -> None:
    def record(call: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        def replay() -> torch.Tensor:
            raise RuntimeError("out of memory")

        return replay

    same_as_plain(nets, denoiser(nets, record, told_once))


@pytest.mark.parametrize("what", ["rows", "time", "reference", "prompt", "expression"])
def test_a_number_recorded_where_it_should_be_read_is_seen_on_the_first_batch(
    nets: Networks, told_once: list[str], what: str
) -> None:
    class Stale(Recordings):
        def __call__(self, call: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
            (held,) = made._graphs._passes.values()
            stale, replay = inputs(held, what), super().__call__(call)
            assert stale and not any(tensor.any() for tensor in stale)

            def as_recorded() -> torch.Tensor:
                now = [tensor.clone() for tensor in stale]
                for tensor in stale:
                    tensor.zero_()
                told = replay()
                for tensor, number in zip(stale, now, strict=True):
                    tensor.copy_(number)
                return told

            return as_recorded

    made = denoiser(nets, Stale(), told_once)
    same_as_plain(nets, made, 1)
    assert "away from the plain pass" in told_once[0]


def inputs(held: graphs.FixedPass, what: str) -> list[torch.Tensor]:
    """The buffers of one kind of input."""
    if what in ("rows", "time"):
        return [held._given[("rows", "time").index(what)]]
    kind = attention.SelfAttention if what == "reference" else attention.CrossAttention
    name = "" if what == "reference" else what
    found = [m for m in held.processors.values() if isinstance(m, kind)]
    return [b for m in found for n, b in m.named_buffers() if n.startswith(name)]


@pytest.fixture
def told_once() -> Iterator[list[str]]:
    told: list[str] = []
    yield told
    assert len(told) == 1


def same_as_plain(nets: Networks, made: Denoiser, people: int = 2) -> None:
    for seed in range(people):
        asked, noise = conditions(nets, seed), seeded(1, 4, 8, 8)
        assert torch.equal(made.run(asked, FEW, noise), nets.denoiser.run(asked, FEW, noise))
    assert not made._graphs._passes


class Stream:
    """A stand-in for one of CUDA's."""

    current: Any = None

    def __init__(self) -> None:
        self.awaited: list[Stream] = []

    def wait_stream(self, other: Stream) -> None:
        self.awaited.append(other)


@contextmanager
def within(stream: Stream, *, ends: bool = True) -> Iterator[None]:
    """Like torch's, whose recording leaves its own stream in place where its end fails."""
    before, Stream.current = Stream.current, stream
    yield
    if not ends:
        raise RuntimeError("capture invalidated")
    Stream.current = before


@pytest.mark.parametrize("ends", [True, False])
def test_a_call_is_warmed_up_and_recorded_aside_and_the_stream_is_as_it_was(
    monkeypatch: pytest.MonkeyPatch, *, ends: bool
) -> None:
    mine = Stream.current = Stream()
    replays, seen = [], []
    stand_ins = {
        "current_stream": lambda: Stream.current,
        "set_stream": lambda stream: setattr(Stream, "current", stream),
        "Stream": Stream,
        "stream": within,
        "CUDAGraph": lambda: SimpleNamespace(replay=lambda: replays.append(1)),
        "graph": lambda _, stream, capture_error_mode: within(stream, ends=ends),
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)

    def call() -> torch.Tensor:
        seen.append(Stream.current)
        return torch.ones(1)

    if ends:
        replay = graphs.record_cuda(call)
        assert replay() is replay() and len(replays) == 2
    else:
        with pytest.raises(RuntimeError, match="invalidated"):
            graphs.record_cuda(call)
    assert Stream.current is mine
    assert len(seen) > 2 and len(set(seen)) == 1 and seen[0] is not mine
    assert mine.awaited == seen[:1] and seen[0].awaited == [mine]


def test_a_pass_asks_the_host_for_nothing(models: Path) -> None:
    """On a device without numbers no value can be looked at and no tensor of the host's be used."""
    unet = load_unet(models / "arc2face").to("meta")
    made = Denoiser(unet, {})
    prompt = torch.empty(1, 77, tiny.WIDTH, device="meta")
    reference = Reference(
        {
            path: attention.project(
                layer, torch.empty(1, 64, layer.to_k.in_features, device="meta")
            )
            for path, layer in attention.layers(unet, attention.SELF).items()
        }
    )
    words = prompt_memory(unet, prompt)
    asked = Conditions(prompt=words, expression=words, reference=reference, without=(words, words))
    strangers = []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            made = func(*args, **(kwargs or {}))
            tensors = [x for x in tree_leaves((args, kwargs, made)) if torch.is_tensor(x)]
            strangers.extend(func for x in tensors if x.device.type != "meta")
            return made

    rows = torch.empty(2, 4, 8, 8, device="meta")
    with made.scope(asked, Schedule(guidance=3.0), 1), Watch():
        told = made.predict(rows, torch.empty((), dtype=torch.int64, device="meta"))
    assert told.shape == rows.shape
    assert strangers == []


def test_graphs_are_for_cuda_and_asking_for_them_elsewhere_is_refused(models: Path) -> None:
    chosen = {
        (kind.type, asked): device.choose_graphs(kind, asked)
        for kind in (CPU, CUDA, torch.device("mps"))
        for asked in ("auto", "on", "off")
        if asked != "on" or kind == CUDA
    }
    assert [pair for pair, graphed in chosen.items() if graphed] == [
        ("cuda", "auto"),
        ("cuda", "on"),
    ]
    with pytest.raises(RetargetError, match="drawing is done on cpu") as told:
        DiffusionGenerator(replace(QUICK, graphs="on"), ModelFolder(models))
    assert "--diffusion.graphs" in told.value.do


def test_a_clip_drawn_with_recordings_has_the_same_pixels(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a CUDA device: chosen by itself, whole batches only, one recording for the clip."""
    asked = scene.requests(scene.person(), 5)
    plain = list(DiffusionGenerator(QUICK, ModelFolder(models))(iter(asked)))
    tapes, sizes, latents = Recordings(), [], Draw.latents

    def counting(draw: Draw, frames: list[Frame], *more: object) -> torch.Tensor:
        sizes.append(len(frames))
        return latents(draw, frames, *more)

    monkeypatch.setattr(Draw, "latents", counting)
    for room in (load, generator):
        monkeypatch.setattr(room, "choose_graphs", lambda _, asked: asked == "auto")
    monkeypatch.setattr(load, "Graphs", lambda tell: Graphs(tell, tapes))
    made = list(DiffusionGenerator(QUICK, ModelFolder(models))(iter(asked)))
    assert (sizes, tapes.made) == ([2, 2, 2], 1)
    assert tapes.replayed == 3 * QUICK.chosen().steps
    for one, other in zip(plain, made, strict=True):
        assert np.abs(one.rgb.astype(int) - other.rgb).max() <= 1
