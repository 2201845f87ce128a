"""What tests use that is not part of the project; without it they are skipped."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retarget.face.open import carries_models
from retarget.face.settings import TrackSettings
from retarget.models import catalog
from retarget.models.store import Store

FOLDER = Path(os.environ.get("RETARGET_TEST_DATA", Path(__file__).parents[2] / "shared"))
"""Filmed faces in data/driving, pictures in data/identity, model files in models; where nothing is
named, a folder beside the project's."""
NO_BUNDLE = "face_landmarker.task is not here (retarget models pull face-landmarker)"


def filmed(name: str) -> Path:
    """A filmed face, or a skipped test."""
    clip = FOLDER / "data" / "driving" / name
    if not clip.is_file():
        pytest.skip(f"data/driving/{name}, a filmed face, is not in RETARGET_TEST_DATA's folder")
    return clip


def bundle() -> Path:
    """face_landmarker.task, or a skipped test."""
    found = Store(FOLDER / "models").find(catalog.LANDMARKER)
    if found is None:
        pytest.skip(NO_BUNDLE)
    return found


def tracker(**settings: Any) -> TrackSettings:
    """`TrackSettings` as a job fills them in for a room, or a skipped test."""
    track = TrackSettings(**settings)
    return track if carries_models() else replace(track, bundle=bundle())


def can_track() -> bool:
    """Whether a job can follow a face on this Python."""
    return carries_models() or Store().find(catalog.LANDMARKER) is not None


needs_tracker = pytest.mark.skipif(not can_track(), reason=NO_BUNDLE)
"""For what starts a program; elsewhere a test that meets the missing file is skipped by itself."""
mesh_points = pytest.mark.skipif(
    not carries_models(), reason="looks at pixels where the mesh tracker's points show them"
)
