"""What tests use that is not part of the project; without it they are skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from retarget.models import catalog
from retarget.models.store import Store

FOLDER = Path(os.environ.get("RETARGET_TEST_DATA", Path(__file__).parents[2] / "shared"))
"""Filmed faces in data/driving, pictures in data/identity, model files in models; where nothing is
named, a folder beside the project's."""


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
        pytest.skip("face_landmarker.task is not here (retarget models pull face-landmarker)")
    return found
