"""What tests of every room share: drawn examples, and a model set on tiny random weights.

Without the diffusion extra, tests that draw by diffusion are skipped; without a tracker's models,
those that follow a face.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from outside import NO_BUNDLE, can_track

from retarget.errors import MissingModel

# How long an example takes tells of the machine, not of the program.
settings.register_profile("retarget", deadline=None)
settings.load_profile("retarget")

if TYPE_CHECKING:
    import torch

    from retarget.generate.diffusion.places import Locate
    from retarget.generate.diffusion.settings import DiffusionSettings


@contextmanager
def _skipped_without_tracker() -> Iterator[None]:
    """Newer releases of mediapipe come without models, so that no face can be followed."""
    try:
        yield
    except MissingModel as absent:
        if can_track() or "face_landmarker.task" not in absent.what:
            raise
        pytest.skip(NO_BUNDLE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    with _skipped_without_tracker():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    with _skipped_without_tracker():
        return (yield)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models folder in the layout that Arc2Face's README describes."""
    for package in ("torch", "diffusers", "transformers", "safetensors", "onnxruntime"):
        pytest.importorskip(package, reason="needs pip install 'retarget[diffusion]'")
    from generate.diffusion import tiny

    return tiny.write(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def models_and_map(
    models: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """The same with the map from blendshapes; and the map's digests."""
    from generate.diffusion import tiny

    folder = tmp_path_factory.mktemp("all")
    shutil.copytree(models.parent, folder, copy_function=os.link, dirs_exist_ok=True)
    return folder / "models", tiny.write_flame_map(folder / "models" / "flame-map")


@pytest.fixture
def all_models(
    models_and_map: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The same; the published files' digests, which these have not, do not count."""
    from retarget.flow import flame
    from retarget.models import catalog

    folder, digests = models_and_map
    monkeypatch.setattr(flame, "MAP_FILES", {name: digests[name] for name in flame.MAP_FILES})
    monkeypatch.setattr(catalog, "FILES", tuple(replace(f, sha256=None) for f in catalog.FILES))
    return folder


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
