"""Learn from tracked clips what each blendshape does, starting from the sculpted shapes.

Displacement of the mesh in the head frame is regressed on the scores of MediaPipe's blendshape
network, clip by clip against its own mean, so that nobody's face shape is mistaken for an
expression. The ridge pulls towards the sculpted shape instead of towards zero: what the footage
shows is measured, what it does not show stays as sculpted. Head rotation leaks into a mesh that
was seen by one camera, so functions of the pose are regressed along and kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import POSE_TERMS, pose_terms
from retarget.flow.rigid import align
from retarget.training.face_model_mesh import CanonicalFace, Floats

SCORE_SWAP = np.array([blendshapes.index(blendshapes.mirrored(n)) for n in blendshapes.NAMES])
"""The blendshape that takes each one's place in a mirror."""
_POSE_MIRROR = np.array([1.0, -1.0, -1.0, 1.0, 1.0, 1.0, -1.0, -1.0, 1.0])
"""Sign of each pose term in a mirror."""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One tracked clip of one person."""

    name: str
    points: npt.NDArray[np.float32]
    """(n, 478, 3) picture points in pixels."""
    scores: npt.NDArray[np.float32]
    """(n, 52)."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A clip brought into the head frame."""

    head: Floats
    """(n, 478, 3)."""
    scores: Floats
    """(n, 52) above what this person's face at rest already scores."""
    pose: Floats
    """(n, 9) pose terms."""
    rest: Floats
    """(478, 3)."""


@dataclass(frozen=True, kw_only=True)
class Strength:
    """How much the regression trusts what it was given over what it sees."""

    sculpt: float = 0.02
    """Pull towards the sculpted shape, in variance of a score."""
    leak: float = 0.002
    """Pull of the pose terms towards zero."""
    smooth: float = 2.0
    """Stiffness of what the footage adds to a sculpted shape."""


def see(clip: Clip, rest: Floats, stability: Floats) -> Seen:
    """Bring a clip into the head frame of `rest`."""
    head = np.empty(clip.points.shape)
    pose = np.empty((len(clip.points), POSE_TERMS))
    for i, points in enumerate(clip.points.astype(float)):
        found = align(rest, points, stability)
        head[i] = found.to_head(points)
        pose[i] = pose_terms(found)
    floor = np.percentile(clip.scores, 5, axis=0)
    return Seen(head=head, scores=np.clip(clip.scores - floor, 0, 1), pose=pose, rest=rest)


def regress(
    seen: Sequence[Seen], sculpted: Floats, face: CanonicalFace, strength: Strength
) -> tuple[Floats, Floats]:
    """The basis (52, 478, 3) and the pose leak (9, 478, 3)."""
    regressors, targets = [], []
    for clip in seen:
        moved = clip.head - clip.rest
        for scores, pose, move in (
            (clip.scores, clip.pose, moved),
            (clip.scores[:, SCORE_SWAP], clip.pose * _POSE_MIRROR,
             moved[:, face.mirror] * (-1.0, 1.0, 1.0)),
        ):  # fmt: skip
            x = np.hstack([scores, pose])
            y = move.reshape(len(move), -1)
            regressors.append((x - x.mean(axis=0)) / np.sqrt(2 * len(x)))
            targets.append((y - y.mean(axis=0)) / np.sqrt(2 * len(x)))
    x, y = np.vstack(regressors), np.vstack(targets)
    prior = np.vstack([sculpted.reshape(blendshapes.COUNT, -1), np.zeros((POSE_TERMS, y.shape[1]))])
    pull = np.r_[np.full(blendshapes.COUNT, strength.sculpt), np.full(POSE_TERMS, strength.leak)]
    found = prior + np.linalg.solve(x.T @ x + np.diag(pull), x.T @ (y - x @ prior))
    fields = found.reshape(-1, landmarks.COUNT, 3)
    return fields[: blendshapes.COUNT], fields[blendshapes.COUNT :]


def rest_of(seen: Seen, basis: Floats, leak: Floats) -> Floats:
    """What is left of a clip when expression and pose leak are taken out."""
    explained = np.tensordot(seen.scores, basis, 1) + np.tensordot(seen.pose, leak, 1)
    return np.asarray(np.median(seen.head - explained, axis=0))
