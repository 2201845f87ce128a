"""The stage: where the head is, what the face does, and what was seen beyond that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from retarget.expression import measure
from retarget.expression.reader import WeightReader
from retarget.expression.settings import FitSettings
from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import face_model, pose_terms
from retarget.flow.rigid import align_robustly
from retarget.flow.values import (
    ExpressedFrame,
    Expression,
    Face,
    HeadPose,
    Measurement,
    RestFace,
    TrackedFrame,
)

Floats = npt.NDArray[np.float64]

GAZE_DEGREES = {"Up": 30.0, "Down": 30.0, "In": 35.0, "Out": 35.0}
"""How far an eye has turned when its weight is 1."""
_LID_FOLLOWS = 0.35
"""How much of its opening a lid gives up when the eye looks all the way down."""
_WIDE = 0.45
"""How much wider than at rest an eye is at eyeWide = 1."""
_SHUT = 0.12
"""Aperture below which lids are in contact."""
_BLIND = 0.3
"""Aperture below which the iris is not seen and the last gaze is kept."""
_SKULL = tuple(
    i for i in landmarks.FACE_OVAL
    if i in {10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 127, 162, 21, 54, 103, 67, 109, 234, 93}
)  # fmt: skip
_SKULL_MOVES = 0.15


class Fit:
    """Turns tracked faces into expressions away from one person's rest."""

    name = "fit"

    def __init__(self, rest: RestFace, settings: FitSettings) -> None:
        self.rest = rest
        self.settings = settings
        self.read = WeightReader(settings.pull)

    def __call__(self, frames: Iterator[TrackedFrame]) -> Iterator[ExpressedFrame]:
        """One ExpressedFrame for each frame; its expression is None while the face is away."""
        before: Expression | None = None
        for tracked in frames:
            if tracked.cut or tracked.face is None:
                before = None
            expression = pose = None
            if tracked.face is not None:
                expression, pose = self.express(tracked.face, before)
                before = expression
            yield ExpressedFrame(
                index=tracked.frame.index,
                at=tracked.frame.at,
                duration=tracked.frame.duration,
                expression=expression,
                pose=pose,
                cut=tracked.cut,
                tracked=tracked,
            )

    def express(self, face: Face, before: Expression | None = None) -> tuple[Expression, HeadPose]:
        """One face; `before` is what it did a moment ago, where that is known."""
        head, pose = in_head_frame(face, self.rest.head)
        moved = head - self.rest.head
        moved[list(_SKULL)] *= _SKULL_MOVES
        seen = self._measure(head, before)
        lean = eye_weights(seen)
        start = lean if before is None else before.weights.astype(np.float64)
        weights = self.read(moved, lean, start).astype(np.float32)
        if self.settings.detail:
            rest = moved - face_model().displacement(weights)
            seen = Measurement(
                gaze=seen.gaze, aperture=seen.aperture, lip_gap=seen.lip_gap,
                detail=rest.astype(np.float32),
            )  # fmt: skip
        return Expression(weights=weights, measured=seen), pose

    def _measure(self, head: Floats, before: Expression | None) -> Measurement:
        aperture = measure.lid_opening(head) / np.maximum(self.rest.aperture, 0.05)
        aperture = np.clip((aperture - _SHUT) / (1.0 - _SHUT), 0.0, 2.5)
        gaze = measure.gaze(head) - self.rest.gaze
        if before is not None and before.measured is not None:
            seen = np.clip(aperture / _BLIND, 0.0, 1.0)[:, None]
            gaze = seen * gaze + (1.0 - seen) * before.measured.gaze
        return Measurement(
            gaze=gaze.astype(np.float32),
            aperture=aperture.astype(np.float32),
            lip_gap=max(0.0, measure.lip_gap(head) - self.rest.lip_gap),
        )


def in_head_frame(face: Face, rest: npt.NDArray[np.floating[Any]]) -> tuple[Floats, HeadPose]:
    """The mesh (478, 3) in the head frame of `rest`, pose leak taken out, and the pose."""
    model = face_model()
    points = face.points.astype(np.float64)
    pose = align_robustly(rest, points, model.stability)
    leak = np.tensordot(pose_terms(pose), model.leak, 1)
    return pose.to_head(points) - leak, pose


def eye_weights(seen: Measurement) -> Floats:
    """(52,) the gaze, blink and wide weights that say what was measured; all others 0."""
    out = np.zeros(blendshapes.COUNT)
    for row, side in enumerate(("Left", "Right")):
        yaw, pitch = (float(x) for x in seen.gaze[row])
        outward = yaw if side == "Left" else -yaw
        for name, angle in (("Out", outward), ("In", -outward), ("Up", pitch), ("Down", -pitch)):
            out[blendshapes.INDEX[f"eyeLook{name}{side}"]] = np.clip(
                angle / GAZE_DEGREES[name], 0.0, 1.0
            )
        down = out[blendshapes.INDEX[f"eyeLookDown{side}"]]
        open_now = float(seen.aperture[row]) / (1.0 - _LID_FOLLOWS * down)
        out[blendshapes.INDEX[f"eyeBlink{side}"]] = np.clip(1.0 - open_now, 0.0, 1.0)
        out[blendshapes.INDEX[f"eyeWide{side}"]] = np.clip((open_now - 1.0) / _WIDE, 0.0, 1.0)
    return out
