"""Find what a face looks like when it does nothing.

The most sensitive choice of all: every weight counts from here. The first frame may be a frown,
and a person may talk or smile from the first frame to the last.

A single mesh is split into person and expression: how much of its difference from an average
face is more easily an expression than a person? Faces vary smoothly and mostly alike on both sides
(a Gaussian process over the mesh, as in Lüthi et al., "Gaussian Process Morphable Models", IEEE
TPAMI 40(8), 2018). A clip is many such meshes of one person: what they say of the rest is averaged,
and those count most that show the least expression, for there least has to be guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from retarget.errors import NoFaceFound
from retarget.expression import measure
from retarget.expression.fit import Fit, in_head_frame
from retarget.expression.reader import most_told, point_trust
from retarget.expression.settings import FitSettings, RestSettings
from retarget.expression.solve import BoxSolver
from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Bools, Doubles
from retarget.flow.ease import smoothstep
from retarget.flow.face_model import face_model
from retarget.flow.gaze import carried, move_irises, read_gaze
from retarget.flow.rigid import align_robustly
from retarget.flow.values import Face, Identity, RestFace, TrackedFrame, VideoFrame

_OFF = 0.008
"""How far a point is off (head units) for reasons that are neither person nor expression."""
_COST, _STIFF = 4.0, 12.0
_SHY = {"brows": 4.0}
"""How much dearer an expression is in a region where people differ much at rest."""
_ROUNDS, _SMALL = 2, 0.2
"""How often large weights are told from small ones, and what is small."""
_CALM, _CALMEST = 0.005, 0.2
"""Mean movement (head units) by which a sample's say is cut to 1/e, and the share of the samples
that have a full one: the very calmest may be so because its expression was taken for the person."""
_CONTACT = 0.02
"""The most that the mesh reports between lips that touch, in head units."""
_CONTACT_SEEN = 0.012
"""The same as the picture shows it, without the mesh's depth."""
_TURN = 15.0
"""Degrees of head turn that eyes on the camera make up for, and of a likely gaze."""
_AVERTED = (25.0, 40.0)
"""Degrees of head turn from which a mouth's averted side is believed less, and at which not."""
_SQUINT = 8.0
"""Degrees by which an eye may seem to look aside; beyond that somebody really crosses them."""
_KNOWN = (0.5, 0.7)
"""Share of a common sideways and upward offset that is the face's and not the gaze's."""
_HALF_SHUT, _RELAXED, _SLEEPY, _STARING = 0.55, 0.85, 0.7, 1.35
"""Of the usual lid opening: below which a photo's eyes count as closing, what they open to then,
and the least and most that a photo's own opening is believed to be its rest."""
_LID_RESTS = 0.95
"""How many radii of the iris an upper lid lies above its middle at most while it rests: it covers
the edge. Where it lies higher, the eye stares."""


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
    model = face_model()
    still = with_lips_met(_shared_rest(faces, settings.certainty))
    seen = [in_head_frame(face, still, model) for face in faces]
    heads = [head for head, _ in seen]
    opening = np.array([measure.lid_opening(head) for head in heads])
    gaze = np.array([read_gaze(head) for head in heads])
    look = _looking_ahead(
        gaze,
        np.array([pose.angles[:2] for _, pose in seen]),
        opening >= np.quantile(opening, 0.4, axis=0),
        np.array(_KNOWN),
    )
    aperture = _at_rest(opening, gaze[..., 1])
    aperture -= _stared([measure.lid_over_iris(head) for head in heads], opening, aperture)
    gaps = [measure.lip_gap_seen(f.points, pose) for f, (_, pose) in zip(faces, seen, strict=True)]
    gap = np.quantile(gaps, 0.05)
    found = "from the clip" if len(faces) > 1 else "from one moment"
    return _rest_face(with_eyes_agreeing(still, look), aperture, look, float(gap), found)


def _at_rest(opening: Doubles, pitch: Doubles) -> Doubles:
    """(2,) lid opening at rest: what is usual, or usual for eyes that do not look down.

    Upper lids go down with the gaze; and while they blink, the gaze is a guess.

    Args:
        opening: (n, 2) of each sample.
        pitch: (n, 2) degrees that each eye looks up.
    """
    level = pitch >= np.quantile(pitch, 0.65, axis=0)
    ahead = [np.quantile(opening[level[:, i], i], 0.6) for i in range(2)]
    return np.maximum(np.quantile(opening, 0.6, axis=0), ahead)


