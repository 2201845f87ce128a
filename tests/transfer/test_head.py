"""The identity's head follows the driving head, within what one photo can show."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats

from retarget.expression.rest import find_rest
from retarget.flow import blendshapes
from retarget.flow.values import ExpressedFrame, Expression, HeadPose, Instant
from retarget.transfer.head import MAX_SHIFT, MAX_TURN, MAX_ZOOM, HeadMotion, soft_limit
from retarget.transfer.settings import TransferSettings
from retarget.transfer.transfer import DrivingFace, Transfer
from tests.expression.acting import face, identity_of, person, tracked


def pose(yaw: float = 0.0, x: float = 200.0, scale: float = 100.0) -> HeadPose:
    return HeadPose(
        rotation=HeadPose.rotation_of(yaw, 0, 0),
        translation=np.array([x, 200.0, 0.0]),
        scale=scale,
    )


PHOTO = HeadPose(
    rotation=HeadPose.rotation_of(5, 0, 0), translation=np.array([300.0, 250.0, 0.0]), scale=150.0
)


def test_a_head_in_its_usual_place_leaves_the_photos_pose_as_it_is() -> None:
    moved = HeadMotion([pose(10), pose(12), pose(8)], 1.0)(pose(10), PHOTO)
    np.testing.assert_allclose(moved.rotation, PHOTO.rotation, atol=1e-3)
    np.testing.assert_allclose(moved.translation, PHOTO.translation, atol=0.1)
    assert moved.scale == pytest.approx(PHOTO.scale)


def test_a_photo_of_the_driving_person_turns_to_where_the_driving_head_really_is() -> None:
    """The photo may be any frame of the clip, also one that looks aside."""
    clip = [pose(yaw, x=200.0 + yaw) for yaw in (-3.0, -1.0, 0.0, 1.0, 7.0)]
    own = HeadMotion(clip, 1.0).from_moment_as_in(clip[-1])
    for driving in clip:
        moved = own(driving, clip[-1])
        np.testing.assert_allclose(moved.angles, driving.angles, atol=0.3)
        np.testing.assert_allclose(moved.translation, driving.translation, atol=1.0)


def test_a_small_turn_is_followed_in_full() -> None:
    moved = HeadMotion([pose()], 1.0)(pose(4), PHOTO)
    assert moved.angles[0] == pytest.approx(PHOTO.angles[0] + 4, abs=0.2)


def test_a_small_step_aside_down_or_nearer_is_followed_at_the_photos_own_size() -> None:
    """A step right is a step right; and a face seen nearer, which is larger, is not farther off."""
    to = replace(pose(scale=103.0), translation=np.array([204.0, 197.0, 60.0]))
    moved = HeadMotion([pose()], 1.0)(to, PHOTO)
    step = (moved.translation - PHOTO.translation) / PHOTO.scale
    assert step == pytest.approx((0.04, -0.03, 0.0), rel=0.03)  # of 100 pixels between the eyes
    assert moved.scale / PHOTO.scale == pytest.approx(1.03, abs=0.005)


def test_a_few_stray_moments_do_not_move_the_usual_place() -> None:
    stray = replace(pose(x=900.0, scale=300.0), translation=np.array([900.0, 900.0, 90.0]))
    moved = HeadMotion([pose()] * 7 + [stray] * 2, 1.0)(pose(), PHOTO)
    np.testing.assert_allclose(moved.translation, PHOTO.translation, atol=1e-6)
    assert moved.scale == pytest.approx(PHOTO.scale)


def tilted(pose: HeadPose, degrees: float) -> HeadPose:
    """The same head in a picture that is turned clockwise about its left upper corner."""
    turn = HeadPose.rotation_of(0, 0, degrees)
    return replace(pose, rotation=turn @ pose.rotation, translation=turn @ pose.translation)


@given(photo=floats(-180, 180), driving=floats(-180, 180))
def test_a_tilted_picture_moves_about_its_own_axes(photo: float, driving: float) -> None:
    """Upside down, too, a nod stays a nod and a step aside goes to the same side of the person."""
    usual, now = pose(), replace(pose(x=225), rotation=HeadPose.rotation_of(6, -8, 3))
    upright = HeadMotion([usual], 1.0)(now, PHOTO)
    moved = HeadMotion([tilted(usual, driving)], 1.0)(tilted(now, driving), tilted(PHOTO, photo))
    np.testing.assert_allclose(moved.rotation, tilted(upright, photo).rotation, atol=2e-3)
    np.testing.assert_allclose(moved.translation, tilted(upright, photo).translation, atol=0.2)


@given(yaw=floats(-80, 80), x=floats(-500, 900), scale=floats(30, 300))
def test_no_driving_pose_takes_the_head_farther_than_a_photo_can_show(
    yaw: float, x: float, scale: float
) -> None:
    moved = HeadMotion([pose()], 1.0)(pose(yaw, x, scale), PHOTO)
    assert abs(moved.angles[0] - PHOTO.angles[0]) <= MAX_TURN + 1e-6
    assert np.linalg.norm(moved.translation - PHOTO.translation) <= MAX_SHIFT * PHOTO.scale + 1e-6
    assert abs(np.log(moved.scale / PHOTO.scale)) <= np.log(MAX_ZOOM) + 1e-6


def test_a_head_turned_far_aside_turns_as_far_as_a_photo_is_good_for() -> None:
    """About 15 degrees; half a face to the side; and not so near that its pixels show."""
    far = HeadMotion([pose()], 1.0)(pose(60, 900.0, 300.0), PHOTO)
    assert 10 < far.angles[0] - PHOTO.angles[0] < 20
    assert 0.2 < (far.translation - PHOTO.translation)[0] / PHOTO.scale < 0.5
    assert 1.05 < far.scale / PHOTO.scale < 1.3


@pytest.mark.parametrize("side", [-1, 1])
def test_a_head_that_is_turned_aside_hardly_turns_back_to_the_front(side: int) -> None:
    """Its averted cheek is on no pixel; farther aside, and up and down, it goes as any other."""
    photo = replace(PHOTO, rotation=HeadPose.rotation_of(side * 42, 0, 0))
    follow = HeadMotion([pose()], 1.0)
    turns = [follow(pose(side * by), photo).angles[0] * side - 42 for by in (-14, 14)]
    assert -7 < turns[0] < -2
    assert turns[1] > 12
    nod = replace(pose(), rotation=HeadPose.rotation_of(0, 8, 0))
    upright = follow(nod, replace(PHOTO, rotation=np.eye(3)))
    turned = upright.rotation @ photo.rotation
    np.testing.assert_allclose(follow(nod, photo).rotation, turned, atol=1e-6)


def test_a_gain_of_nothing_keeps_the_head_still() -> None:
    moved = HeadMotion([pose()], 0.0)(pose(30, 400, 150), PHOTO)
    np.testing.assert_allclose(moved.rotation, PHOTO.rotation, atol=1e-9)
    np.testing.assert_allclose(moved.translation, PHOTO.translation)


@pytest.mark.parametrize("degrees", [4.0, 8.0])
def test_a_turn_that_a_photo_can_show_is_not_shortened(degrees: float) -> None:
    moved = HeadMotion([pose()], 1.0)(pose(degrees), PHOTO)
    assert moved.angles[0] - PHOTO.angles[0] == pytest.approx(degrees, abs=1e-6)


@given(length=floats(0.0, 3.0), farther=floats(1e-3, 1.0))
def test_what_goes_farther_is_never_shown_less_far(length: float, farther: float) -> None:
    """Not even at the length from which the limit is felt, and by no more than it goes."""
    one, other = (soft_limit(np.array([x, 0.0]), 0.35)[0] for x in (length, length + farther))
    assert -1e-9 <= other - one <= farther + 1e-9


def test_each_of_several_people_moves_from_their_own_usual_place() -> None:
    identity = identity_of(person(4, 0.7))
    one, other = (find_rest(tracked([face(person(seed, 0.7))])) for seed in (2, 3))
    there = replace(pose(12), translation=np.array([260.0, 150.0, 0.0]))
    driving = DrivingFace(rest=one, usual=[pose()], others=[DrivingFace(rest=other, usual=[there])])
    frames = [
        ExpressedFrame(
            index=i, at=Instant(i, Fraction(1, 30)), duration=Fraction(1, 30),
            expression=Expression(weights=blendshapes.weights({})), pose=at, cut=True, rest=whose,
        )
        for i, (at, whose) in enumerate(((pose(), one), (there, other), (there, one)))
    ]  # fmt: skip
    transfer = Transfer(TransferSettings(motion="full"), driving, lambda _: identity)
    turned = [r.pose.angles[0] - identity.pose.angles[0] for r in transfer(iter(frames))]
    np.testing.assert_allclose(turned[:2], 0.0, atol=0.1)
    assert turned[2] > 5
