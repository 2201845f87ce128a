"""The stage: head pose, blendshape weights, and measurements beyond them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from retarget.expression import measure
from retarget.expression.mesh_reading import brow_correction, correction
from retarget.expression.reader import WeightReader
from retarget.expression.settings import FitSettings
from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Doubles, Reals
from retarget.flow.face_model import FaceModel, face_model
from retarget.flow.gaze import GAZE_DEGREES, read_gaze
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

_LID_FOLLOWS = 0.35
"""Part of its aperture that an eye loses by looking all the way down, about as much as eyeLookDown
of the face model closes it; else looking down would be a blink."""
_WIDE = 0.45
"""Part by which an eye is wider than at rest at eyeWide = 1."""
_SHUT = 0.08
"""Aperture below which lids are closed: in the mesh their rims never quite meet."""
_WINK = 0.3
"""Difference of the two eyes' apertures of which half is taken to be real. Except in winks, lids
open and close together; in the mesh they differ two to three times as much as in truth."""
_BLIND, _SEEING = 0.15, 0.35
"""Aperture below which the last gaze is kept, and from which the iris is seen."""
_DIVERGENCE = 4.0
"""The most degrees by which the eyes may diverge. Human eyes converge but do not diverge; where
they seem to, as under nearly closed lids or behind reflections, an iris was not found."""


class Fit:
    """Turns tracked faces into expressions relative to a person's rest.

    Args:
        rest: the person's rest.
        settings: how weights are read.
        whose: gives the rest of the person in a new shot, for videos of more than one person.
    """

    name = "fit"

    def __init__(
        self,
        rest: RestFace,
        settings: FitSettings,
        whose: Callable[[TrackedFrame], RestFace] | None = None,
    ) -> None:
        self.rest = rest
        self.whose = whose
        self.settings = settings
        self.model = face_model()
        self.read = WeightReader(self.model, settings)

    def __call__(self, frames: Iterator[TrackedFrame]) -> Iterator[ExpressedFrame]:
        """One ExpressedFrame for each frame; its expression is None while the face is away."""
        before: Expression | None = None
        begun = False
        for tracked in frames:
            if tracked.cut or tracked.face is None:
                before = None
            if self.whose is not None and tracked.face is not None and (tracked.cut or not begun):
                self.rest, begun = self.whose(tracked), True
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
                rest=None if self.whose is None else self.rest,
            )

    def express(self, face: Face, before: Expression | None = None) -> tuple[Expression, HeadPose]:
        """The expression and pose of one face; `before` is its expression in the frame before."""
        head, pose = in_head_frame(face, self.rest.head, self.model)
        whole, moved = head, head - self.rest.head
        if face.scores is None:  # the tracker with scores needs no correction
            whole = head + correction(moved)
            moved = whole - self.rest.head + brow_correction(moved, self.model)
        moved[list(landmarks.SKULL_OVAL)] *= landmarks.SKULL_SHARE
        gaze, aperture = self._eyes(head, whole, before)
        lean = eye_weights(gaze, aperture)
        weights = self.read(moved, lean, face.scores, before).astype(np.float32)
        measured = Measurement(
            gaze=gaze.astype(np.float32),
            aperture=aperture.astype(np.float32),
            lip_gap=max(0.0, measure.lip_gap_seen(face.points, pose) - self.rest.lip_gap),
            detail=(moved - self.model.displacement(weights)).astype(np.float32),
        )
        return Expression(weights=weights, measured=measured), pose

    def _eyes(
        self, head: Doubles, whole: Doubles, before: Expression | None
    ) -> tuple[Doubles, Doubles]:
        """Gaze (2, 2) and aperture (2,) as in `Measurement`.

        Args:
            head: (478, 3) the mesh as read, whose irises and eye corners fit together.
            whole: (478, 3) the corrected mesh.
            before: the expression in the frame before, if there is one.
        """
        ratio = measure.lid_opening(whole) / np.maximum(self.rest.aperture, 0.05)
        aperture = together(np.clip((ratio - _SHUT) / (1.0 - _SHUT), 0.0, 2.5))
        gaze = read_gaze(head) - self.rest.gaze
        seen = np.clip((aperture - _BLIND) / (_SEEING - _BLIND), 0.0, 1.0)
        # Both eyes look up and down together (Hering's law), whatever the tracker saw.
        gaze[:, 1] = np.average(gaze[:, 1], weights=seen + 1e-3)
        gaze[:, 0] = without_divergence(gaze[:, 0], seen)
        if before is not None and before.measured is not None:
            share = seen[:, None]
            gaze = share * gaze + (1.0 - share) * before.measured.gaze
        return gaze, aperture


def without_divergence(yaw: Doubles, seen: Doubles) -> Doubles:
    """Two yaws (2,) with limited divergence; the larger one has less weight in their mean."""
    apart = max(yaw[0] - yaw[1], _DIVERGENCE)
    middle = np.average(yaw, weights=(seen + 1e-3) / (1.0 + yaw**2))
    return np.asarray(middle + (yaw - middle) * _DIVERGENCE / apart)


def together(aperture: Doubles) -> Doubles:
    """Two apertures (2,) whose difference is reduced unless it is that of a wink."""
    middle = aperture.mean()
    wink = (
        float(np.ptp(np.minimum(aperture, 1.0))) ** 4
    )  # a lid may close alone, but not open wide alone
    shut = 1.0 - aperture / _SEEING  # and a lid that is seen closed is closed
    own = np.maximum(wink / (wink + _WINK**4), np.clip(shut, 0.0, 1.0))
    return np.asarray(middle + own * (aperture - middle))


def in_head_frame(face: Face, rest: Reals, model: FaceModel) -> tuple[Doubles, HeadPose]:
    """The mesh (478, 3) in the head frame of `rest`, without pose distortion, and the pose."""
    points = face.points.astype(np.float64)
    pose = align_robustly(rest, points, model.stability)
    return pose.to_head(points) - model.bent(pose), pose


_EYE_PLACES = [
    {n: blendshapes.INDEX[f"eye{n}{side}"] for n in
     ("LookOut", "LookIn", "LookUp", "LookDown", "Blink", "Wide")}
    for side in ("Left", "Right")
]  # fmt: skip


def eye_weights(gaze: Doubles, aperture: Doubles) -> Doubles:
    """(52,) the gaze, blink and wide weights of measured gaze and aperture; all others 0."""
    out = np.zeros(blendshapes.COUNT)
    for row, place in enumerate(_EYE_PLACES):
        yaw, pitch = float(gaze[row, 0]), float(gaze[row, 1])
        outward = yaw if row == 0 else -yaw
        for name, angle in (("Out", outward), ("In", -outward), ("Up", pitch), ("Down", -pitch)):
            out[place[f"Look{name}"]] = min(max(angle / GAZE_DEGREES[name], 0.0), 1.0)
        opened = float(aperture[row]) / (1.0 - _LID_FOLLOWS * out[place["LookDown"]])
        out[place["Blink"]] = min(max(1.0 - opened, 0.0), 1.0)
        out[place["Wide"]] = min(max((opened - 1.0) / _WIDE, 0.0), 1.0)
    return out
