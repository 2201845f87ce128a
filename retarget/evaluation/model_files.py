"""Which model files are available; none is fetched, and measures that lack one are skipped."""

from __future__ import annotations

from pathlib import Path

from retarget.errors import MissingModel
from retarget.evaluation.arcface import PACKS
from retarget.evaluation.settings import EvaluateSettings
from retarget.flow.paths import is_file
from retarget.models import catalog
from retarget.models.catalog import ModelFile
from retarget.models.folders import in_home
from retarget.models.store import Store


def landmarker(settings: EvaluateSettings) -> Path | None:
    """face_landmarker.task: as given, else in the models folders."""
    return _given(settings.landmarker, "landmarker") or _verified(settings, catalog.LANDMARKER)


def arcface(settings: EvaluateSettings) -> Path | None:
    """An ArcFace network: as given, in the models folders, else in insightface's own."""
    packs = (in_home("~/.insightface/models") / pack for pack in PACKS)
    found = _given(settings.arcface, "arcface") or _verified(settings, catalog.ARCFACE)
    return found or next(filter(is_file, packs), None)


def smirk(settings: EvaluateSettings) -> Path | None:
    """SMIRK_em1.pt: as given, else in the models folders."""
    return _given(settings.smirk, "smirk") or _verified(settings, catalog.SMIRK)


def _verified(settings: EvaluateSettings, model: ModelFile) -> Path | None:
    store = Store(settings.models)
    return None if store.find(model) is None else store.need(model)


def _given(path: Path | None, option: str) -> Path | None:
    if path is not None and not is_file(path):
        do = f"Correct --{option}, or leave it out."
        raise MissingModel(f"There is no model file {path}.", do=do)
    return path
