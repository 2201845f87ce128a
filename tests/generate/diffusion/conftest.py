"""The tiny model set and the recorded numbers; without the diffusion extra, files are skipped."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from retarget.errors import MissingModel

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel

NEEDED = ("torch", "diffusers", "transformers", "safetensors", "onnxruntime")


def _absent() -> list[str]:
    return [name for name in NEEDED if not _is_there(name)]


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:  # taken out of this interpreter on purpose
        return False


class _Skipped(pytest.Module):
    """A test file that is not even imported, because its packages are absent."""

    def collect(self) -> Iterator[pytest.Item]:
        pytest.skip(
            f"needs {', '.join(_absent())}: pip install 'retarget[diffusion]'",
            allow_module_level=True,
        )


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> _Skipped | None:
    return _Skipped.from_parent(parent, path=module_path) if _absent() else None


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny networks gain nothing from threads and lose much where others compute too."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad():
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def recorded() -> Mapping[str, npt.NDArray[np.generic]]:
    with np.load(Path(__file__).with_name("recorded.npz"), allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}


@pytest.fixture(scope="module")
def unet(models: Path) -> UNet2DConditionModel:
    from retarget.generate.diffusion import read_networks

    return read_networks.load_unet(models / "arc2face")


@pytest.fixture
def copied(models: Path, tmp_path: Path) -> Callable[[str], Path]:
    def copy(name: str) -> Path:
        source, target = models / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
        return target

    return copy


def one_sentence(problem: MissingModel) -> None:
    assert problem.what.endswith(".") and problem.what.count("\n") == 0
    assert problem.do
