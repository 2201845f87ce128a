"""Find what a face looks like when it does nothing.

The most sensitive choice of all: every weight counts from here. The first frame may be a frown,
and a person may talk or smile from the first frame to the last.

1. Frames of one clip share one rest: with `rest` fixed, each frame's weights follow (they cannot
   be negative); with the weights fixed, the rest follows. What is always there stays in the rest.
2. What is always there is judged as a single photo must be: how much of its difference from an
   average face is more easily an expression than a person? Faces vary smoothly and mostly
   alike on both sides (a Gaussian process over the mesh, as in Lüthi et al., "Gaussian Process
   Morphable Models", IEEE TPAMI 40(8), 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from retarget.errors import NoFaceFound
from retarget.expression import measure
from retarget.expression.fit import Fit, in_head_frame
from retarget.expression.reader import WeightReader, point_trust
from retarget.expression.settings import FitSettings, RestSettings
from retarget.expression.solve import BoxSolver
from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import face_model
from retarget.flow.rigid import align_robustly
from retarget.flow.values import Face, Identity, RestFace, TrackedFrame, VideoFrame

Floats = npt.NDArray[np.float64]


def find_rest(samples: Sequence[TrackedFrame], settings: RestSettings | None = None) -> RestFace:
    """The rest of the person in the samples.

    Raises:
        NoFaceFound: there is no face in any of them.
    """
    settings = settings or RestSettings()
    faces = [s.face for s in samples if s.face is not None]
    if not faces:
        raise NoFaceFound(
            f"None of the {len(samples)} frames that were looked at shows a face.",
            do="Start the clip where the face is visible.",
        )
    shared = _shared_rest(faces)
    still = rest_of_mesh(shared, settings.certainty)
    heads = [in_head_frame(face, still, face_model())[0] for face in faces]
    opening = np.array([measure.lid_opening(h) for h in heads])
    gaze = np.array([measure.gaze(h) for h in heads])
    gaps = np.array([measure.lip_gap(h) for h in heads])
    wide = opening >= np.quantile(opening, 0.4, axis=0)
    look = np.array([np.median(gaze[wide[:, i], i], axis=0) for i in range(2)])
    return _finish(still, np.quantile(opening, 0.6, axis=0), look, gaps, "from the clip")


def _finish(head: Floats, aperture: Floats, look: Floats, gaps: Floats, found: str) -> RestFace:
    head = with_aperture(head, aperture)
    usual = measure.gaze(face_model().neutral)
    return RestFace(
        head=head.astype(np.float32),
        aperture=aperture.astype(np.float32),
        gaze=np.clip(look, usual - 8.0, usual + 8.0).astype(np.float32),
        lip_gap=float(min(np.quantile(gaps, 0.05), 0.02)),
        found=found,
    )


def with_aperture(head: Floats, aperture: Floats) -> Floats:
    """The mesh with its lids opened or closed to the given apertures."""
    out = head.copy()
    model = face_model()
    for row, side in enumerate(("Left", "Right")):
        shape = model.basis[blendshapes.index(f"eyeBlink{side}")]
        now = measure.lid_opening(out)[row]
        closed = measure.lid_opening(out + shape)[row]
        out = out + shape * (now - aperture[row]) / max(now - closed, 1e-3)
    return out


def _shared_rest(faces: Sequence[Face], rounds: int = 4) -> Floats:
    """The mesh from which the weights of all faces can be counted upwards."""
    model = face_model()
    read = WeightReader(model, FitSettings())
    heads = np.array([in_head_frame(f, model.neutral, model)[0] for f in faces])
    rest = normalized(np.median(heads, axis=0))
    weights = np.zeros((len(faces), blendshapes.COUNT))
    for _ in range(rounds):
        heads = np.array([in_head_frame(f, rest, model)[0] for f in faces])
        for i, head in enumerate(heads):
            weights[i] = read(head - rest, weights[i])
        explained = np.tensordot(weights, model.basis, 1)
        rest = normalized(np.median(heads - explained, axis=0))
    return rest


def normalized(head: Floats) -> Floats:
    """The mesh turned like the average face, outer eye corners 1 apart about the origin."""
    model = face_model()
    head = align_robustly(model.neutral, head, model.stability).to_head(head)
    corners = head[list(landmarks.EYE_OUTER_CORNERS)]
    size = np.linalg.norm(corners[1] - corners[0])
    return np.asarray((head - corners.mean(axis=0)) / size)


class _Photo:
    """Splits one mesh into person and expression."""

    def __init__(self, certainty: float) -> None:
        model = face_model()
        use = np.flatnonzero((point_trust() > 0).ravel())
        modes = model.identity.reshape(len(model.identity), -1)[:, use].astype(np.float64)
        noise = 0.008**2 / point_trust().ravel()[use]
        inner = np.linalg.inv(np.eye(len(modes)) + (modes / noise) @ modes.T)
        basis = model.basis.reshape(blendshapes.COUNT, -1)[:, use].astype(np.float64)
        half = (basis / noise) @ modes.T
        self.use = use
        self.reader = basis / noise - half @ inner @ (modes / noise)
        self.cost = np.full(blendshapes.COUNT, 12.0) / max(certainty, 1e-3) * 0.5
        gram = self.reader @ basis.T + np.diag(np.full(blendshapes.COUNT, 12.0))
        gaze = [i for i, n in enumerate(blendshapes.NAMES) if n.startswith(("eyeLook", "eyeWide"))]
        high = np.ones(blendshapes.COUNT)
        high[gaze] = 1e-9
        self.solve = BoxSolver(gram, np.zeros(blendshapes.COUNT), high)

    def weights(self, head: Floats) -> Floats:
        """(52,) the expression in a mesh, the person's own shape being unknown."""
        away = (head - face_model().neutral).ravel()[self.use]
        return self.solve(self.reader @ away - self.cost, np.zeros(blendshapes.COUNT))


@cache
def _photo(certainty: float) -> _Photo:
    return _Photo(certainty)


def rest_of_mesh(head: Floats, certainty: float) -> Floats:
    """The mesh without the expression it probably shows."""
    if certainty == 0.0:
        return head
    weights = _photo(certainty).weights(head)
    return normalized(head - face_model().displacement(weights))


def understand(
    frame: VideoFrame,
    face: Face,
    settings: RestSettings | None = None,
    fit: FitSettings | None = None,
) -> Identity:
    """Who a photo shows, what they do in it, and what they look like without that."""
    settings = settings or RestSettings()
    model = face_model()
    head = normalized(in_head_frame(face, model.neutral, model)[0])
    still = rest_of_mesh(head, settings.certainty)
    seen = measure.lid_opening(head)
    usual = measure.lid_opening(model.neutral)
    aperture = np.where(seen < 0.55 * usual, 0.85 * usual, np.clip(seen, 0.7 * usual, 1.35 * usual))
    rest = _finish(
        still, aperture, measure.gaze(model.neutral), np.array([measure.lip_gap(still)]),
        "from one photo",
    )  # fmt: skip
    expression, pose = Fit(rest, fit or FitSettings()).express(face)
    return Identity(frame=frame, face=face, pose=pose, expression=expression, rest=rest)
