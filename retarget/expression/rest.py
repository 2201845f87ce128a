"""Find what a face looks like at rest.

This is the most sensitive choice, as all weights are relative to it. The first frame may be a
frown, and a person may talk or smile from the first frame to the last.

Each mesh of a clip gives an estimate of the person at rest (`rest_mesh.py`). The estimates are
averaged; those of frames with less expression, which need a smaller correction, count more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retarget.errors import NoFaceFound
from retarget.expression import measure
from retarget.expression.fit import Fit, in_head_frame
from retarget.expression.rest_mesh import normalized, rest_of_mesh, with_lips_met
from retarget.expression.settings import FitSettings, RestSettings
from retarget.flow import blendshapes
from retarget.flow.arrays import Bools, Doubles
from retarget.flow.face_model import face_model
from retarget.flow.gaze import carried, move_irises, read_gaze
from retarget.flow.values import Face, Identity, RestFace, TrackedFrame, VideoFrame

_CALM, _CALMEST = 0.005, 0.2
"""Mean movement (head units) that reduces a sample's vote to 1/e, and the share of samples with a
full vote: the very calmest may only be one whose expression was taken for the person."""
_CONTACT_SEEN = 0.012
"""The largest gap of lips in contact in the picture plane, in head units."""
_TURN = 15.0
"""The most degrees of head rotation that eyes on the camera compensate, and of a likely gaze."""
_SQUINT = 8.0
"""The most degrees of one eye's offset; beyond that the person really squints."""
_KNOWN = (0.5, 0.7)
"""Part of both eyes' common sideways and upward offset that is due to the face, not the gaze."""
_HALF_SHUT, _RELAXED, _SLEEPY, _STARING = 0.55, 0.85, 0.7, 1.35
"""Parts of the usual lid opening: below the first a photo's eyes count as closing, and the second
is taken as their rest; the others are the least and the most opening at rest of a photo."""
_LID_RESTS = 0.95
"""The greatest height of an upper lid at rest above the middle of the iris, in radii of the iris.
Where it lies higher, the eye is wide open."""


def find_rest(samples: Sequence[TrackedFrame], settings: RestSettings | None = None) -> RestFace:
    """The person's rest, from samples of a video.

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
    aperture -= _excess_opening([measure.lid_over_iris(head) for head in heads], opening, aperture)
    gaps = [measure.lip_gap_seen(f.points, pose) for f, (_, pose) in zip(faces, seen, strict=True)]
    gap = np.quantile(gaps, 0.05)
    found = "from the clip" if len(faces) > 1 else "from one moment"
    return _rest_face(with_eyes_agreeing(still, look), aperture, look, float(gap), found)


def _at_rest(opening: Doubles, pitch: Doubles) -> Doubles:
    """(2,) lid opening at rest: a high quantile of all samples, or of those that do not look down.

    Upper lids go down with the gaze, and during a blink the gaze is unreliable.

    Args:
        opening: (n, 2) of each sample.
        pitch: (n, 2) degrees that each eye looks up.
    """
    level = pitch >= np.quantile(pitch, 0.65, axis=0)
    ahead = [np.quantile(opening[level[:, i], i], 0.6) for i in range(2)]
    return np.maximum(np.quantile(opening, 0.6, axis=0), ahead)


def _excess_opening(
    irises: Sequence[tuple[Doubles, Doubles]], opening: Doubles, usual: Doubles
) -> Doubles:
    """(2,) the part of the usual opening, in eye widths, by which the eyes are wide open.

    In a clip with wide eyes throughout, only the white above the iris shows it.

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
    """(2, 2) measured degrees of eyes that look straight ahead.

    The position of the eye corners, which differs between faces, shifts the measured gaze. It is
    assumed that people look at the camera or straight ahead, whichever explains the clip with less
    spread, and that both eyes look in one direction.

    Args:
        gaze: (n, 2, 2) as measured.
        turn: (n, 2) yaw and pitch of the head.
        wide: (n, 2) which eyes are open.
        known: (2,) part of a common sideways and upward offset that is due to the face.
    """
    usual = read_gaze(face_model().neutral)
    out = np.empty((2, 2))
    for axis in range(2):
        to_camera = gaze[:, :, axis] + np.clip(turn[:, None, axis], -_TURN, _TURN)
        ahead = gaze[:, :, axis]
        middle, spread = zip(*(_middle(x, wide) for x in (ahead, to_camera)), strict=True)
        found = middle[int(spread[1].sum() < spread[0].sum())]
        # The difference between the eyes is known well, their common direction only roughly.
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
    """The mesh with the difference between its eyes' directions that `look` (2, 2), degrees, has.

    Their common direction is kept. In a clip of a face that often squints, the mean of the mesh
    squints, too, which is not the rest.
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
    """The weighted median, per coordinate, of the rests of all faces; calm ones count more."""
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


def understand(frame: VideoFrame, face: Face, settings: RestSettings | None = None) -> Identity:
    """The person of a photo: their expression in it, their pose, and their rest."""
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
    # With a higher certainty, more of the lid opening and the sideways gaze counts as expression,
    # not as the face. Up and down, faces differ as much as gazes do.
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
