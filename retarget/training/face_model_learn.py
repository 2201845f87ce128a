"""Learn the blendshapes from tracked clips, starting from the sculpted shapes.

The displacement of the mesh in the head frame is regressed on the scores of MediaPipe's blendshape
network, each clip relative to its mean, so that face shapes do not count as expressions. The ridge
penalty pulls towards the sculpted shape, not towards zero, so that shapes the clips do not show
stay as sculpted. Head rotation distorts the mesh from a single camera (the pose leak), so terms of
the pose take part in the regression and are kept separately.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Doubles, Floats
from retarget.flow.ease import eased
from retarget.flow.face_model import ASIDE, POSE_TERMS, pose_terms
from retarget.flow.rigid import align
from retarget.training.face_model_identity import identity_modes
from retarget.training.face_model_mesh import CanonicalFace
from retarget.training.face_model_sculpt import Sculptor

_MIRROR = np.array([blendshapes.index(blendshapes.mirrored(n)) for n in blendshapes.NAMES])
"""The mirrored blendshape of each one."""
_POSE_MIRROR = np.array([1.0, -1.0, -1.0, 1.0, 1.0, 1.0, -1.0, -1.0, 1.0])
"""Sign of each pose term in a mirror."""
_AS_SCULPTED = ("eyeBlink", "eyeLook", "mouthClose", "tongueOut", "cheekPuff")
"""Shapes that are better defined by geometry: closing lids and lips, rotating eyes; and puffed
cheeks, which have no score."""
_BONY = (
    10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 127, 356, 234, 454, 93, 323, 21, 251, 162, 389, 103,
    332, 67, 297, 54, 284, 109, 338, 33, 263, 133, 362, 129, 358, 98, 327, 193, 417, 122, 351,
    196, 419, 3, 248, 236, 456,
)  # fmt: skip
"""Points over bone or cartilage, which expressions hardly move."""
_ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One tracked clip of one person."""

    points: Floats
    """(n, 478, 3) picture points in pixels."""
    scores: Floats
    """(n, 52)."""


@dataclass(frozen=True, kw_only=True)
class Strength:
    """Penalties of the regression."""

    sculpt: float = 0.02
    """Pull towards the sculpted shape, in variance of a score."""
    leak: float = 0.002
    """Pull of the pose terms towards zero."""
    smooth: float = 2.0
    """Stiffness of the difference between a measured and a sculpted shape."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A clip brought into the head frame."""

    head: Doubles
    """(n, 478, 3)."""
    scores: Doubles
    """(n, 52) scores minus those of this person at rest."""
    pose: Doubles
    """(n, 9) pose terms."""
    rest: Doubles
    """(478, 3)."""


def learn(clips: Sequence[Clip], face: CanonicalFace, strength: Strength) -> dict[str, Floats]:
    """The arrays of a `FaceModel`, by name."""
    stability = stable_points(face)
    neutral = first_neutral(clips, face, stability)
    rests = [_settled(clip, neutral, stability) for clip in clips]
    for _ in range(_ROUNDS):
        sculpted = Sculptor(face, neutral).all()
        seen = [see(c, r, stability) for c, r in zip(clips, rests, strict=True)]
        basis, leak = regress(seen, sculpted, face, strength)
        rests = [_turned(rest_of(s, basis, leak), neutral, stability) for s in seen]
        mean = np.mean(rests, axis=0)
        neutral = centred((mean + face.mirrored(mean)) / 2)
    sculpted = Sculptor(face, neutral).all()
    basis = finish(basis, sculpted, neutral, face, strength)
    modes = identity_modes(neutral, face.mirror, stability)
    arrays = {
        "neutral": neutral, "basis": basis, "aside": sculpted[ASIDE], "stability": stability,
        "leak": leak, "identity": modes,
    }  # fmt: skip
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def stable_points(face: CanonicalFace) -> Doubles:
    """(478,) weight of each point in estimating the pose; sums to 1."""
    bony = np.zeros(landmarks.COUNT)
    bony[list(_BONY)] = 1.0 / len(_BONY)
    return (bony + 0.5 * face.pose_weights) / 1.5


def first_neutral(clips: Sequence[Clip], face: CanonicalFace, stability: Doubles) -> Doubles:
    """The clips' median mesh, turned like the canonical face and made symmetric."""
    skin = slice(0, landmarks.MESH_COUNT)
    heads = [
        align(face.points, points[skin], stability[skin]).to_head(points)
        for clip in clips
        for points in clip.points[::20].astype(float)
    ]
    middle = np.median(heads, axis=0)
    return centred((middle + face.mirrored(middle)) / 2)


