"""What always comes with a movement is learned from clips; what a turned head does is not."""

from __future__ import annotations

import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import POSE_TERMS, face_model
from retarget.training.mesh_reading import Rows, learn
from tests.expression.acting import in_mirror

JAW = face_model().basis[blendshapes.index("jawOpen")].astype(np.float64)
RNG = np.random.default_rng(1)


def clip(beyond: np.ndarray, turned: np.ndarray, frames: int = 200) -> Rows:
    """A jaw that drops and a head that turns, which move points (478, 2) beyond their mesh."""
    drop, turn = RNG.uniform(-0.5, 0.5, (2, frames, 1))
    pose = np.hstack([turn, np.zeros((frames, POSE_TERMS - 1))])
    columns = drop * JAW.ravel(), pose, drop * beyond.ravel() + turn * turned.ravel()
    return Rows(*(c / np.sqrt(frames) for c in columns))


def test_a_movement_tells_what_always_comes_with_it_and_a_turned_head_does_not() -> None:
    lip, nose = landmarks.LIPS_OUTER_LOWER[5], landmarks.NOSE_TIP
    beyond, turned = np.zeros((2, landmarks.COUNT, 2))
    beyond[lip, 1], turned[nose, 1] = 0.02, 0.05
    told, moves = learn([clip(beyond, turned) for _ in range(2)], np.asarray(in_mirror()))
    read = np.tensordot(np.tensordot(told, JAW, axes=2), moves, axes=1)
    assert 0.015 < read[lip, 1] <= 0.02
    assert abs(read[nose, 1]) < 0.002
