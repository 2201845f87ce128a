"""The identity looks where the driving eyes were measured to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from retarget.expression.fit import Fit
from retarget.expression.rest import find_rest
from retarget.expression.settings import FitSettings
from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import face_model
from retarget.flow.gaze import GAZE_DEGREES, carried, move_irises, off_middle, read_gaze
from retarget.flow.values import (
    ExpressedFrame,
    Expression,
    HeadPose,
    Identity,
    Instant,
    Measurement,
    RestFace,
)
from retarget.transfer.settings import Gains, TransferSettings
from retarget.transfer.shape import Photo, Shape
from retarget.transfer.transfer import DrivingFace, Transfer
from tests.expression.acting import face, identity_of, person, pose, tracked

DRIVER, OTHER = person(2, 0.7), person(4, 0.7)
CAMERA = pose(yaw=14)
"""A head turned to its left whose eyes keep to the camera look to its right."""
TO_CAMERA = {"eyeLookInLeft": 14 / GAZE_DEGREES["In"], "eyeLookOutRight": 14 / GAZE_DEGREES["Out"]}


def looks(
    expressions: Sequence[Expression],
    driver: DrivingFace,
    settings: TransferSettings | None = None,
    whose: RestFace | None = None,
) -> np.ndarray:
    """(n, 2) head units by which the identity's irises go to its left."""
    identity = identity_of(OTHER)
    frames = [
        ExpressedFrame(
            index=i, at=Instant(i, Fraction(1, 30)), duration=Fraction(1, 30),
            expression=expression, pose=None, cut=i == 0, rest=whose,
        )
        for i, expression in enumerate(expressions)
    ]  # fmt: skip
    transfer = Transfer(settings or TransferSettings(), driver, lambda _: identity)
    bent = face_model().bent(identity.pose)
    asked = [r.pose.to_head(r.points.astype(float)) - bent for r in transfer(iter(frames))]
    return np.array([(off_middle(a) - off_middle(identity.rest.head))[:, 0] for a in asked])


def keeping_to_camera() -> RestFace:
    """The rest of one whose head is turned all the time and whose eyes keep to the camera."""
    return find_rest(tracked([face(DRIVER, TO_CAMERA, CAMERA)] * 8))


def express(rest: RestFace, does: dict[str, float], where: HeadPose | None = None) -> Expression:
    return Fit(rest, FitSettings()).express(face(DRIVER, does, where))[0]


def test_an_iris_goes_where_the_gaze_was_measured_and_not_where_the_mesh_has_it() -> None:
    rest = find_rest(tracked([face(DRIVER)] * 3))
    seen = express(rest, {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5})
    assert seen.measured is not None
    ahead = replace(seen, measured=replace(seen.measured, gaze=np.zeros((2, 2), np.float32)))
    aside, held = looks([seen, ahead], DrivingFace(rest=rest))
    assert (aside > 0.03).all()
    np.testing.assert_allclose(held, 0.0, atol=1e-4)


def test_an_iris_goes_as_far_up_as_the_gaze_was_measured_and_a_little_farther_aside() -> None:
    """Of an iris that is drawn aside, a mesh tells too little; of one above, its lids say more."""
    identity = identity_of(OTHER)
    measured = Measurement(
        gaze=np.full((2, 2), 10, np.float32), aperture=np.ones(2, np.float32), lip_gap=0.0
    )
    looking = Expression(weights=blendshapes.weights({}), measured=measured)
    mesh = Shape(face_model(), None)(identity.rest, identity.rest.head, looking)
    turned = read_gaze(mesh) - read_gaze(identity.rest.head)
    np.testing.assert_allclose(turned[:, 1], 10.0, atol=0.5)
    assert (turned[:, 0] > 11).all()
    assert (turned[:, 0] < 15).all()


