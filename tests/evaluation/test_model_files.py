"""Files that measure are held to their digests as those that draw are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from retarget.errors import MissingModel
from retarget.evaluation import model_files
from retarget.evaluation.settings import EvaluateSettings
from retarget.models import catalog, folders
from retarget.models.catalog import ModelFile
from retarget.models.lock import Lock, Locked


@pytest.fixture(autouse=True)
def no_other_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(folders.VARIABLE, raising=False)
    monkeypatch.setattr(folders, "cache", lambda: tmp_path / "cache")


@pytest.mark.parametrize(
    ("find", "model"),
    [
        (model_files.landmarker, catalog.LANDMARKER),
        (model_files.arcface, catalog.ARCFACE),
        (model_files.smirk, catalog.SMIRK),
    ],
)
def test_a_found_file_that_is_another_is_refused(
    tmp_path: Path, find: Callable[[EvaluateSettings], Path | None], model: ModelFile
) -> None:
    settings = EvaluateSettings(models=tmp_path)
    path = tmp_path / model.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"junk")
    Lock(tmp_path).keep(model.path, Locked(sha256=64 * "0"))  # some have no other digest
    with pytest.raises(MissingModel, match="not the file it should be"):
        find(settings)


@pytest.mark.parametrize("name", ["absent.task", "a" * 300])
def test_a_file_that_is_named_and_not_there_is_told(name: str) -> None:
    with pytest.raises(MissingModel, match="There is no model file a"):
        model_files.landmarker(EvaluateSettings(landmarker=Path(name)))


def test_what_is_nowhere_is_not_measured(tmp_path: Path) -> None:
    assert model_files.landmarker(EvaluateSettings(models=tmp_path)) is None