def _stared(irises: Sequence[tuple[Doubles, Doubles]], opening: Doubles, usual: Doubles) -> Doubles:
    """(2,) how much of the usual opening, in eye widths, is staring rather than rest.

    Whose eyes are wide all through a clip tells of no other rest; but white above the iris does.

    Args:
        irises: of each sample, as `measure.lid_over_iris`.
        opening: (n, 2) of each sample.
        usual: (2,) opening.
    """
    over, radius = (np.array(values) for values in zip(*irises, strict=True))
    out = np.empty(2)
    for i in range(2):
        near = np.abs(opening[:, i] - usual[i])
        alike = near <= np.quantile(near, 0.3)
        beyond = max(float(np.median(over[alike, i])) - _LID_RESTS, 0.0)
        out[i] = beyond * float(np.median(radius[alike, i]))
    return np.full(2, out.mean())


def _rest_face(head: Doubles, aperture: Doubles, look: Doubles, gap: float, found: str) -> RestFace:
    return RestFace(
        head=with_aperture(head, aperture).astype(np.float32),
        aperture=aperture.astype(np.float32),
        gaze=look.astype(np.float32),
        lip_gap=min(gap, _CONTACT_SEEN),
        found=found,
    )


def _looking_ahead(gaze: Doubles, turn: Doubles, wide: Bools, known: Doubles) -> Doubles:
    """(2, 2) degrees that the mesh reports for eyes that look straight out of the head.

    Corners of eyes lie differently in every face, which shifts what is measured. People look at
    the camera or straight ahead, whichever explains the clip with less spread; the two eyes look
    in one direction.

    Args:
        gaze: (n, 2, 2) as measured.
        turn: (n, 2) yaw and pitch of the head.
        wide: (n, 2) which eyes are open.
        known: (2,) share of a common sideways and upward offset that is the face's.
    """
    usual = read_gaze(face_model().neutral)
    out = np.empty((2, 2))
    for axis in range(2):
        to_camera = gaze[:, :, axis] + np.clip(turn[:, None, axis], -_TURN, _TURN)
        ahead = gaze[:, :, axis]
        middle, spread = zip(*(_middle(x, wide) for x in (ahead, to_camera)), strict=True)
        found = middle[int(spread[1].sum() < spread[0].sum())]
        # Each eye against the other is known well, both against the head only roughly.
        both = float(np.mean(found - usual[:, axis]))
        own = (found - usual[:, axis]) - both
        own = np.clip(own, -_SQUINT, _SQUINT)
        out[:, axis] = usual[:, axis] + own + known[axis] * np.clip(both, -_TURN, _TURN)
    return out


def _middle(angles: Doubles, wide: Bools) -> tuple[Doubles, Doubles]:
    """Median and median deviation of each eye's angles (n, 2) while it is open."""
    middle = np.array([np.median(angles[wide[:, i], i]) for i in range(2)])
    spread = [np.median(np.abs(angles[wide[:, i], i] - middle[i])) for i in range(2)]
    return middle, np.array(spread)


def with_eyes_agreeing(head: Doubles, look: Doubles) -> Doubles:
    """The mesh with its eyes turned against each other as `look` (2, 2: degrees) says.

    Where both look together is left as it is: the middle of what a face looked at. But of a face
    that often crosses its eyes that middle crosses them too, and is no rest.
    """
    out = head.copy()
    now = read_gaze(head)
    to = now.mean(axis=0) + look - look.mean(axis=0)
    move_irises(out, carried(to) - carried(now))
    return out


def with_aperture(head: Doubles, aperture: Doubles) -> Doubles:
    """The mesh (478, 3) with its lids opened or closed to apertures (2,), in eye widths."""
    out = head.copy()
    model = face_model()
    for row, side in enumerate(("Left", "Right")):
        shape = model.basis[blendshapes.index(f"eyeBlink{side}")]
        now = measure.lid_opening(out)[row]
        closed = measure.lid_opening(out + shape)[row]
        out = out + shape * (now - aperture[row]) / max(now - closed, 1e-3)
    return out


def _shared_rest(faces: Sequence[Face], certainty: float) -> Doubles:
    """What the faces say of their rest, the calm ones most: a weighted median per coordinate."""
    model = face_model()
    heads = [normalized(in_head_frame(f, model.neutral, model)[0]) for f in faces]
    rests = np.array([rest_of_mesh(head, certainty) for head in heads])
    moved = np.linalg.norm((np.array(heads) - rests)[..., :2], axis=2).mean(axis=1)
    calm = np.exp(np.minimum((np.quantile(moved, _CALMEST) - moved) / _CALM, 0.0))
    order = np.argsort(rests, axis=0)
    sums = np.cumsum(calm[order], axis=0)
    middle = (sums >= calm.sum() / 2).argmax(axis=0)
    chosen = np.take_along_axis(order, middle[None], axis=0)
    return normalized(np.take_along_axis(rests, chosen, axis=0)[0])


