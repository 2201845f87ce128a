"""Too little memory is one sentence, with a setting that fits where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from retarget.errors import RetargetError
from retarget.generate.diffusion import memory
from retarget.generate.diffusion.draw import Draw
from retarget.generate.diffusion.generator import DiffusionGenerator
from retarget.generate.diffusion.memory import Sizes, check_memory, memory_watched, on_device
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.models.parts import ModelFolder

from . import scene

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
SD15 = Sizes(
    unet=859_520_964, text=123_060_480, expression=25_000_000, vae=83_653_863, latent_side=64
)
BEST = DiffusionSettings(quality="best", batch=8)


def there_is(monkeypatch: pytest.MonkeyPatch, here: float, there: float | None = None) -> None:
    monkeypatch.setattr(memory.host, "free_memory", lambda: here)
    monkeypatch.setattr(memory.host, "free_address_space", lambda: None)
    monkeypatch.setattr(memory, "free_on", lambda device: there if device == CUDA else None)


def test_draft_fits_six_gigabytes_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    there_is(monkeypatch, 32e9, 6e9)
    check_memory(SD15, DiffusionSettings(quality="draft"), CUDA)
    with pytest.raises(RetargetError, match="memory on cuda"):
        check_memory(SD15, BEST, CUDA)


@pytest.mark.parametrize(
    ("free", "said"),
    [
        (7.3e9, "--diffusion.batch 4"),
        (6.5e9, "--diffusion.batch 2"),
        (5.5e9, "--diffusion.batch 1 --diffusion.precision half"),
        (3.0e9, "--diffusion.batch 1 --diffusion.quality draft"),
    ],
)
def test_the_first_lighter_setting_that_fits_is_named(
    monkeypatch: pytest.MonkeyPatch, free: float, said: str
) -> None:
    there_is(monkeypatch, 32e9, free)
    with pytest.raises(RetargetError, match="memory on cuda") as told:
        check_memory(SD15, BEST, CUDA)
    assert said in told.value.do
    needs = float(told.value.do.split("which needs ")[1].split()[0])
    assert needs * 1e9 <= free + 0.05e9


def test_where_no_setting_fits_something_else_is_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    there_is(monkeypatch, 32e9, 1e9)
    with pytest.raises(RetargetError, match="memory on cuda") as told:
        check_memory(SD15, BEST, CUDA)
    assert "--generator warp" in told.value.do and "--diffusion" not in told.value.do


def test_what_is_named_is_lighter_also_where_single_options_were_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there_is(monkeypatch, 32e9, 3.0e9)
    asked = replace(BEST, quality="standard", guidance=4.0, decoder="full", precision="full")
    with pytest.raises(RetargetError) as told:
        check_memory(SD15, asked, CUDA)
    words = told.value.do.removeprefix("Use ").split(",")[0].replace("--diffusion.", "").split()
    named = dict(zip(words[::2], words[1::2], strict=True))
    assert named.pop("batch") == "1" and float(named.pop("guidance")) == 1.0
    less = replace(asked, batch=1, guidance=1.0, **named)
    assert on_device(SD15, less, CUDA) < 3.0e9 < on_device(SD15, asked, CUDA)


def test_reading_needs_the_hosts_memory_whatever_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    there_is(monkeypatch, 4e9, 80e9)
    with pytest.raises(RetargetError, match=r"GB of memory with .* 4\.0 GB are free") as told:
        check_memory(SD15, DiffusionSettings(), CUDA)
    assert "--generator warp" in told.value.do


def test_a_limit_of_address_space_counts_the_mapped_file_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there_is(monkeypatch, 6e9)
    check_memory(SD15, DiffusionSettings(), CPU)
    monkeypatch.setattr(memory.host, "free_address_space", lambda: 6e9)
    with pytest.raises(RetargetError, match=r"address space .* 6\.0 GB are free"):
        check_memory(SD15, DiffusionSettings(), CPU)


def test_a_recorded_pass_has_memory_of_its_own() -> None:
    asked = DiffusionSettings(batch=8)
    more = on_device(SD15, asked, CUDA) - on_device(SD15, replace(asked, graphs="off"), CUDA)
    assert 0.4e9 < more < 0.8e9  # a pass of eight frames at 16 bits


REFUSALS = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes"),
    RuntimeError("std::bad_alloc"),
    RuntimeError("could not create a primitive"),
    RuntimeError("can't start new thread"),
    ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    OSError(12, "Cannot allocate memory"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda r: f"{type(r).__name__}: {r}"[:40])
def test_every_way_of_refusing_memory_is_one_sentence(refusal: Exception) -> None:
    with (
        pytest.raises(RetargetError, match="more memory than is free") as told,
        memory_watched(lambda: "Do less."),
    ):
        raise refusal
    assert told.value.do == "Do less." and told.value.__cause__ is refusal


@pytest.mark.parametrize("other", [RuntimeError("shapes differ"), ValueError("can't allocate")])
def test_other_errors_stay_what_they_are(other: Exception) -> None:
    with pytest.raises(type(other)) as told, memory_watched(lambda: "Do less."):
        raise other
    assert told.value is other


@pytest.fixture
def drawing(models: Path) -> Iterator[DiffusionGenerator]:
    settings = DiffusionSettings(quality="draft", device="cpu", precision="full", batch=4)
    yield DiffusionGenerator(settings, ModelFolder(models))


def test_memory_that_ends_while_drawing_is_one_sentence_that_names_a_smaller_batch(
    drawing: DiffusionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(Draw, "latents", full)
    with pytest.raises(RetargetError, match="more memory than is free") as told:
        list(drawing(iter(scene.requests(scene.person(), 2))))
    assert "--diffusion.batch 2" in told.value.do


def test_memory_that_ends_while_reading_is_one_sentence(
    drawing: DiffusionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(torch.nn.Module, "load_state_dict", full)
    with pytest.raises(RetargetError, match="more memory than is free") as told:
        drawing.prepare(scene.person())
    assert "--generator warp" in told.value.do