def centred(head: Doubles) -> Doubles:
    """The mesh with its outer eye corners 1 apart about the origin."""
    corners = head[list(landmarks.EYE_OUTER_CORNERS)]
    return np.asarray((head - corners.mean(axis=0)) / np.linalg.norm(corners[1] - corners[0]))


def _turned(head: Doubles, neutral: Doubles, stability: Doubles) -> Doubles:
    return centred(align(neutral, head, stability).to_head(head))


def _settled(clip: Clip, neutral: Doubles, stability: Doubles) -> Doubles:
    """A first rest of one clip: its median mesh."""
    rest = neutral
    for _ in range(3):
        heads = [align(rest, p, stability).to_head(p) for p in clip.points[::3].astype(float)]
        rest = _turned(np.median(heads, axis=0), neutral, stability)
    return rest


def see(clip: Clip, rest: Doubles, stability: Doubles) -> Seen:
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
    seen: Sequence[Seen], sculpted: Doubles, face: CanonicalFace, strength: Strength
) -> tuple[Doubles, Doubles]:
    """The basis (52, 478, 3) and the pose leak (9, 478, 3)."""
    regressors, targets = [], []
    for clip in seen:
        moved = clip.head - clip.rest
        flipped = moved[:, face.mirror] * (-1.0, 1.0, 1.0)
        for scores, pose, move in (
            (clip.scores, clip.pose, moved),
            (clip.scores[:, _MIRROR], clip.pose * _POSE_MIRROR, flipped),
        ):
            x, y = np.hstack([scores, pose]), move.reshape(len(move), -1)
            regressors.append((x - x.mean(axis=0)) / np.sqrt(2 * len(x)))
            targets.append((y - y.mean(axis=0)) / np.sqrt(2 * len(x)))
    x, y = np.vstack(regressors), np.vstack(targets)
    count = blendshapes.COUNT
    prior = np.vstack([sculpted.reshape(count, -1), np.zeros((POSE_TERMS, y.shape[1]))])
    pull = np.r_[np.full(count, strength.sculpt), np.full(POSE_TERMS, strength.leak)]
    seen_more = np.linalg.solve(x.T @ x + np.diag(pull), x.T @ (y - x @ prior))
    found: Doubles = np.add(prior, seen_more)
    fields = found.reshape(-1, landmarks.COUNT, 3)
    return fields[:count], fields[count:]


def rest_of(seen: Seen, basis: Doubles, leak: Doubles) -> Doubles:
    """The rest: the median mesh of a clip minus expression and pose leak."""
    explained = np.tensordot(seen.scores, basis, 1) + np.tensordot(seen.pose, leak, 1)
    return np.asarray(np.median(seen.head - explained, axis=0))


def finish(
    basis: Doubles, sculpted: Doubles, neutral: Doubles, face: CanonicalFace, strength: Strength
) -> Doubles:
    """The measured shapes made smooth, local and exactly symmetric; some as sculpted."""
    skin = slice(0, landmarks.MESH_COUNT)
    out = sculpted.copy()
    out[:, skin] += face.smoothed((basis - sculpted)[:, skin], strength.smooth)
    for i, name in enumerate(blendshapes.NAMES):
        out[i] = sculpted[i] + _region_weight(name, neutral) * (out[i] - sculpted[i])
    mirrored = np.stack([face.mirrored(out[i]) for i in _MIRROR])
    out = (out + mirrored) / 2
    for i, name in enumerate(blendshapes.NAMES):
        if name.startswith(_AS_SCULPTED):
            out[i] = sculpted[i]
    closing = Sculptor(face, neutral).closing(out[blendshapes.index("jawOpen")])
    out[blendshapes.index("mouthClose")] = closing
    return out


def _region_weight(name: str, neutral: Doubles) -> Doubles:
    """(478, 1) how much of a measured shape is used at each point, 0 to 1.

    People move several muscles at once, so a shape is limited to its region: brows end at the eyes,
    eyes between brow and cheek, all else below the eyes; one-sided shapes fade behind the middle.
    """
    x, y = neutral[:, 0], neutral[:, 1]
    region = blendshapes.region(name)
    if region == "brows":
        share = _step(0.15 - y)
    elif region in ("eyes", "gaze"):
        share = _step(0.30 - y) * _step(y + 0.30)
    else:
        share = _step(y - 0.10)
    side = 1.0 if name.endswith("Left") else -1.0
    if blendshapes.mirrored(name) != name and not name.startswith("jaw"):
        far = 0.5 if region == "mouth" else 0.0
        share = share * (far + (1.0 - far) * _step(side * x + 0.05))
    return np.asarray(share[:, None])


def _step(x: Doubles) -> Doubles:
    """0 below -0.12, 1 above 0.12, smooth between."""
    return eased(np.clip((x / 0.12 + 1.0) / 2.0, 0.0, 1.0))
