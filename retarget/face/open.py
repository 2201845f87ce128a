"""A tracker by name."""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from retarget.errors import MissingModel, RetargetError
from retarget.face.mediapipe_core import import_light
from retarget.face.room import check_room
from retarget.face.search import FaceModel
from retarget.face.settings import TrackSettings


def open_model(settings: TrackSettings) -> FaceModel:
    """Open the networks of the tracker `settings.by`; `auto` prefers those without a file.

    A file that is named all the same is not left unused: `auto` takes the tasks tracker then.

    Raises:
        MissingModel: the tasks tracker's bundle is not here, or the installed mediapipe has no
            models of its own for the mesh tracker.
        MissingPackage: mediapipe is not installed.
        RetargetError: there is too little memory, or this process was forked from one that had
            opened networks.
    """
    wanted = settings.bundle is not None or not carries_models()
    tasks = settings.by == "tasks" or (settings.by == "auto" and wanted)
    check_room(imported=True, tasks=tasks)
    if _first_process() != os.getpid():  # it would crash silently, and a pool wait for ever
        raise RetargetError(
            "Faces cannot be followed in a process forked from one that has followed some.",
            do='Start it afresh, as multiprocessing.get_context("spawn") does.',
        )
    if tasks:
        return _open_tasks(settings)
    if not carries_models():
        raise MissingModel(
            "The mesh tracker needs a mediapipe that carries its models (0.10.21), "
            "and the installed one does not.",
            do="Choose the tracker tasks, or use Python 3.10 to 3.12.",
        )
    from retarget.face.mesh import MeshModel

    return MeshModel(looks=settings.looks)


@cache
def _first_process() -> int:
    """The id of the process that opened networks first; forked processes inherit it."""
    return os.getpid()


def carries_models() -> bool:
    """Whether the installed mediapipe has the networks of the mesh tracker in its wheel."""
    folder = Path(str(import_light().__file__)).parent
    networks = folder / "modules" / "face_landmark" / "face_landmark_with_attention.tflite"
    return networks.is_file() and find_spec("mediapipe.python._framework_bindings") is not None


def _open_tasks(settings: TrackSettings) -> FaceModel:
    if settings.bundle is None:
        raise MissingModel(
            "Following a face needs the model file face_landmarker.task."
            if settings.by == "auto"
            else "The tasks tracker needs the model file face_landmarker.task.",
            do="Fetch it with `retarget models pull face-landmarker` (4 MB, Apache-2.0).",
        )
    from retarget.face.tasks import TasksModel

    return TasksModel(settings.bundle, certainty=settings.certainty)
