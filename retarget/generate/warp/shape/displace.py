"""Turn requested mesh positions into smooth displacements of the photo's points, without folds.

The requested displacements of neighbouring points disagree a little: measurement noise, another
person's proportions. Solving (W + 0.35 L) u = W u* with the mesh's graph Laplacian L lets them
agree; points on lips, lids and brows (W large) keep their wish. Where a triangle would still fold,
its points are relaxed until it does not; save in lips that close over a mouth that gapes in the
photo: whatever folds in them is hidden between them, and relaxed they would smile or frown.

All of this happens in the photo's own pose; a turned head is applied last, to the unfolded mesh.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from retarget.flow import landmarks
from retarget.flow.arrays import Bools, Doubles, Floats
from retarget.flow.values import FaceRequest, HeadPose, Identity
from retarget.generate.warp.mesh import signed_areas, topology
from retarget.generate.warp.rims import MOUTH, rims_of
from retarget.generate.warp.shape.closing import closing
from retarget.generate.warp.shape.contact import Contact
from retarget.generate.warp.shape.corner_skin import CornerSkin
from retarget.generate.warp.shape.driving_form import as_driving_mouth
from retarget.generate.warp.shape.form import (
    BELOW_LIP,
    BROWS,
    CORNERS,
    LOWER_LIP,
    UPPER_LIP,
    Brows,
    Lips,
    corners_keep_their_form,
)
from retarget.generate.warp.shape.opening_form import round_opening

STIFFNESS = 0.35
FIRM_WEIGHT, SKIN_WEIGHT = 24.0, 6.0
"""Data weights of rims, brows and the skin below the lip, and of the skin beside mouth and nose:
a lower weight weakens the requested movement."""
NOSE_WINGS = (64, 48, 129, 102, 98, 294, 278, 358, 331, 327)
SMALLEST_AREA = 0.1
"""Smallest area of a triangle relative to its area in the photo."""
THIN = 0.1
"""Area relative to the median below which a triangle of the photo is too edge-on to matter."""
ROUNDS = 12

IRIS_AHEAD = 0.02
"""Head units by which an iris lies nearer the camera than in the mesh, against the eye corners."""
GLASSES_AHEAD = 0.06
"""Head units by which glasses stand in front of the nose bridge."""

_MESH = landmarks.MESH_COUNT
_IRISES = np.array([landmarks.RIGHT_IRIS[0], landmarks.LEFT_IRIS[0]])
_CORNERS = np.array([[33, 133], [362, 263]])
"""Corners of the right and the left eye, from left to right in the picture."""
_LIDS = (
    (*landmarks.RIGHT_EYE_UPPER, *landmarks.RIGHT_EYE_LOWER, *landmarks.RIGHT_EYE_FOLD),
    (*landmarks.LEFT_EYE_UPPER, *landmarks.LEFT_EYE_LOWER, *landmarks.LEFT_EYE_FOLD),
)
_HELD = np.array([
    *LOWER_LIP.ravel(), *UPPER_LIP.ravel(), *landmarks.LIPS_INNER_UPPER, *landmarks.MOUTH_CORNERS,
    57, 287,
])  # fmt: skip
"""Lips, their corners and the creases outside the corners."""


def _points_of(triangles: Bools, *, along: bool) -> Bools:
    """(468,) corners of the selected of 852 triangles; with `along`, their neighbours too."""
    out = np.zeros(_MESH, np.bool_)
    which = np.flatnonzero(triangles)
    out[topology().face[which]] = True
    return topology().beside[out].any(axis=0) if along and len(which) else out


@cache
def _within_lips() -> Bools:
    """(852,) the triangles whose points all lie on the lips."""
    held = np.zeros(_MESH, np.bool_)
    held[_HELD] = True
    return np.asarray(held[topology().face].all(axis=1))


@cache
def _agreement() -> Floats:
    """(468, 468) the matrix that smooths requested displacements."""
    weight = np.ones(_MESH)
    rims = (
        *landmarks.LIPS_INNER_UPPER, *landmarks.LIPS_INNER_LOWER, *landmarks.LIPS_OUTER_UPPER,
        *landmarks.LIPS_OUTER_LOWER, *landmarks.RIGHT_EYE_UPPER, *landmarks.RIGHT_EYE_LOWER,
        *landmarks.LEFT_EYE_UPPER, *landmarks.LEFT_EYE_LOWER,
    )  # fmt: skip
    weight[list(rims)] = FIRM_WEIGHT
    weight[[i for brow in BROWS for row in brow[:2] for i in row]] = FIRM_WEIGHT
    weight[[i for _, beside in CORNERS for i in beside]] = SKIN_WEIGHT
    weight[list(NOSE_WINGS)] = SKIN_WEIGHT
    weight[BELOW_LIP[1]] = FIRM_WEIGHT
    system = np.diag(weight) + STIFFNESS * topology().laplacian
    out: Floats = np.linalg.solve(system, np.diag(weight)).astype(np.float32)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """Where everything lies for one request, in pixels of the crop."""

    points: Floats
    """(468, 3)"""
    irises: Floats
    """(2, 2) displacement of the right and left iris relative to the corners of their eyes, in the
    photo's pixels: the eye's picture moves with the corners."""
    jaw: Floats
    """(2,) displacement of the chin in the photo's pose."""
    expression: Floats
    """(468, 2) displacement of the mesh in the photo's pose."""
    turned: float
    """Degrees by which the head is turned from the photo's pose."""
    skull: Doubles
    """(2, 3) affine map of the photo's pixels near the teeth by the head's movement alone."""
    glasses: Doubles
    """(2, 3) the same for glasses in front of the eyes."""


