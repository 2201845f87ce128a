"""From an expression to the identity's mesh, in the head frame.

The identity's rest is moved by the blendshapes and by the measured shape beyond them. The mouth's
motion is scaled sideways by how wide the two mouths are, and up and down by how tall the two lower
faces: a child's jaw does not drop as far as a man's. Gaze, lids and lips are then set to what was
measured, since a blink that almost closes and lips that almost touch are what people notice first.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Floats
from retarget.flow.ease import smoothstep
from retarget.flow.face_model import FaceModel
from retarget.flow.gaze import carried, move_irises, off_middle, read_gaze
from retarget.flow.values import Expression, RestFace
from retarget.transfer.strength import WIDEST, region_shares

_BLINKS = [blendshapes.index(name) for name in ("eyeBlinkLeft", "eyeBlinkRight")]
_INNER_LIPS = (landmarks.LIPS_INNER_UPPER, landmarks.LIPS_INNER_LOWER)
_UPPER_LID_SHARE = 0.85
"""The upper lid's share of a correction of the lids' gap, 0..1."""
_UNDER_REPORTED = {
    "browDown": 1.25, "browInnerUp": 1.4, "browOuterUp": 1.3, "mouthRoll": 1.2,
    "mouthPucker": 1.4, "mouthLeft": 1.4, "mouthRight": 1.4, "jawLeft": 1.4, "jawRight": 1.4,
}  # fmt: skip
"""Correction of fitted weights that the tracker's mesh under-reports, by the beginning of a name. A
mesh stays near to average brows: of drawn ones it reports 0.5 to 0.6, of lowered ones more, as the
rest of the face adds to their weight. Lips that purse, roll in or move sideways hide the points
that would show it, unless they part."""
_PARTED = (0.06, 0.2)
"""Gap of the lips in head units between which the correction of the lips' weights fades out: it
would make a slit of a rounded mouth."""
_SIDEWAYS, _DOWN = 1.3, 1.5
"""Correction of gaze: a mesh reports 0.5 to 0.8 of a sideways gaze, and less of a lowered one, as
the lids follow and hide the iris. An upward gaze needs none, as the lids part with it."""
_WIDENED_EYES = 1.3
"""Correction of apertures above rest: a mesh stays near to average eyes, too."""
_BEYOND, _SURE_ASIDE = np.array([0.5, 0.0], np.float32), 2.0
"""Share (yaw, pitch) of the photo's own gaze that a mesh does not report, and the degrees that may
be the mesh's error. Irises of a photo that looks sideways have that much farther to go back."""
_RATIOS = (0.8, 1.25)
"""Range of size ratios of two faces; beyond it the tracker is taken to be wrong."""
CONTACT = 0.008
"""Head units: a measured gap below this is lips that touch."""


