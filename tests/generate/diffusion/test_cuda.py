"""What holds on a CUDA device, where passes are recorded and numbers have 16 bits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from retarget.errors import RetargetError
from retarget.flow.arrays import Reals
from retarget.flow.report import Report
from retarget.flow.values import FaceRequest
from retarget.generate.diffusion.generator import DiffusionGenerator
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.models.parts import ModelFolder

from . import scene
from .cuda import on_cuda

pytestmark = on_cuda


@pytest.fixture(scope="module")
def asked() -> list[FaceRequest]:
    return scene.requests(scene.person(), 9, cuts=(0, 5))


def drawn(
    models: Path, asked: list[FaceRequest], report: Report | None = None, **settings: object
) -> Reals:
    """(n, height, width, 3) pixels, 0 to 255."""
    told = DiffusionSettings(quality="draft", device="cuda", **settings)  # type: ignore[arg-type]
    made = DiffusionGenerator(told, ModelFolder(models), report=report)
    return np.stack([face.rgb for face in made(iter(asked))]).astype(np.float64)


def apart(one: Reals, other: Reals) -> tuple[float, float]:
    """Largest and mean difference in grey levels."""
    return float(np.abs(one - other).max()), float(np.abs(one - other).mean())


@pytest.mark.parametrize("guidance", [1.0, 3.0])
@pytest.mark.parametrize("precision", ["full", "half"])
def test_recorded_passes_are_used_and_draw_what_plain_ones_draw(
    models: Path, asked: list[FaceRequest], precision: str, guidance: float
) -> None:
    report = Report()
    how = {"precision": precision, "guidance": guidance}
    recorded = drawn(models, asked, report, graphs="on", **how)
    assert not [line for line in report.warnings if "CUDA graphs" in line]
    most, mean = apart(recorded, drawn(models, asked, graphs="off", **how))
    # Libraries choose other kernels for a recording, and guidance makes their rounding larger.
    assert most <= 4 * guidance
    assert mean < 0.1 * guidance


def test_sixteen_bits_draw_nearly_what_thirty_two_draw(
    models: Path, asked: list[FaceRequest]
) -> None:
    most, mean = apart(drawn(models, asked), drawn(models, asked, precision="full"))
    assert most <= 4
    assert mean < 0.25


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_the_pixels_hardly_depend_on_the_batch(
    models: Path, asked: list[FaceRequest], batch: int
) -> None:
    """Other sizes are worked through by other kernels, which round otherwise."""
    most, mean = apart(drawn(models, asked), drawn(models, asked, batch=batch))
    assert most <= 4
    assert mean < 0.1


def test_the_same_is_drawn_twice(models: Path, asked: list[FaceRequest]) -> None:
    assert apart(drawn(models, asked), drawn(models, asked)) == (0, 0)


def test_a_compiled_network_draws_nearly_the_same(models: Path, asked: list[FaceRequest]) -> None:
    report = Report()
    compiled = drawn(models, asked, report, compile=True)
    assert not [line for line in report.warnings if "not be compiled" in line or "graphs" in line]
    most, mean = apart(drawn(models, asked), compiled)
    assert most <= 6
    assert mean < 0.25


@pytest.fixture
def little_memory() -> Iterator[None]:
    torch.cuda.empty_cache()
    whole = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(6e7 / whole)
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)


@pytest.mark.usefixtures("little_memory")
def test_too_little_memory_is_one_sentence_with_a_way_out(
    models: Path, asked: list[FaceRequest]
) -> None:
    with pytest.raises(RetargetError, match="more memory than is free") as told:
        drawn(models, asked, batch=8)
    assert told.value.do
