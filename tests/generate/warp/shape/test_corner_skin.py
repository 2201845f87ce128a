"""Skin beside a mouth that goes far aside: it gives, so that none of it is drawn out into rays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from asked import ask, calm, smiling

from retarget.flow import landmarks
from retarget.flow.arrays import Floats
from retarget.flow.values import FaceRequest, Identity
from retarget.generate.warp.mesh import topology
from retarget.generate.warp.shape.corner_skin import CornerSkin
from retarget.generate.warp.shape.displace import Displacer

LIPS = np.unique([*np.ravel(landmarks.UPPER_LIP_ROWS), *np.ravel(landmarks.LOWER_LIP_ROWS)])
CHEEKS = {1: [57, 43, 186, 212, 216, 202, 214, 210], -1: [287, 273, 410, 432, 436, 422, 434, 430]}
"""Skin beside the corner that comes from the picture's left, and from its right."""


def aside(identity: Identity, far: float) -> FaceRequest:
    """The lips `far` eye distances to the right, and around them as much as trackers follow."""
    rest = ask(identity, {})
    points = rest.points.copy()
    away = np.linalg.norm(points[:, None, :2] - points[LIPS, :2], axis=2).min(axis=1)
    unit = identity.face.eye_distance
    share = 0.4 * np.exp(-away / (0.3 * unit))
    share[LIPS] = 1
    points[:, 0] += far * unit * share
    return replace(rest, points=points.astype(np.float32))


@pytest.mark.parametrize("way", CHEEKS)
@pytest.mark.parametrize("face", [calm, smiling])
def test_skin_behind_a_mouth_that_goes_far_aside_is_drawn_out_over_all_of_the_cheek(
    face: Callable[[], Identity], way: int
) -> None:
    known = face()
    moved = Displacer(known, known.face.points)(aside(known, 0.33 * way)).points[:, :2]
    one, two = np.nonzero(topology().beside)
    near = np.isin(one, CHEEKS[way]) & (one < two)
    before, after = (
        np.linalg.norm(points[one[near], :2] - points[two[near], :2], axis=1)
        for points in (known.face.points, moved)
    )
    long = before > 0.03 * known.face.eye_distance
    assert (after[long] / before[long]).max() < 2.6


@pytest.mark.parametrize("said", ["mouthSmileLeft", "mouthPucker", "mouthFunnel", "jawLeft"])
def test_skin_beside_a_mouth_that_speaks_goes_as_it_is_asked_to(said: str) -> None:
    known = calm()
    asked = ask(known, {said: 0.5}).points - known.face.points
    moved: Floats = asked[: landmarks.MESH_COUNT].astype(np.float32)
    as_asked = moved.copy()
    CornerSkin(known.face.points, known.face.eye_distance).give(moved)
    np.testing.assert_array_equal(moved, as_asked)


def test_skin_on_the_averted_side_of_a_turned_face_keeps_to_what_is_asked() -> None:
    """Its strip is narrow, and the lips' red in it would be torn into specks."""
    known = calm()
    points = known.face.points.copy()
    middle = points[landmarks.LIPS_INNER_UPPER[5], 0]
    averted = points[:, 0] < middle
    points[averted, 0] = middle + 0.35 * (points[averted, 0] - middle)
    asked = aside(known, 0.33).points - known.face.points
    moved: Floats = asked[: landmarks.MESH_COUNT].astype(np.float32)
    as_asked = moved.copy()
    CornerSkin(points, known.face.eye_distance).give(moved)
    np.testing.assert_array_equal(moved, as_asked)
