"""Folds of the driving skin are drawn where they belong, and only where they can be told."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm, smiling
from drawn import Picture, draw, whole
from scipy.spatial.transform import Rotation

from retarget.flow.values import ExpressedFrame, FaceRequest, HeadPose, Identity, TrackedFrame
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.warp import WarpGenerator

BETWEEN_BROWS, FROM_NOSE = (9, 8), (205, 187)
"""Ends of a frown line and of a smile fold."""
BROW, BESIDE_BROW = (105, 66), (108, 193)


def filmed(
    someone: Identity, fold: tuple[int, int] | None = None, turned: float = 0.0
) -> ExpressedFrame:
    """A driving moment of someone, with a dark line drawn into the skin, the head turned."""
    rgb = someone.frame.rgb.copy()
    if fold is not None:
        start, end = someone.face.points[list(fold), :2].round().astype(int).tolist()
        thick = round(0.03 * someone.face.eye_distance)
        cv2.line(rgb, start, end, tuple((0.5 * rgb[start[1], start[0]]).tolist()), thick)
    turn = Rotation.from_euler("y", turned, degrees=True).as_matrix()
    pose = replace(someone.pose, rotation=turn @ someone.pose.rotation)
    assert isinstance(pose, HeadPose)
    return ExpressedFrame(
        index=0, at=someone.frame.at, duration=someone.frame.duration,
        expression=someone.expression, pose=pose,
        tracked=TrackedFrame(frame=replace(someone.frame, rgb=rgb), face=someone.face),
    )  # fmt: skip


def drawn(
    wrinkles: float, driving: ExpressedFrame, rest: ExpressedFrame | None, creases: float = 0.0
) -> Picture:
    request: FaceRequest = ask(calm(), {"browInnerUp": 0.3}, driving=driving)
    warp = WarpGenerator(WarpSettings(threads=1, creases=creases, wrinkles=wrinkles))
    return whole(draw(warp, replace(request, driving_rest=rest)))


def darkening(fold: tuple[int, int], **how: float) -> npt.NDArray[np.float64]:
    """(h, w) how many grey levels the fold makes the photo darker."""
    rest = filmed(smiling())
    plain = drawn(how.get("wrinkles", 1.0), rest, rest)
    folded = drawn(how.get("wrinkles", 1.0), filmed(smiling(), fold, how.get("turned", 0.0)), rest)
    out: npt.NDArray[np.float64] = plain.mean(axis=2) - folded.mean(axis=2)
    return out


@pytest.mark.parametrize("fold", [BETWEEN_BROWS, FROM_NOSE])
def test_a_fold_darkens_the_photo_where_the_driving_face_has_it(fold: tuple[int, int]) -> None:
    darker, points = darkening(fold), calm().face.points[:, :2]
    unit = calm().face.eye_distance
    row, column = np.unravel_index(darker.argmax(), darker.shape)
    middle = points[list(fold)].mean(axis=0)
    assert darker.max() > 10
    assert np.hypot(column - middle[0], row - middle[1]) < 0.2 * unit


def test_a_face_at_rest_gets_no_folds() -> None:
    rest = filmed(smiling())
    assert np.array_equal(drawn(1.0, rest, rest), drawn(0.0, rest, rest))


def test_half_the_strength_darkens_less() -> None:
    whole = darkening(FROM_NOSE)
    half = darkening(FROM_NOSE, wrinkles=0.5)
    assert 0.3 * whole.max() < half.max() < 0.7 * whole.max()


def test_a_head_turned_far_from_its_rest_gives_none() -> None:
    assert darkening(FROM_NOSE, turned=4.0).max() > 10
    assert darkening(FROM_NOSE, turned=15.0).max() == 0


def test_a_frown_close_beside_a_brow_is_drawn_though_the_head_turns_with_it() -> None:
    for turned in (0.0, 14.0):
        assert darkening(BESIDE_BROW, turned=turned).max() > 10
    assert darkening(BESIDE_BROW, turned=30.0).max() == 0


def test_a_fold_has_the_colour_of_the_shadows_on_the_skin() -> None:
    rest, folded = filmed(smiling()), filmed(smiling(), BETWEEN_BROWS)
    plain, shaded = (drawn(1.0, moment, rest).astype(float) + 1 for moment in (rest, folded))
    red, _, blue = np.log(plain / shaded).max(axis=(0, 1))
    assert blue > 1.15 * red > 0


def test_hair_of_the_brows_is_no_fold() -> None:
    assert darkening(BROW).max() < 3


def test_without_a_known_rest_there_are_none() -> None:
    moment = filmed(smiling(), FROM_NOSE)
    assert np.array_equal(drawn(1.0, moment, None), drawn(0.0, moment, None))


def test_they_take_the_place_of_creases_as_far_as_they_can_be_told() -> None:
    rest = filmed(smiling())
    assert np.array_equal(drawn(1.0, rest, rest, creases=1.0), drawn(1.0, rest, rest))
    aside = filmed(smiling(), turned=30.0)
    creased = drawn(1.0, aside, rest, creases=1.0)
    assert np.array_equal(creased, drawn(0.0, aside, rest, creases=1.0))
    assert not np.array_equal(creased, drawn(1.0, aside, rest))
