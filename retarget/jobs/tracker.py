"""Find the tracker's model file, where the tracker needs one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from retarget.face.settings import TrackSettings


def with_model(track: TrackSettings, models: Path | None = None) -> TrackSettings:
    """The settings with the model file's path, where the tracker needs one.

    Raises:
        MissingModel: it needs one, and the file is not here or not the right one.
    """
    if track.bundle is not None or track.by == "mesh":
        return track
    from retarget.face.open import carries_models

    if track.by == "auto" and carries_models():
        return track
    from retarget.models.catalog import LANDMARKER
    from retarget.models.store import Store

    return replace(track, bundle=Store(models).need(LANDMARKER))
