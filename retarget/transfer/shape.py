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
"""Part of a lid correction that the upper lid takes."""
_READ_MILDLY = {
    "browDown": 1.25, "browInnerUp": 1.4, "browOuterUp": 1.3, "mouthRoll": 1.2,
    "mouthPucker": 1.4, "mouthLeft": 1.4, "mouthRight": 1.4, "jawLeft": 1.4, "jawRight": 1.4,
}  # fmt: skip
"""Of what a face does, how much more than its mesh tells, by the beginning of a weight's name. A
mesh stays near to usual brows: of drawn ones it tells 0.5 to 0.6, of lowered ones more, since their
weight holds what the rest of the face says. And lips that purse, roll in or are drawn aside hide
the points by which it would know them, unless they part."""
_PARTED = (0.06, 0.2)
"""Gap of the lips in head units from which on less and at which no more than it tells: a rounded
mouth would become a slit."""
_TOLD_ASIDE, _TOLD_DOWN = 1.3, 1.5
"""The same of irises: of one that is drawn aside a mesh tells 0.5 to 0.8, and less yet of one drawn
down, for the lids that follow it hide it. Of one drawn up, lids that part say the rest."""
_TOLD_WIDE = 1.3
"""The same of lids that part beyond rest: a mesh stays near to usual eyes, too."""
_BEYOND, _SURE_ASIDE = np.array([0.5, 0.0], np.float32), 2.0
"""How much farther than its mesh tells the eyes of a photo look aside (yaw, pitch), and the degrees
that may be the mesh's error: what is under-told of driving eyes, with the strength that makes up
for it, is under-told of the photo's, and its irises have that much farther to go back."""
_RATIOS = (0.8, 1.25)
"""Faces are believed to differ by this much; more is the tracker's error."""
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
            photo: the picture that is to show it, where that is not what `start` shows.

        Returns:
            (478, 3) head-frame mesh.
        """
        seen = expression.measured
        if seen is None:
            moved = self._model.said(expression.weights)
            aperture = self._said(expression.weights, moved)
        else:
            moved = self._model.displacement(expression.weights * _told(seen.lip_gap))
            moved += seen.detail
            aperture = _told_of_lids(seen.aperture)
        if photo is not None and photo.expression is not None:
            moved -= self._model.displacement(_untold(photo.expression))
        wider, taller, same_way = self._proportions(rest)
        aperture = _widened(aperture, same_way)
        moved[:, 0] *= 1 + self._mouth * (wider - 1)
        moved[:, 1] *= 1 + self._mouth * (taller - 1)
        mesh = start + moved
        if seen is not None:  # it is told in widths of the eye as it is now
            aperture = aperture * eye_widths(mesh) / eye_widths(start)
        set_lids(mesh, start, aperture)
        if seen is not None:
            aside = 0 if photo is None else _untold_gaze(rest, photo)
            set_irises(mesh, start, seen.gaze * _told_of_gaze(seen.gaze) - aside)
            set_lips(mesh, seen.lip_gap * taller)
        return mesh

    def _said(self, weights: Floats, moved: Floats) -> Floats:
        """Apertures (2,) of lids that were said; they shut by shares of what is open without that.

        Else lids that are half shut would meet as soon as the eyes look down or narrow.
        """
        blink = np.zeros_like(weights)
        blink[_BLINKS] = weights[_BLINKS]
        left_open = opened(self._model.neutral, moved - self._model.displacement(blink))
        return np.asarray(left_open * (1 - np.minimum(blink[_BLINKS], 1)), np.float32)

    def _proportions(self, rest: RestFace) -> _Proportions:
        """Those of an identity, which is the same one for many frames."""
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
    """What the person does in it, where the rest is more than a guess."""


class _Proportions(NamedTuple):
    """Of an identity's face against the driving one."""

    wider: float
    """How much wider its mouth is."""
    taller: float
    """How much taller its lower face is."""
    same_way: Floats
    """(2,) the share of its lids' way by which they part as far as the driving ones, at most 1."""