def normalized(head: Doubles) -> Doubles:
    """The mesh (478, 3) turned like the average face, its outer eye corners 1 apart about 0."""
    model = face_model()
    head = align_robustly(model.neutral, head, model.stability).to_head(head)
    corners = head[list(landmarks.EYE_OUTER_CORNERS)]
    size = np.linalg.norm(corners[1] - corners[0])
    return np.asarray((head - corners.mean(axis=0)) / size)


class _Photo:
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
        # Woodbury: the inverse of modes' covariance plus what no mode says.
        inner = np.linalg.inv(np.eye(len(modes)) + (modes * sure) @ modes.T)
        self.use = use
        self.reader = basis * sure - (basis * sure) @ modes.T @ inner @ (modes * sure)
        shy = np.array([_SHY.get(blendshapes.region(n), 1.0) for n in blendshapes.NAMES])
        shy = shy / max(certainty, 1e-3)
        self.cost, self.stiff = _COST * shy, _STIFF * shy
        gram = self.reader @ basis.T
        high = most_told()
        high[[n.startswith(("eyeLook", "eyeWide")) for n in blendshapes.NAMES]] = 0.0
        self.solve = BoxSolver(gram, np.zeros(blendshapes.COUNT), high)

    def weights(self, head: Doubles) -> Doubles:
        """(52,) the expression in a mesh, the person's own shape being unknown."""
        away = (head - face_model().neutral).ravel()[self.use]
        pulled = self.reader @ away
        found = self.solve(pulled - self.cost, np.zeros(blendshapes.COUNT), self.stiff)
        for _ in range(_ROUNDS):  # as in `WeightReader`: what is large is no accident
            dear = 2.0 * _SMALL / (found + _SMALL)
            found = self.solve(pulled - dear * self.cost, found, dear * self.stiff)
        return found


@cache
def _photo(certainty: float) -> _Photo:
    return _Photo(certainty)


def rest_of_mesh(head: Doubles, certainty: float, yaw: float = 0.0) -> Doubles:
    """The mesh (478, 3), head units, without the expression it probably shows.

    Args:
        head: the mesh.
        certainty: how readily what is unusual is taken for an expression.
        yaw: degrees by which the face is turned to the picture's right, where only one is seen.
    """
    if certainty == 0.0:
        return head
    weights = _alike_where_averted(_photo(certainty).weights(head), yaw)
    return with_lips_met(normalized(head - face_model().displacement(weights)))


def _alike_where_averted(weights: Doubles, yaw: float) -> Doubles:
    """(52,) weights by which a mouth does on its averted side what it does on the other.

    There a mesh is a guess: a corner that it has too low would be a frown, and taken out of the
    face at rest it would be drawn as a hook.
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
    """The mesh (478, 3), head units, with its lips brought into contact where they are apart."""
    shape = face_model().basis[blendshapes.index("mouthClose")].astype(np.float64)
    now, step = measure.lip_gap(head), 0.1
    per_step = now - measure.lip_gap(head + step * shape)
    if now <= _CONTACT or per_step <= 0.0:
        return head
    return np.asarray(head + shape * step * (now - _CONTACT) / per_step)


def understand(frame: VideoFrame, face: Face, settings: RestSettings | None = None) -> Identity:
    """Who a photo shows, what they do in it, and what they look like without that."""
    settings = settings or RestSettings()
    model = face_model()
    head, pose = in_head_frame(face, model.neutral, model)
    head = normalized(head)
    still = rest_of_mesh(head, settings.certainty, pose.angles[0])
    opening, usual = measure.lid_opening(head), measure.lid_opening(model.neutral)
    aperture = np.where(
        opening < _HALF_SHUT * usual,
        _RELAXED * usual,
        np.clip(opening, _SLEEPY * usual, _STARING * usual),
    )
    # The surer an expression, the more of how the eyes open and look aside is it, not the face.
    # Up and down, faces differ as much as looks do.
    own = 1.0 / max(1.0, settings.certainty)
    aperture = usual + own * (aperture - usual)
    look = _looking_ahead(
        read_gaze(head)[None],
        np.array([pose.angles[:2]]),
        np.ones((1, 2), bool),
        np.array(_KNOWN) * (own, 1.0),
    )
    rest = _rest_face(
        still, aperture, look, measure.lip_gap_seen(face.points, pose), "from one photo"
    )
    expression, pose = Fit(rest, FitSettings()).express(face)
    return Identity(frame=frame, face=face, pose=pose, expression=expression, rest=rest)
