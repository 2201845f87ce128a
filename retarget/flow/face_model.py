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
"""The blendshapes that draw a mouth aside."""
_TOLD = {
    "mouthRollLower": {"mouthRollLower": 0.7}, "mouthRollUpper": {"mouthRollUpper": 0.7},
    "mouthPressLeft": {"mouthFrownLeft": 0.5}, "mouthPressRight": {"mouthFrownRight": 0.5},
}  # fmt: skip
"""What a face does that is told a shape, beyond what a mesh tells of one that makes it. Lips that
roll in take the points along by which it would know how little is left of them; and lips that press
often do so in a smile, which their shape has learned, though the muscle draws no corner up."""
POSE_TERMS = 9
"""Functions of the head pose that leak into a mesh seen by one camera."""
_YAW = 1
"""Which of them is the turn aside."""
_IRISES = [list(landmarks.LEFT_IRIS), list(landmarks.RIGHT_IRIS)]
_FARTHER = 1.35
"""How much farther than its leak a turn takes the points along: that was learned beside the shapes
of expressions and held small."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceModel:
    """A neutral mesh and a blendshape basis in the head frame (unit: outer-eye-corner distance)."""

    neutral: Floats
    """(478, 3) the mean face at rest."""
    basis: Floats
    """(52, 478, 3) displacement of every point of a tracked mesh at weight 1."""
    aside: Floats
    """(2, 478, 3) that of a face for `ASIDE`: a mesh leaves the corners of the mouth behind."""
    stability: Floats
    """(478,) how much a point says about the head's pose; sums to 1."""
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
        """How (52,) weights that were read off a mesh move it: (478, 3) in the head frame."""
        flat = self.basis.reshape(blendshapes.COUNT, -1)
        return (weights.astype(np.float32) @ flat).reshape(landmarks.COUNT, 3)

    def bent(self, pose: HeadPose) -> Floats:
        """(478, 3) head units by which the tracker bends the mesh of a head in this pose."""
        terms = pose_terms(pose).astype(np.float32)
        return (terms @ self.leak.reshape(POSE_TERMS, -1)).reshape(landmarks.COUNT, 3)

    def turned(self, one: HeadPose, two: HeadPose) -> Floats:
        """(478, 3) how a face moves on its mesh while that turns aside from one pose to another.

        Of a head that is seen to turn it is taken out, so a head that is drawn must have it: else
        nose, lips and chin turn less far than the eyes. No expression belongs to one side, so none
        was taken for it; of a nod that cannot be told, with which brows rise and jaws drop. Irises
        go with the corners of their eyes: how far they lie before them is for whoever draws them.
        """
        way = one.rotation.T @ two.rotation  # about its own neck, however the picture lies
        aside = np.arctan2(-way[0, 2], way[2, 2])
        out: Floats = np.float32(_FARTHER * aside) * self.leak[_YAW]
        for iris, (corners, _) in zip(_IRISES, landmarks.EYE_RIMS, strict=True):
            out[iris] = out[[corners[0], corners[-1]]].mean(axis=0)
        return out

    def said(self, weights: Reals) -> Floats:
        """How (52,) weights that were said move a face: (478, 3) in the head frame."""
        beyond = self.aside - self.basis[ASIDE]
        return self.displacement(weights @ _told()) + np.tensordot(
            weights[ASIDE].astype(np.float32), beyond, axes=1
        )


@cache
def _told() -> Floats:
    """(52, 52) from weights that were said to those that a mesh would tell of."""
    out = np.eye(blendshapes.COUNT, dtype=np.float32)
    for said, more in _TOLD.items():
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