class Displacer:
    """Turns the points of a request into displacements of one photo's mesh.

    Args:
        identity: the photo.
        points: (478, 3) its mesh in pixels of the crop.
        hidden: whether something covers the right and the left eye, which then keep still.
    """

    def __init__(
        self, identity: Identity, points: Floats, hidden: tuple[bool, bool] = (False, False)
    ) -> None:
        self._identity, self._points = identity, points
        still = [np.array(eye) for eye, unseen in zip(_LIDS, hidden, strict=True) if unseen]
        self._still = np.concatenate(still) if still else np.zeros(0, np.int64)
        self._pose = identity.pose
        self._shift = (identity.face.points - points)[0].astype(np.float64)
        mesh = points[:_MESH]
        affine = np.concatenate([mesh, np.ones((_MESH, 1))], axis=1)
        whole = (affine @ np.linalg.pinv(affine)).astype(np.float32)  # the head's rigid movement
        self._agreed = whole + _agreement() @ (np.eye(_MESH, dtype=np.float32) - whole)
        self._areas = signed_areas(mesh, topology().face)
        self._seen = self._areas > THIN * np.median(np.abs(self._areas))
        self._contact = Contact(identity, points)
        self._mouth = mouth = rims_of(points, MOUTH)
        self._along = mouth.along
        lip = points[list(landmarks.LIPS_INNER_UPPER)].mean(axis=0)
        self._lip = lip + np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32) * 10
        """(3, 3) the middle of the upper lip, a place beside it and one below it."""
        axes = identity.pose.scale * identity.pose.rotation
        ahead = points[landmarks.NOSE_BRIDGE] - GLASSES_AHEAD * axes[:, 2]
        places = ahead + np.stack([np.zeros(3), axes[:, 0], axes[:, 1]])
        self._bridge = places.astype(np.float32)
        """(3, 3) a place in front of the bridge of the nose, one beside it and one below it."""
        self._across = np.linalg.inv(axes[:2, :2])
        self._brows = Brows(points, mouth.down, identity.pose.scale)
        self._lips = Lips(points, mouth.down, identity.pose.scale)
        self._corner_skin = CornerSkin(points, identity.face.eye_distance)

    def __call__(self, request: FaceRequest) -> Moved:
        """The displacements of the photo's points for a request."""
        pose = request.pose
        wish = self._wished(request)
        wish = self._contact.lids(request, wish)
        wish[self._still] = 0
        wish = self._contact.lips(request, wish)
        mesh = wish[:_MESH].copy()
        mesh[list(landmarks.SKULL_OVAL)] *= landmarks.SKULL_SHARE
        self._brows.keep_their_form(mesh)
        as_driving_mouth(mesh, self._points, request)
        seen = request.expression.measured is not None
        round_opening(mesh, self._points, self._mouth, seen=seen)
        corners_keep_their_form(mesh, self._along)
        self._corner_skin.give(mesh)
        shut = closing(self._mouth, rims_of(self._points[:_MESH] + mesh, MOUTH))
        self._lips.keep_their_form(mesh, request.expression, shut)
        agreed = self._agreed @ mesh
        moved = self.unfolded(agreed)
        moved[_HELD] += np.float32(shut) * (agreed[_HELD] - moved[_HELD])
        moved = self._contact.lips_meet(request, moved, mesh)
        chin = moved[[landmarks.CHIN, 148, 377, 175], :2].mean(axis=0)
        placed = self._posed(self._points[:_MESH] + moved, pose)
        irises = self._irises(wish, placed, pose)
        turned = 0.0 if pose is self._pose else turn_between(self._pose, pose)
        skull = self._carried(self._lip, np.eye(2) / 10, pose)
        glasses = self._carried(self._bridge, self._across, pose)
        return Moved(placed, irises, chin, moved[:, :2], turned, skull, glasses)

    def _wished(self, request: FaceRequest) -> Floats:
        """(478, 3) requested displacements in the photo's pose."""
        points: Doubles = request.points.astype(np.float64)
        if request.pose is not self._pose:
            points = self._pose.to_picture(request.pose.to_head(points))
        return (points - self._identity.face.points).astype(np.float32)

    def _posed(self, points: Floats, pose: HeadPose) -> Floats:
        if pose is self._pose:
            return points
        head = self._pose.to_head(points + self._shift)
        out: Floats = (pose.to_picture(head) - self._shift).astype(np.float32)
        return out

    def _irises(self, wish: Floats, placed: Floats, pose: HeadPose) -> Floats:
        """(2, 2) as in `Moved`: an iris keeps its depth in front of its eye while the head turns.

        Args:
            wish: (478, 3) requested displacements in the photo's pose.
            placed: (468, 3) the mesh as it will be drawn.
            pose: the requested pose of the head.
        """
        own = self._points
        by = wish[_IRISES] - wish[_CORNERS].mean(axis=1)
        if pose is self._pose:
            return np.asarray(by[:, :2], np.float32)
        off = own[_IRISES] - own[_CORNERS].mean(axis=1)
        seen = (off + by).astype(np.float64)
        seen[:, 2] -= IRIS_AHEAD * self._pose.scale
        turned = seen @ self._pose.rotation @ pose.rotation.T * (pose.scale / self._pose.scale)
        along = _complex(own[_CORNERS[:, 1]] - own[_CORNERS[:, 0]])
        along /= _complex(placed[_CORNERS[:, 1]] - placed[_CORNERS[:, 0]])
        back = _complex(turned) * along
        out: Floats = np.stack([back.real, back.imag], axis=1).astype(np.float32) - off[:, :2]
        return out

    def _carried(self, places: Floats, linear: Doubles, pose: HeadPose) -> Doubles:
        """(2, 3) affine map of the picture plane for something that moves rigidly with the head.

        Args:
            places: (3, 3) a place of it in the photo, one beside it and one below it.
            linear: (2, 2) from offsets in the photo to shares of those two.
            pose: the requested pose of the head.
        """
        to = self._posed(places, pose)[:, :2].astype(np.float64)
        turned = np.stack([to[1] - to[0], to[2] - to[0]], axis=1) @ linear
        return np.hstack([turned, (to[0] - turned @ places[0, :2])[:, None]])

    def unfolded(self, moved: Floats) -> Floats:
        """Displacements (468, 3) under which hardly any triangle visible in the photo folds.

        The points of a folding triangle move halfway to the mean of their neighbours, repeatedly;
        after some rounds their neighbours do, too. Lips keep their place, and skin gives way.
        """
        joined, counts = topology().joined, topology().counts
        for turn in range(ROUNDS):
            bad = self.folds(moved)
            if not bad.any():
                break
            folding = _points_of(bad, along=turn >= ROUNDS // 3)
            if turn < ROUNDS - 2:
                folding[_HELD] = False
                within = bad & _within_lips()
                if within.any():
                    folding |= _points_of(within, along=turn >= ROUNDS // 2)
            points = np.flatnonzero(folding)
            mean = (joined[points] @ moved) / counts[points, None]
            moved = moved.copy() if turn == 0 else moved
            moved[points] += np.float32(0.5) * (mean - moved[points])
        return moved

    def folds(self, moved: Floats) -> Bools:
        """(852,) whether each triangle folds or nearly vanishes although the photo shows it."""
        area = signed_areas(self._points[:_MESH] + moved, topology().face)
        out: Bools = self._seen & (area < SMALLEST_AREA * self._areas)
        return out


def _complex(places: Doubles | Floats) -> npt.NDArray[np.complex128]:
    """(n,) places (n, 2 or more) of a picture as complex numbers."""
    return places[:, 0] + 1j * places[:, 1]


def turn_between(one: HeadPose, two: HeadPose) -> float:
    """Degrees between two poses of a head."""
    trace = float(np.trace(two.rotation @ one.rotation.T))
    return float(np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1))))
