"""Split a single mesh into person and expression.

How much of its difference from an average face is more easily an expression than a person? Faces
vary smoothly, and mostly alike on both sides (a Gaussian process over the mesh, as in Lüthi et al.,
"Gaussian Process Morphable Models", IEEE TPAMI 40(8), 2018).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from retarget.expression import measure
from retarget.expression.reader import point_trust, upper_bounds
from retarget.expression.solve import BoxSolver
from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Doubles
from retarget.flow.ease import smoothstep
from retarget.flow.face_model import face_model
from retarget.flow.rigid import align_robustly

_OFF = 0.008
"""Standard deviation of a point (head units) that is neither person nor expression."""
_COST, _STIFF = 4.0, 12.0
_COST_FACTOR = {"brows": 4.0}
"""Factor of an expression's cost in regions where people differ much at rest."""
_ROUNDS, _SMALL = 2, 0.2
"""Rounds of reweighting, and the size of a small weight."""
_CONTACT = 0.02
"""The largest gap in the mesh of lips in contact, in head units."""
_AVERTED = (25.0, 40.0)
"""Degrees of yaw from which a mouth's far side counts less, and at which it does not count."""


def normalized(head: Doubles) -> Doubles:
    """The mesh (478, 3) aligned with the average face, its outer eye corners 1 apart around 0."""
    model = face_model()
    head = align_robustly(model.neutral, head, model.stability).to_head(head)
    corners = head[list(landmarks.EYE_OUTER_CORNERS)]
    size = np.linalg.norm(corners[1] - corners[0])
    return np.asarray((head - corners.mean(axis=0)) / size)


class _Splitter:
    """Splits one mesh into person and expression.

    A weight costs `_COST` times itself and `_STIFF` times half its square, against half the
    squared distance from the average face in standard deviations of how people differ.
    """

    def __init__(self, certainty: float) -> None:
        model = face_model()
        trust = point_trust().ravel()
        use = np.flatnonzero(trust > 0)
        modes = model.identity.reshape(len(model.identity), -1)[:, use].astype(np.float64)
        basis = model.basis.reshape(blendshapes.COUNT, -1)[:, use].astype(np.float64)
        sure = trust[use] / _OFF**2
        # Woodbury: the inverse of the modes' covariance plus independent noise.
        inner = np.linalg.inv(np.eye(len(modes)) + (modes * sure) @ modes.T)
        self.use = use
        self.reader = basis * sure - (basis * sure) @ modes.T @ inner @ (modes * sure)
        factor = np.array([_COST_FACTOR.get(blendshapes.region(n), 1.0) for n in blendshapes.NAMES])
        factor = factor / max(certainty, 1e-3)
        self.cost, self.stiff = _COST * factor, _STIFF * factor
        gram = self.reader @ basis.T
        high = upper_bounds()
        high[[n.startswith(("eyeLook", "eyeWide")) for n in blendshapes.NAMES]] = 0.0
        self.solve = BoxSolver(gram, np.zeros(blendshapes.COUNT), high)

    def weights(self, head: Doubles) -> Doubles:
        """(52,) the most likely expression in a mesh of an unknown person."""
        away = (head - face_model().neutral).ravel()[self.use]
        pulled = self.reader @ away
        found = self.solve(pulled - self.cost, np.zeros(blendshapes.COUNT), self.stiff)
        for _ in range(_ROUNDS):  # reweighting as in `WeightReader`
            reweighted = 2.0 * _SMALL / (found + _SMALL)
            found = self.solve(pulled - reweighted * self.cost, found, reweighted * self.stiff)
        return found


@cache
def _splitter(certainty: float) -> _Splitter:
    return _Splitter(certainty)


def rest_of_mesh(head: Doubles, certainty: float, yaw: float = 0.0) -> Doubles:
    """The mesh (478, 3), head units, without the expression it probably shows.

    Args:
        head: the mesh.
        certainty: `RestSettings.certainty`; higher values explain more by expression.
        yaw: degrees by which the face is turned to the picture's right, for a single photo.
    """
    if certainty == 0.0:
        return head
    weights = _symmetric_if_averted(_splitter(certainty).weights(head), yaw)
    return with_lips_met(normalized(head - face_model().displacement(weights)))


def _symmetric_if_averted(weights: Doubles, yaw: float) -> Doubles:
    """(52,) weights with the mouth's far side moved towards the near one, more with more yaw.

    The mesh is unreliable on the far side: a corner too low would be read as a frown, whose removal
    distorts the face at rest.
    """
    share = smoothstep(*_AVERTED, abs(yaw))
    if share == 0:
        return weights
    far = "Right" if yaw < 0 else "Left"
    out = weights.copy()
    for name in blendshapes.NAMES:
        if name.startswith("mouth") and name.endswith(far) and name != f"mouth{far}":
            averted, seen = (blendshapes.index(n) for n in (name, blendshapes.mirrored(name)))
            out[averted] += share * (out[seen] - out[averted])
    return out


def with_lips_met(head: Doubles) -> Doubles:
    """The mesh (478, 3), head units, with its lips closed."""
    shape = face_model().basis[blendshapes.index("mouthClose")].astype(np.float64)
    now, step = measure.lip_gap(head), 0.1
    per_step = now - measure.lip_gap(head + step * shape)
    if now <= _CONTACT or per_step <= 0.0:
        return head
    return np.asarray(head + shape * step * (now - _CONTACT) / per_step)