class Shape:
    """The identity's mesh for any expression.

    Args:
        model: the shared blendshape basis.
        driving: the driving face's rest, where it is known; None for an expression that was said.
    """

    def __init__(self, model: FaceModel, driving: RestFace | None) -> None:
        self._model = model
        self._driving = driving
        shares = region_shares(model)
        self._mouth = shares["mouth"] + shares["jaw"]  # (478,)
        self._met: tuple[RestFace, _Proportions] | None = None

    def __call__(
        self, rest: RestFace, start: Floats, expression: Expression, photo: Photo | None = None
    ) -> Floats:
        """Move `start` (the rest itself, or a photo's own mesh) by an expression.

        Args:
            rest: the identity's rest, for its proportions.
            start: (478, 3) head-frame mesh from which the expression departs.
            expression: what to do.
            photo: the identity's picture, where `start` is the rest and not the photo's own mesh.

        Returns:
            (478, 3) head-frame mesh.
        """
        seen = expression.measured
        if seen is None:
            moved = self._model.said(expression.weights)
            aperture = self._said(expression.weights, moved)
        else:
            moved = self._model.displacement(expression.weights * _weight_factors(seen.lip_gap))
            moved += seen.detail
            aperture = _corrected_apertures(seen.aperture)
        if photo is not None and photo.expression is not None:
            moved -= self._model.displacement(_hidden_weights(photo.expression))
        wider, taller, same_way = self._proportions(rest)
        aperture = _widened(aperture, same_way)
        moved[:, 0] *= 1 + self._mouth * (wider - 1)
        moved[:, 1] *= 1 + self._mouth * (taller - 1)
        mesh = start + moved
        if seen is not None:  # its unit is the width of the eye as it now is
            aperture = aperture * eye_widths(mesh) / eye_widths(start)
        set_lids(mesh, start, aperture)
        if seen is not None:
            aside = 0 if photo is None else _hidden_gaze(rest, photo)
            set_irises(mesh, start, seen.gaze * _gaze_factors(seen.gaze) - aside)
            set_lips(mesh, seen.lip_gap * taller)
        return mesh

    def _said(self, weights: Floats, moved: Floats) -> Floats:
        """Apertures (2,) for weights from words; a blink closes a share of what is otherwise open.

        Otherwise half-shut lids would meet as soon as the eyes look down or narrow.
        """
        blink = np.zeros_like(weights)
        blink[_BLINKS] = weights[_BLINKS]
        left_open = opened(self._model.neutral, moved - self._model.displacement(blink))
        return np.asarray(left_open * (1 - np.minimum(blink[_BLINKS], 1)), np.float32)

    def _proportions(self, rest: RestFace) -> _Proportions:
        """The proportions of an identity, kept while frames show the same one."""
        if self._met is None or self._met[0] is not rest:
            driving = None if self._driving is None else self._driving.head
            theirs = self._model.neutral if driving is None else driving
            same_way = np.minimum(1.0, lid_gaps(theirs) / np.maximum(lid_gaps(rest.head), 1e-3))
            self._met = rest, _Proportions(*_ratios(rest.head, driving), same_way)
        return self._met[1]


class Photo(NamedTuple):
    """A picture of the identity."""

    mesh: Floats
    """(478, 3) in the head frame."""
    expression: Expression | None = None
    """What the person does in it; None where its rest is not known well enough to tell."""


class _Proportions(NamedTuple):
    """An identity's face relative to the driving face."""

    wider: float
    """Ratio of the mouths' widths."""
    taller: float
    """Ratio of the lower faces' heights."""
    same_way: Floats
    """(2,) ratio of the driving lids' gap at rest to the identity's, at most 1."""


def _ratios(own: Floats, driving: Floats | None) -> tuple[float, float]:
    """Ratios of mouth width and lower-face height to the driving face's; 1 if unknown."""
    if driving is None:
        return 1.0, 1.0
    wider = np.clip(mouth_width(own) / mouth_width(driving), *_RATIOS)
    taller = np.clip(lower_face(own) / lower_face(driving), *_RATIOS)
    return float(wider), float(taller)


def _widened(aperture: Floats, same_way: Floats) -> Floats:
    """Limit apertures (2,) above rest to the absolute distance by which the driving lids part.

    Closing is relative, so that each eye shuts; but widening by a factor that hardly shows in a
    narrow eye makes a large one stare.

    Args:
        aperture: (2,)
        same_way: (2,) as in `_Proportions`.
    """
    beyond = np.maximum(aperture - 1, 0)
    return np.asarray(aperture - beyond * (1 - same_way), np.float32)


def _hidden_weights(own: Expression) -> Floats:
    """(52,) the part of a photo's own expression that its mesh under-reports."""
    gap = 0.0 if own.measured is None else own.measured.lip_gap
    return np.asarray(own.weights * (_weight_factors(gap) - 1), np.float32)


def _hidden_gaze(rest: RestFace, photo: Photo) -> Floats:
    """(2,) or (2, 2) degrees of a photo's own gaze that its mesh under-reports."""
    ahead = read_gaze(rest.head)
    own = None if photo.expression is None else photo.expression.measured
    if own is not None:
        aside = own.gaze - (ahead - rest.gaze)
        return np.asarray(aside * (_gaze_factors(aside) - 1), np.float32)
    aside = (read_gaze(photo.mesh) - ahead).mean(axis=0)  # their difference is mostly error
    sure = np.sign(aside) * np.maximum(np.abs(aside) - _SURE_ASIDE, 0)
    return np.asarray(_BEYOND * sure, np.float32)


def _weight_factors(gap: float) -> Floats:
    """(52,) factors that correct fitted weights where the lips are `gap` head units apart."""
    more, hidden = _extra()
    return 1 + more - np.float32(smoothstep(*_PARTED, gap)) * hidden


