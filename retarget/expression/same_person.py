"""Recognise a photo of the driving person, and use the clip's rest for it.

A rest from a single photo is inaccurate, the largest error in self-reenactment. If the photo's mesh
is the driving face's rest plus an expression, the photo is taken for the same person's. A stranger
is mistaken for them only if the meshes differ by less than a mesh's error, which does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from retarget.expression.fit import Fit, in_head_frame
from retarget.expression.reader import DEPTH, upper_bounds
from retarget.expression.settings import FitSettings
from retarget.expression.solve import BoxSolver
from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Doubles, Floats, Ints
from retarget.flow.face_model import face_model
from retarget.flow.values import Face, HeadPose, Identity, RestFace

_SAME, _ANOTHER = 0.0070, 0.0080
"""Distance, in head units, of a mesh from a person's rest plus any expression, up to which it is
that person's, and from which it is another's. Of nine clips the nearest stranger of 598 came to
0.0081; the clips' own first frames to 0.0033 to 0.0072."""
_A_FRAME, _NO_FRAME = 0.0050, 0.0080
"""The same of a clip's nearest frame, up to which a photo is a frame of the clip: frames of five
clips came to 0.0000 to 0.0015, the nearest of 35 photos of others to 0.0120."""
_DRIVES = 0.5
"""Share of the driving rest beyond which a photo counts as one of the driving person."""
_ALIKE, _ASIDE = 3.0, 10.0
"""Degrees between a photo's head pose and the nearest driving pose, and between it and the mean
driving pose, up to which the photo's pose counts as one of the clip's."""
_MOVED = 6.0
"""Sum of weights that doubles the allowed distance, as shapes fit large expressions less well."""
_HELD = 0.02
"""Ridge penalty on weights, relative to the mean squared distance of all points."""


def with_driving_rest(
    identity: Identity,
    driving: RestFace,
    poses: Sequence[HeadPose] = (),
    moments: Sequence[Doubles] = (),
) -> Identity:
    """The identity with the driving face's rest, weighted by how surely it is the same person.

    Args:
        identity: a photo.
        driving: the driving face's rest.
        poses: of the driving head at some moments.
        moments: (478, 3) head-frame meshes of the driving face at some moments.
    """
    share = max(sameness(identity.face, driving), _shown(identity.face, driving, moments))
    if share == 0:
        return identity
    own = identity.rest
    rest = RestFace(
        head=_between(own.head, driving.head, share),
        aperture=_between(own.aperture, driving.aperture, share),
        gaze=_between(own.gaze, driving.gaze, share),
        lip_gap=own.lip_gap + share * (driving.lip_gap - own.lip_gap),
        found="from the driving face" if share > _DRIVES else own.found,
    )
    expression, pose = Fit(rest, FitSettings()).express(identity.face)
    as_filmed = share > _DRIVES and _lies_as_in(pose, poses)
    return replace(identity, pose=pose, expression=expression, rest=rest, as_filmed=as_filmed)


def sameness(face: Face, rest: RestFace) -> float:
    """0..1 how surely a face is that of a person with this rest."""
    head, _ = in_head_frame(face, rest.head, face_model())
    use, trust, shapes, solver = _solver()
    away = (head - rest.head).ravel()[use]
    weights = solver(
        (shapes * trust) @ away, np.zeros(blendshapes.COUNT), np.full(blendshapes.COUNT, _HELD)
    )
    left = away - weights @ shapes
    off = np.sqrt((trust * left * left).sum() / trust.sum()) / (1 + weights.sum() / _MOVED)
    return float(np.clip((_ANOTHER - off) / (_ANOTHER - _SAME), 0.0, 1.0))


def _shown(face: Face, rest: RestFace, moments: Sequence[Doubles]) -> float:
    """0..1 how surely a face is that of one of these frames' meshes (478, 3)."""
    head, _ = in_head_frame(face, rest.head, face_model())
    trust = _trust()
    squares = (float((trust * (head - moment) ** 2).sum()) for moment in moments)
    off = np.sqrt(min(squares, default=np.inf) / trust.sum())
    return float(np.clip((_NO_FRAME - off) / (_NO_FRAME - _A_FRAME), 0.0, 1.0))


def _lies_as_in(photo: HeadPose, poses: Sequence[HeadPose]) -> bool:
    """Whether a photo's head pose is near a driving pose and near their mean."""
    if not poses or min(photo.apart(seen) for seen in poses) > _ALIKE:
        return False
    u, _, vt = np.linalg.svd(np.mean([seen.rotation for seen in poses], axis=0))
    return photo.apart(replace(poses[0], rotation=u @ vt)) <= _ASIDE


def _trust() -> Doubles:
    """(478, 3) how much each coordinate of a mesh counts."""
    trust = np.ones((landmarks.COUNT, 3))
    trust[:, 2] = DEPTH
    trust[landmarks.MESH_COUNT :] = 0.0  # the gaze is not part of a person's shape
    return trust


@cache
def _solver() -> tuple[Ints, Doubles, Doubles, BoxSolver]:
    """Coordinates of the mesh that count, how much each does, shapes on them, and their solver."""
    trust = _trust()
    use = np.flatnonzero(trust.ravel())
    counts = trust.ravel()[use] * (100.0 / trust.sum())
    shapes = face_model().basis.reshape(blendshapes.COUNT, -1)[:, use].astype(np.float64)
    solver = BoxSolver((shapes * counts) @ shapes.T, np.zeros(blendshapes.COUNT), upper_bounds())
    return use, counts, shapes, solver


def _between(one: Floats, other: Floats, share: float) -> Floats:
    return (one + np.float32(share) * (other - one)).astype(np.float32)
