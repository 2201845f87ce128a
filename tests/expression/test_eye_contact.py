"""Eyes that keep to the camera, or to where the head points."""

from __future__ import annotations

import numpy as np
import pytest

from retarget.expression.eye_contact import EyeContact
from retarget.flow import blendshapes
from retarget.flow.face_model import face_model
from retarget.flow.gaze import read_gaze
from retarget.flow.values import Expression, HeadPose, Measurement, RestFace

REST = RestFace(
    head=face_model().neutral.astype(np.float32),
    aperture=np.full(2, 0.3, np.float32),
    gaze=np.zeros((2, 2), np.float32),
    lip_gap=0.0,
)


def pose(yaw: float, pitch: float = 0.0) -> HeadPose:
    rotation = HeadPose.rotation_of(yaw, pitch, 0.0)
    return HeadPose(rotation=rotation, translation=np.zeros(3), scale=100.0)


def looking(yaw: float, pitch: float = 0.0, *, aperture: float = 1.0) -> Expression:
    seen = Measurement(
        gaze=np.full((2, 2), (yaw, pitch), np.float32),
        aperture=np.full(2, aperture, np.float32),
        lip_gap=0.0,
    )
    return Expression(weights=np.zeros(blendshapes.COUNT, np.float32), measured=seen)


def turned_eyes(contact: EyeContact, where: HeadPose) -> np.ndarray:
    """(2,) degrees from where the rest looks."""
    return np.asarray((read_gaze(contact.at(where).head) - read_gaze(REST.head)).mean(axis=0))


def test_eyes_that_kept_to_the_camera_go_against_the_head() -> None:
    contact = EyeContact(REST, [(looking(-yaw), pose(yaw)) for yaw in range(-10, 20, 3)])
    usual = float(np.median(np.arange(-10, 20, 3)))
    assert turned_eyes(contact, pose(12)) == pytest.approx([usual - 12, 0], abs=0.3)
    assert turned_eyes(contact, pose(usual)) == pytest.approx([0, 0], abs=0.1)


def test_eyes_that_went_with_the_head_stay_in_it() -> None:
    contact = EyeContact(REST, [(looking(0.1 * (yaw % 2)), pose(yaw)) for yaw in range(-10, 20)])
    assert turned_eyes(contact, pose(12)) == pytest.approx([0, 0], abs=0.1)


def test_yaw_and_pitch_are_told_apart() -> None:
    seen = [(looking(-yaw, 0), pose(yaw, pitch=yaw / 2)) for yaw in range(-10, 11)]
    contact = EyeContact(REST, seen)
    assert turned_eyes(contact, pose(8, 4)) == pytest.approx([-8, 0], abs=0.3)


def test_blinks_say_nothing_of_where_eyes_look() -> None:
    blinks = [(looking(-yaw, aperture=0.2), pose(yaw)) for yaw in range(-10, 20)]
    assert turned_eyes(EyeContact(REST, blinks), pose(12)) == pytest.approx([0, 0], abs=0.1)


def test_a_head_that_turns_far_takes_its_eyes_along() -> None:
    contact = EyeContact(REST, [(looking(-yaw), pose(yaw)) for yaw in range(-10, 11)])
    assert turned_eyes(contact, pose(40)) == pytest.approx([-15, 0], abs=0.3)