def _ratios(own: Floats, driving: Floats | None) -> tuple[float, float]:
    """How much wider one's mouth and taller one's lower face is than the driving one, if known."""
    if driving is None:
        return 1.0, 1.0
    wider = np.clip(mouth_width(own) / mouth_width(driving), *_RATIOS)
    taller = np.clip(lower_face(own) / lower_face(driving), *_RATIOS)
    return float(wider), float(taller)


def _widened(aperture: Floats, same_way: Floats) -> Floats:
    """Apertures (2,) whose lids part no farther beyond rest than the driving ones do.

    Eyes shut by shares, each until it is shut; but a share that hardly widens a narrow eye makes a
    large one stare.

    Args:
        aperture: (2,)
        same_way: (2,) as in `_Proportions`.
    """
    beyond = np.maximum(aperture - 1, 0)
    return np.asarray(aperture - beyond * (1 - same_way), np.float32)


def _untold(own: Expression) -> Floats:
    """(52,) weights by which a photo does more than its mesh tells, as a driving face does."""
    gap = 0.0 if own.measured is None else own.measured.lip_gap
    return np.asarray(own.weights * (_told(gap) - 1), np.float32)


def _untold_gaze(rest: RestFace, photo: Photo) -> Floats:
    """(2,) or (2, 2) degrees by which a photo's eyes look farther than its mesh tells."""
    ahead = read_gaze(rest.head)
    own = None if photo.expression is None else photo.expression.measured
    if own is not None:
        aside = own.gaze - (ahead - rest.gaze)
        return np.asarray(aside * (_told_of_gaze(aside) - 1), np.float32)
    aside = (read_gaze(photo.mesh) - ahead).mean(axis=0)  # one eye's own is mostly error
    sure = np.sign(aside) * np.maximum(np.abs(aside) - _SURE_ASIDE, 0)
    return np.asarray(_BEYOND * sure, np.float32)


def _told(gap: float) -> Floats:
    """(52,) what a measured weight is multiplied by where lips are `gap` head units apart."""
    more, hidden = _more()
    return 1 + more - np.float32(smoothstep(*_PARTED, gap)) * hidden


def _told_of_lids(aperture: Floats) -> Floats:
    """(2,) apertures whose mesh tells those."""
    wider = np.minimum(1 + np.float32(_TOLD_WIDE) * (aperture - 1), np.float32(WIDEST))
    return np.where(aperture > 1, np.maximum(wider, aperture), aperture)


def _told_of_gaze(gaze: Floats) -> Floats:
    """(2, 2) what a gaze (2, 2: degrees) that was read off a mesh is multiplied by."""
    out = np.full((2, 2), _TOLD_ASIDE, np.float32)
    out[:, 1] = np.where(gaze[:, 1] < 0, _TOLD_DOWN, 1.0)
    return out


@cache
def _more() -> tuple[Floats, Floats]:
    """(52,) each: how much more than its mesh tells a face does; and of the lips alone."""
    out = np.zeros((2, blendshapes.COUNT), np.float32)
    for i, name in enumerate(blendshapes.NAMES):
        more = next((f - 1 for start, f in _READ_MILDLY.items() if name.startswith(start)), 0.0)
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
    """(2,) how far the lids of the left and the right eye are apart in a mesh (478, 3)."""
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
    """(2,) how many times as open as in a mesh the left and the right eye are once it has moved.

    An eye larger than the average one has farther to go until it is shut.

    Args:
        head: (478, 3) head units.
        moved: (478, 3) displacements from it.
    """
    return np.asarray(lid_gaps(head + moved) / lid_gaps(head))


def set_lids(mesh: Floats, start: Floats, aperture: Floats) -> None:
    """Open each eye, in place, to `aperture` (2,: left, right) times its opening in `start`."""
    for (upper, lower), share in zip(landmarks.EYE_RIMS, aperture, strict=True):
        up, low = list(upper[1:-1]), list(lower[1:-1])
        wanted = (start[low] - start[up]) * np.float32(max(0.0, share))
        off = wanted - (mesh[low] - mesh[up])  # what the lids still have to open, per column
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
