"""Faces that do what they are told: meshes made from the model's own shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache

import numpy as np

from retarget.expression.fit import Fit
from retarget.expression.rest import find_rest
from retarget.expression.settings import FitSettings
from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import face_model
from retarget.flow.values import (
    ExpressedFrame,
    Expression,
    Face,
    HeadPose,
    Identity,
    Instant,
    TrackedFrame,
    VideoFrame,
)

BLANK = np.zeros((4, 4, 3), np.uint8)


def person(seed: int, size: float = 1.0) -> np.ndarray:
    """Somebody's face at rest, drawn from how people differ."""
    model = face_model()
    random = np.random.default_rng(seed)
    modes = model.identity[:25]
    mesh = model.neutral + size * np.tensordot(random.normal(size=len(modes)), modes, 1)
    corners = mesh[list(landmarks.EYE_OUTER_CORNERS)]
    return (mesh - corners.mean(axis=0)) / np.linalg.norm(corners[1] - corners[0])


def pose(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> HeadPose:
    return HeadPose(
        rotation=HeadPose.rotation_of(yaw, pitch, roll),
        translation=np.array([320.0, 240.0, 0.0]),
        scale=140.0,
    )


def face(
    who: np.ndarray, does: Mapping[str, float] | None = None, where: HeadPose | None = None
) -> Face:
    mesh = who + face_model().displacement(blendshapes.weights(does or {}))
    return Face(points=(where or pose()).to_picture(mesh).astype(np.float32))


@cache
def in_mirror() -> np.ndarray:
    """(478,) the point that takes each point's place in a mirror."""
    neutral = face_model().neutral
    flipped = neutral * (-1.0, 1.0, 1.0)
    return np.linalg.norm(flipped[:, None] - neutral[None], axis=2).argmin(axis=1)


def mirrored(mesh: np.ndarray) -> np.ndarray:
    """A mesh (478, 3) as a mirror shows it."""
    return mesh[in_mirror()] * (-1.0, 1.0, 1.0)


def mirrored_weights(weights: np.ndarray) -> np.ndarray:
    return weights[[blendshapes.INDEX[blendshapes.mirrored(name)] for name in blendshapes.NAMES]]


def tracked(faces: Sequence[Face | None], rate: int = 30) -> list[TrackedFrame]:
    return [
        TrackedFrame(
            frame=VideoFrame(rgb=BLANK, index=i, at=Instant(i, Fraction(1, rate))),
            face=shown,
            cut=i == 0,
        )
        for i, shown in enumerate(faces)
    ]


def acted(rows: np.ndarray, rate: int = 30, cuts: Sequence[int] = (0,)) -> list[ExpressedFrame]:
    """A performance of (n, 52) weights."""
    return [
        ExpressedFrame(
            index=i,
            at=Instant(i, Fraction(1, rate)),
            duration=Fraction(1, rate),
            expression=Expression(weights=row.astype(np.float32)),
            pose=None,
            cut=i in cuts,
        )
        for i, row in enumerate(rows)
    ]


def channel(name: str, frames: Sequence[ExpressedFrame]) -> np.ndarray:
    at = blendshapes.index(name)
    return np.array([f.expression.weights[at] for f in frames if f.expression is not None])


def identity_of(who: np.ndarray) -> Identity:
    """A photo of somebody who does nothing."""
    shown = face(who)
    rest = find_rest(tracked([shown]))
    expression, at = Fit(rest, FitSettings()).express(shown)
    frame = VideoFrame(rgb=BLANK, index=0, at=Instant(0, Fraction(1, 30)))
    return Identity(frame=frame, face=shown, pose=at, expression=expression, rest=rest)
