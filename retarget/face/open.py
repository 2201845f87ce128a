"""A tracker by name."""

from __future__ import annotations

from retarget.face.search import FaceModel
from retarget.face.settings import TrackSettings


def open_model(settings: TrackSettings) -> FaceModel:
    """The networks that `settings.by` names."""
    from retarget.face.mesh import MeshModel

    return MeshModel(looks=settings.looks)