def test_an_iris_goes_farther_down_than_the_gaze_was_measured() -> None:
    """The lids follow it and hide it from the mesh."""
    rest = identity_of(OTHER).rest

    def down(degrees: float) -> np.ndarray:
        measured = Measurement(
            gaze=np.array([[0, -degrees]] * 2, np.float32),
            aperture=np.ones(2, np.float32),
            lip_gap=0.0,
        )
        looking = Expression(weights=blendshapes.weights({}), measured=measured)
        mesh = Shape(face_model(), None)(rest, rest.head, looking)
        return np.asarray(read_gaze(rest.head) - read_gaze(mesh))[:, 1]

    np.testing.assert_allclose(down(0.0), 0.0, atol=1e-3)
    assert (down(8.0) > 10).all()
    assert (down(8.0) < 14).all()


@pytest.mark.parametrize("side", [-1, 1])
def test_eyes_that_look_aside_in_the_photo_go_farther_back_than_its_mesh_says(side: int) -> None:
    """Of irises drawn aside a mesh tells too little, be they the driving ones or the photo's."""
    rest = identity_of(OTHER).rest
    ahead = Measurement(
        gaze=np.zeros((2, 2), np.float32), aperture=np.ones(2, np.float32), lip_gap=0.0
    )
    still = Expression(weights=blendshapes.weights({}), measured=ahead)

    def turned(photo: float) -> np.ndarray:
        """(2, 2) degrees from rest that are asked of a photo whose eyes look so far aside."""
        picture = rest.head.copy()
        move_irises(picture, carried(np.array([[side * photo, 0.0]] * 2)))
        mesh = Shape(face_model(), None)(rest, rest.head, still, Photo(picture))
        return np.asarray(read_gaze(mesh) - read_gaze(rest.head))

    np.testing.assert_allclose(turned(1.0), 0.0, atol=0.1)  # that little may be the mesh's error
    back = -side * turned(12.0)
    assert (back[:, 0] > 3).all()
    assert (back[:, 0] < 8).all()
    np.testing.assert_allclose(back[:, 1], 0.0, atol=0.3)


def test_eyes_of_a_photo_as_filmed_that_look_where_the_driving_ones_do_keep_still() -> None:
    rest = find_rest(tracked([face(DRIVER)] * 3))
    shown = face(DRIVER, {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5})
    aside, at = Fit(rest, FitSettings()).express(shown)
    photo = replace(identity_of(DRIVER), face=shown, pose=at, expression=aside, rest=rest)
    frame = ExpressedFrame(
        index=0, at=Instant(0, Fraction(1, 30)), duration=Fraction(1, 30),
        expression=aside, pose=None, cut=True,
    )  # fmt: skip

    def moved(photo: Identity) -> float:
        transfer = Transfer(TransferSettings(strength=1.0), DrivingFace(rest=rest), lambda _: photo)
        (asked,) = transfer(iter([frame]))
        off = asked.points - shown.points
        return float(np.linalg.norm(off, axis=1)[landmarks.MESH_COUNT :].max())

    assert moved(replace(photo, as_filmed=True)) < 0.2 * moved(photo)


@pytest.mark.parametrize("gain", [0.0, 1.0])
def test_eyes_that_keep_to_the_camera_in_a_turned_head_keep_to_it_in_the_photo(
    gain: float,
) -> None:
    """In `expression` motion the photo's head stays, so nothing has to be made up for."""
    rest = keeping_to_camera()
    kept = express(rest, TO_CAMERA, CAMERA)
    glance = express(rest, {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5}, CAMERA)
    settings = TransferSettings(gain=Gains(gaze=gain))
    stays, goes = looks([kept, glance], DrivingFace(rest=rest), settings)
    np.testing.assert_allclose(stays, 0.0, atol=0.012)
    assert ((goes - stays) > 0.05).all() == (gain > 0)
    assert abs(read_gaze(rest.head) - rest.gaze)[:, 0].max() > 3  # it does look aside


def test_each_of_several_people_looks_aside_from_where_they_usually_look() -> None:
    ahead, turned = find_rest(tracked([face(DRIVER)] * 3)), keeping_to_camera()
    seen = express(turned, TO_CAMERA, CAMERA)
    (own,) = looks([seen], DrivingFace(rest=turned))
    (among_others,) = looks([seen], DrivingFace(rest=ahead), whose=turned)
    (taken_for_another,) = looks([seen], DrivingFace(rest=ahead))
    np.testing.assert_allclose(among_others, own, atol=1e-3)
    assert np.abs(taken_for_another - own).max() > 0.01
