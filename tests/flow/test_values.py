"""Values cannot be made wrong, and geometry obeys its laws."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats

from retarget.errors import UnknownWord
from retarget.flow import blendshapes
from retarget.flow.crop import Crop
from retarget.flow.values import Face, HeadPose, Instant

angle = floats(-60, 60)


@given(yaw=angle, pitch=angle, roll=angle)
def test_the_angles_of_a_rotation_are_those_it_was_made_of(
    yaw: float, pitch: float, roll: float
) -> None:
    pose = HeadPose(
        rotation=HeadPose.rotation_of(yaw, pitch, roll), translation=np.zeros(3), scale=1.0
    )
    assert pose.angles == pytest.approx((yaw, pitch, roll), abs=1e-6)


def test_positive_angles_turn_right_look_up_and_lean_right() -> None:
    forward, crown = np.array([0.0, 0.0, -1.0]), np.array([0.0, -1.0, 0.0])
    assert (HeadPose.rotation_of(20, 0, 0) @ forward)[0] > 0
    assert (HeadPose.rotation_of(0, 20, 0) @ forward)[1] < 0
    assert (HeadPose.rotation_of(0, 0, 20) @ crown)[0] > 0


@given(yaw=angle, pitch=angle, roll=angle, scale=floats(10, 500))
def test_a_point_taken_into_the_head_comes_back(
    yaw: float, pitch: float, roll: float, scale: float
) -> None:
    pose = HeadPose(
        rotation=HeadPose.rotation_of(yaw, pitch, roll),
        translation=np.array([200.0, 150.0, 3.0]),
        scale=scale,
    )
    points = np.array([[0.0, 0.0, 0.0], [120.0, 40.0, -30.0]])
    np.testing.assert_allclose(pose.to_picture(pose.to_head(points)), points, atol=1e-6)


def test_a_face_with_the_wrong_number_of_points_cannot_be_made() -> None:
    with pytest.raises(ValueError, match=r"points must be \(478, 3\)"):
        Face(points=np.zeros((468, 3), np.float32))


def test_a_face_with_a_point_that_is_no_number_cannot_be_made() -> None:
    points = np.zeros((478, 3), np.float32)
    points[7, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        Face(points=points)


def test_time_is_exact_after_an_hour_of_ntsc_video() -> None:
    frames = 107892
    assert Instant(frames * 1001, Fraction(1, 30000)).exact == Fraction(frames * 1001, 30000)


def test_the_52_blendshapes_are_in_order_and_mirror_into_themselves() -> None:
    assert len(set(blendshapes.NAMES)) == 52
    assert list(blendshapes.NAMES) == sorted(blendshapes.NAMES)
    for name in blendshapes.NAMES:
        assert blendshapes.mirrored(blendshapes.mirrored(name)) == name
        assert blendshapes.region(blendshapes.mirrored(name)) == blendshapes.region(name)


def test_a_mistyped_blendshape_is_offered_the_nearest_one() -> None:
    with pytest.raises(UnknownWord, match="mouthSmileLeft"):
        blendshapes.index("mouthSmileLft")


def test_a_box_crop_knows_its_offset_and_a_turned_one_has_none() -> None:
    assert Crop.box(12, 7, 100, 80).offset == (12, 7)
    turned = Crop(to_frame=np.array([[0.9, -0.1, 3.0], [0.1, 0.9, 4.0]]), size=(10, 10))
    assert turned.offset is None
    assert Crop.box(-3, 0, 10, 10).offset == (-3, 0)
    aside, larger = np.array([[1.0, 0, 3.5], [0, 1, 4]]), np.array([[2.0, 0, 3], [0, 2, 4]])
    assert Crop(to_frame=aside, size=(9, 9)).offset is None
    assert Crop(to_frame=larger, size=(9, 9)).offset is None
    np.testing.assert_allclose(
        Crop(to_frame=larger, size=(9, 9)).points_to_frame(np.array([[1.0, 2.0]])), [[5.0, 8.0]]
    )
    points = np.array([[1.0, 2.0], [30.0, 4.0]])
    np.testing.assert_allclose(turned.points_to_crop(turned.points_to_frame(points)), points)
