"""A model set on tiny random weights, for every test that draws by diffusion.

Without the diffusion extra, such tests are skipped.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import torch

    from retarget.generate.diffusion.places import Locate
    from retarget.generate.diffusion.settings import DiffusionSettings


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models folder in the layout that Arc2Face's README describes."""
    for package in ("torch", "diffusers", "transformers", "safetensors", "onnxruntime"):
        pytest.importorskip(package, reason="needs pip install 'retarget[diffusion]'")
    from generate.diffusion import tiny

    return tiny.write(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def all_models(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same with the map from blendshapes; its digest and the others' are made to hold."""
    from generate.diffusion import tiny

    from retarget.flow import flame
    from retarget.models import catalog

    folder = tmp_path_factory.mktemp("all")
    shutil.copytree(models.parent, folder, copy_function=os.link, dirs_exist_ok=True)
    digests = tiny.write_flame_map(folder / "models" / "flame-map")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flame, "MAP_FILES", {name: digests[name] for name in flame.MAP_FILES})
        patch.setattr(catalog, "FILES", tuple(replace(f, sha256=None) for f in catalog.FILES))
        yield folder / "models"


@pytest.fixture(scope="module")
def read_once(models: Path) -> Iterator[None]:
    """Generators that need the same networks share them: reading takes longer than drawing."""
    from retarget.generate.diffusion import generator

    load_networks = generator.load_networks
    read: dict[object, Any] = {}

    def load(
        settings: DiffusionSettings,
        locate: Locate,
        device: torch.device,
        dtype: torch.dtype,
        tell: Callable[[str], None],
    ) -> Any:
        chosen = settings.chosen()
        own = settings.base, settings.loras, settings.compile, settings.reference_scale
        key = chosen.few_steps, chosen.scheduler, chosen.decoder, dtype, locate("unet"), own
        if key not in read:
            read[key] = load_networks(settings, locate, device, dtype, tell)
        return read[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generator, "load_networks", load)
        yield
