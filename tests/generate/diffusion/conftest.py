"""The tiny model set and the recorded numbers; skipped as a whole without the diffusion extra."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

for package in ("torch", "diffusers", "transformers", "safetensors", "onnxruntime"):
    pytest.importorskip(package, reason=f"needs {package}: pip install 'retarget[diffusion]'")

import torch  # noqa: E402

from . import tiny  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny networks gain nothing from threads and lose much where others compute too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad():
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def recorded() -> Mapping[str, npt.NDArray[np.generic]]:
    with np.load(Path(__file__).with_name("recorded.npz"), allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}