def _corrected_apertures(aperture: Floats) -> Floats:
    """(2,) apertures with under-reported widening corrected."""
    wider = np.minimum(1 + np.float32(_WIDENED_EYES) * (aperture - 1), np.float32(WIDEST))
    return np.where(aperture > 1, np.maximum(wider, aperture), aperture)


def _gaze_factors(gaze: Floats) -> Floats:
    """(2, 2) factors that correct a gaze (2, 2: degrees) read off a mesh."""
    out = np.full((2, 2), _SIDEWAYS, np.float32)
    out[:, 1] = np.where(gaze[:, 1] < 0, _DOWN, 1.0)
    return out


@cache
def _extra() -> tuple[Floats, Floats]:
    """(52,) each: `_UNDER_REPORTED` minus one for every weight; and for those of the lips alone."""
    out = np.zeros((2, blendshapes.COUNT), np.float32)
    for i, name in enumerate(blendshapes.NAMES):
        more = next((f - 1 for start, f in _UNDER_REPORTED.items() if name.startswith(start)), 0.0)
        out[:, i] = more, more * name.startswith("mouth")
    return out[0], out[1]


def mouth_width(head: Floats) -> float:
    """Distance of the mouth corners of a mesh (478, 3) in head units."""
    right, left = head[list(landmarks.MOUTH_CORNERS)]
    return float(np.linalg.norm(left - right))


def lower_face(head: Floats) -> float:
    """Distance from the line of the eyes of a mesh (478, 3) to its chin in head units."""
    eyes = head[list(landmarks.EYE_OUTER_CORNERS), 1].mean()
    return float(abs(head[landmarks.CHIN, 1] - eyes))


def lid_gaps(head: Floats) -> Floats:
    """(2,) mean gap of the lids of the left and right eye of a mesh (478, 3) in head units."""
    gaps = [
        (head[list(low[1:-1])] - head[list(up[1:-1])])[:, 1].mean()
        for up, low in landmarks.EYE_RIMS
    ]
    return np.array(gaps, np.float32)


def eye_widths(head: Floats) -> Floats:
    """(2,) head units between the corners of the left and the right eye of a mesh (478, 3)."""
    across = [head[up[0], :2] - head[up[-1], :2] for up, _ in landmarks.EYE_RIMS]
    return np.asarray(np.linalg.norm(across, axis=1), np.float32)


def opened(head: Floats, moved: Floats) -> Floats:
    """(2,) opening of the left and right eye after a movement, relative to before.

    Args:
        head: (478, 3) head units.
        moved: (478, 3) displacements from it.
    """
    return np.asarray(lid_gaps(head + moved) / lid_gaps(head))


def set_lids(mesh: Floats, start: Floats, aperture: Floats) -> None:
    """Open each eye of `mesh`, in place, to `aperture` (2,: left, right) of its gap in `start`."""
    for (upper, lower), share in zip(landmarks.EYE_RIMS, aperture, strict=True):
        up, low = list(upper[1:-1]), list(lower[1:-1])
        wanted = (start[low] - start[up]) * np.float32(max(0.0, share))
        off = wanted - (mesh[low] - mesh[up])  # missing gap, per column
        mesh[up] -= np.float32(_UPPER_LID_SHARE) * off
        mesh[low] += np.float32(1 - _UPPER_LID_SHARE) * off


def set_irises(mesh: Floats, start: Floats, gaze: Floats) -> None:
    """Turn the eyes, in place, by `gaze` (2, 2: degrees) from where they look in `start`."""
    move_irises(mesh, carried(gaze) - (off_middle(mesh) - off_middle(start)))


def set_lips(mesh: Floats, gap: float) -> None:
    """Bring the inner lip rims of a mesh (478, 3), in place, to `gap` (head units) at their middle.

    A gap under `CONTACT` closes the whole line; an open mouth keeps the form its shape gives it.
    """
    up, low = list(_INNER_LIPS[0][1:-1]), list(_INNER_LIPS[1][1:-1])
    now = mesh[low] - mesh[up]
    middle = float(np.linalg.norm(now[len(now) // 2]))
    if gap < CONTACT:
        off = -now
    elif middle > 1e-4:
        off = now * np.float32(min(gap / middle, 4.0) - 1)
    else:
        return
    mesh[up] -= np.float32(0.5) * off
    mesh[low] += np.float32(0.5) * off
