"""The face that every room shares: a mean neutral mesh and how 52 blendshapes move it.

The numbers are data (`retarget/data/face_model.npz`), made by `retarget/training/face_model.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from retarget.flow import blendshapes, landmarks, shipped
from retarget.flow.arrays import Doubles, Floats, Reals
from retarget.flow.check import check_array
from retarget.flow.values import HeadPose, Identity

ASIDE = [blendshapes.index(name) for name in ("mouthLeft", "mouthRight")]
"""The blendshapes that move the mouth sideways."""
_ALSO = {
    "mouthRollLower": {"mouthRollLower": 0.7}, "mouthRollUpper": {"mouthRollUpper": 0.7},
    "mouthPressLeft": {"mouthFrownLeft": 0.5}, "mouthPressRight": {"mouthFrownRight": 0.5},
}  # fmt: skip
"""Blendshapes added to a weight from words, as the basis is what a mesh reports. Lips that roll in
hide the points that would show it; and lips that press often do so in a smile, which
the basis has learned, although the muscle raises no corner."""
POSE_TERMS = 9
"""Number of functions of the head pose that leak into a mesh seen by one camera."""
_YAW = 1
"""The index of yaw among them."""
_IRISES = [list(landmarks.LEFT_IRIS), list(landmarks.RIGHT_IRIS)]
_FARTHER = 1.35
"""Factor on the learned leak of yaw, which was fitted together with the blendshapes and regularised
towards zero."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceModel:
    """A neutral mesh and a blendshape basis in the head frame (unit: outer-eye-corner distance)."""

    neutral: Floats
    """(478, 3) the mean face at rest."""
    basis: Floats
    """(52, 478, 3) displacement of every point of a tracked mesh at weight 1, in head units."""
    aside: Floats
    """(2, 478, 3) true displacement for `ASIDE`: a tracked mesh lags at the mouth's corners."""
    stability: Floats
    """(478,) weight of each point in the alignment of the head's pose; sums to 1."""
    leak: Floats
    """(9, 478, 3) how the pose terms bend the mesh that the tracker reports."""

    identity: Floats
    """(k, 478, 3) how people differ at rest: independent modes of unit variance."""

    def __post_init__(self) -> None:
        check_array("identity", self.identity, (None, landmarks.COUNT, 3), np.float32)
        check_array("neutral", self.neutral, (landmarks.COUNT, 3), np.float32)
        check_array("basis", self.basis, (blendshapes.COUNT, landmarks.COUNT, 3), np.float32)
        check_array("aside", self.aside, (len(ASIDE), landmarks.COUNT, 3), np.float32)
        check_array("stability", self.stability, (landmarks.COUNT,), np.float32)
        check_array("leak", self.leak, (POSE_TERMS, landmarks.COUNT, 3), np.float32)

    def displacement(self, weights: Reals) -> Floats:
        """(478, 3) movement of a tracked mesh by (52,) fitted weights, in head units."""
        flat = self.basis.reshape(blendshapes.COUNT, -1)
        return (weights.astype(np.float32) @ flat).reshape(landmarks.COUNT, 3)

    def bent(self, pose: HeadPose) -> Floats:
        """(478, 3) head units by which the tracker bends the mesh of a head in this pose."""
        terms = pose_terms(pose).astype(np.float32)
        return (terms @ self.leak.reshape(POSE_TERMS, -1)).reshape(landmarks.COUNT, 3)

    def turned(self, one: HeadPose, two: HeadPose) -> Floats:
        """(478, 3) head units by which points move on the mesh when the yaw changes.

        The fit removes this leak, so a head that is drawn turned needs it back: otherwise nose,
        lips and chin turn less far than the eyes. Only yaw is added, which no expression resembles;
        raised brows and dropped jaws resemble a nod. Irises move with the corners of their eyes; a
        generator adds their depth.
        """
        way = one.rotation.T @ two.rotation  # about the head's own axes, whatever its roll
        aside = np.arctan2(-way[0, 2], way[2, 2])
        out: Floats = np.float32(_FARTHER * aside) * self.leak[_YAW]
        for iris, (corners, _) in zip(_IRISES, landmarks.EYE_RIMS, strict=True):
            out[iris] = out[[corners[0], corners[-1]]].mean(axis=0)
        return out

    def said(self, weights: Reals) -> Floats:
        """(478, 3) movement of a face by (52,) weights from words, in head units."""
        beyond = self.aside - self.basis[ASIDE]
        return self.displacement(weights @ _as_reported()) + np.tensordot(
            weights[ASIDE].astype(np.float32), beyond, axes=1
        )


@cache
def _as_reported() -> Floats:
    """(52, 52) matrix from weights in words to weights as a mesh would report them."""
    out = np.eye(blendshapes.COUNT, dtype=np.float32)
    for said, more in _ALSO.items():
        out[blendshapes.index(said)] += blendshapes.weights(more)
    return out


@cache
def face_model() -> FaceModel:
    """The shipped model, read once."""
    return FaceModel(**shipped.arrays("face_model.npz"))


def at_rest(identity: Identity) -> Floats:
    """(478, 3) the head-frame mesh that the tracker would report of a person at rest.

    Their head is turned as in the picture.
    """
    return identity.rest.head + face_model().bent(identity.pose)


def pose_terms(pose: HeadPose) -> Doubles:
    """(9,) functions of the pose that may leak: rotation about x, y, z and its six products."""
    y, x, z = np.clip(np.radians(pose.angles), -0.8, 0.8)
    return np.array([x, y, z, x * x, y * y, z * z, x * y, x * z, y * z])
