"""Cheeks that a turning head brings into view: none is drawn out of its outline alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from asked import ask, calm, smiling
from drawn import draw, whole
from outside import mesh_points

from retarget.flow import landmarks
from retarget.flow.arrays import Floats
from retarget.flow.values import HeadPose, Identity
from retarget.generate.warp.shape.displace import Displacer
from retarget.generate.warp.shape.turned_skin import TurnedSkin
from retarget.generate.warp.warp import WarpGenerator

CHEEKS = {14.0: [127, 234, 93, 132, 58], -14.0: [356, 454, 323, 361, 288]}
"""The outline of the cheek that a turn by so many degrees brings into view, from above."""


def sloping(identity: Identity, start: float, inwards: int, slope: float) -> Identity:
    """The same face in a picture that grows brighter by `slope` a pixel from `start` inwards."""
    across = np.arange(identity.frame.size[0]) - start
    rgb = np.empty_like(identity.frame.rgb)
    rgb[...] = np.clip(np.rint(30 + slope * inwards * across), 0, 255)[None, :, None]
    return replace(identity, frame=replace(identity.frame, rgb=rgb), person=None)


@mesh_points
@pytest.mark.parametrize("degrees", CHEEKS)
@pytest.mark.parametrize("face", [calm, smiling])
def test_hardly_any_of_a_cheek_that_comes_into_view_is_drawn_out_four_times(
    warp: WarpGenerator, face: Callable[[], Identity], degrees: float
) -> None:
    known = face()
    outline, inwards = CHEEKS[degrees], 1 if degrees > 0 else -1
    unit, start = known.face.eye_distance, float(known.face.points[outline[1], 0])
    slope = 220 / unit
    pose = replace(known.pose, rotation=HeadPose.rotation_of(degrees, 0, 0) @ known.pose.rotation)
    request = ask(sloping(known, start, inwards, slope), pose=pose)
    placed = Displacer(known, known.face.points)(request).points[outline, :2]
    picture = whole(draw(warp, request))[..., 0].astype(np.float32)
    apart = max(2, round(0.04 * unit))
    shown = []
    for row in range(round(placed[0, 1]), round(placed[-1, 1])):
        edge = np.interp(row, placed[:, 1], placed[:, 0])
        near = edge + inwards * np.arange(0.03 * unit, 0.35 * unit)
        ends = (np.rint(near + inwards * apart * k).astype(int) for k in (0, 1))
        first, second = (picture[row, end] for end in ends)
        shown.append(np.abs(second - first) / (slope * apart))
    assert np.mean(np.concatenate(shown) < 0.25) < 0.01


@mesh_points
def test_brows_lids_and_lips_go_with_the_head_as_it_turns() -> None:
    points = calm().face.points
    skin = TurnedSkin(points, calm().face.eye_distance)
    turned = np.stack([0.2 * points[:468, 2], 0.1 * points[:468, 2]], axis=1).astype(np.float32)
    brows = [*landmarks.LEFT_BROW, *landmarks.RIGHT_BROW]
    for held in (brows, landmarks.LEFT_EYE_UPPER, landmarks.LIPS_INNER_LOWER):
        np.testing.assert_array_equal(skin(turned)[list(held)], turned[list(held)])


@mesh_points
def test_a_head_that_moves_as_a_whole_is_left_so() -> None:
    skin = TurnedSkin(calm().face.points, calm().face.eye_distance)
    aside: Floats = np.tile(np.array([3.0, -2.0], np.float32), (468, 1))
    np.testing.assert_allclose(skin(aside), aside, atol=1e-4)
