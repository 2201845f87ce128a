"""Faces narrower than the mesh believes: what is behind them stays behind them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from asked import ask, calm
from drawn import draw, whole
from outside import mesh_points

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Floats
from retarget.flow.values import HeadPose, Identity
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.shape.displace import Displacer
from retarget.generate.warp.shape.seen_outline import outline_to_where_seen
from retarget.generate.warp.warp import WarpGenerator

GREEN = (0, 255, 0)
OVAL = list(landmarks.FACE_OVAL)


def within(outline: Floats, size: float) -> Bytes:
    """(height, width) 255 inside an outline (n, 2) that was made `size` times as large."""
    mask = np.zeros(calm().frame.rgb.shape[:2], np.uint8)
    middle = (outline.min(axis=0) + outline.max(axis=0)) / 2
    cv2.fillPoly(mask, [np.rint(middle + size * (outline - middle)).astype(np.int32)], 255)
    return mask


@cache
def narrow() -> Identity:
    """The sample's person with a face a little smaller than its mesh, before pure green."""
    person = within(calm().face.points[OVAL, :2], 0.92)
    rgb = calm().frame.rgb.copy()
    rgb[person == 0] = GREEN
    return replace(calm(), frame=replace(calm().frame, rgb=rgb), person=person)


@mesh_points
@pytest.mark.parametrize("degrees", [-14.0, 14.0])
def test_what_is_behind_a_head_that_turns_does_not_come_to_lie_on_its_cheek(degrees: float) -> None:
    pose = replace(calm().pose, rotation=HeadPose.rotation_of(degrees, 0, 0) @ calm().pose.rotation)
    request = ask(narrow(), pose=pose)
    placed = Displacer(narrow(), narrow().face.points)(request).points
    cheeks = within(placed[OVAL, :2], 0.9) > 0

    def green(identity: Identity) -> float:
        """Share of the cheeks."""
        picture = whole(draw(WarpGenerator(WarpSettings()), replace(request, identity=identity)))
        seen = picture.astype(int)[cheeks]
        return float((seen[:, 1] - seen[:, [0, 2]].max(axis=1) > 80).mean())

    untold = green(replace(narrow(), person=None))
    assert untold > 0.004
    assert green(narrow()) < 0.1 * untold


def test_eyes_and_lips_stay_where_they_are_and_so_does_what_lies_within() -> None:
    points, unit = calm().face.points, calm().face.eye_distance
    person = within(points[OVAL, :2], 0.7)
    moved = outline_to_where_seen(person, points, unit)
    still = [*landmarks.LEFT_EYE_UPPER, *landmarks.LIPS_OUTER_LOWER, 1, 4, 9, *OVAL]
    np.testing.assert_array_equal(moved[still], points[still])  # the oval is too far to be trusted
    assert (moved != points).any()


def test_without_anything_of_the_person_the_mesh_is_believed() -> None:
    points = calm().face.points
    nobody = np.zeros(calm().frame.rgb.shape[:2], np.uint8)
    np.testing.assert_array_equal(outline_to_where_seen(nobody, points, 60.0), points)
