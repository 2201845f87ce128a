"""Eyes that are not as the mesh knows them: iris and white."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from asked import ask, calm
from calm_eyes import drawn_again, lids, repainted
from drawn import Picture

from retarget.flow import landmarks
from retarget.generate.warp.eyeball import take_apart
from retarget.generate.warp.eyes import lit_when_bare
from retarget.generate.warp.paint import colours
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.rims import LEFT_EYE, Rims, rims_of


def below_the_rim(
    picture: Picture, eye: Rims, eye_widths: float, part: slice = slice(2, 4)
) -> float:
    """How bright the left part of the left eye is so far below its upper lid."""
    places = eye.upper[part] + np.float32(eye_widths * eye.width) * eye.down
    grey = picture.mean(axis=2)
    return float(np.mean([grey[y, x] for x, y in np.rint(places).astype(int).tolist()]))


ASIDE = {"eyeLookOutLeft": 0.9, "eyeLookInRight": 0.9}


def test_the_white_of_an_eye_that_looks_aside_lies_in_the_shade_of_its_lid() -> None:
    eye, picture = rims_of(ask(calm(), ASIDE).points, LEFT_EYE), drawn_again(calm(), ASIDE)
    assert below_the_rim(picture, eye, 0.03) < 0.85 * below_the_rim(picture, eye, 0.14)


def test_white_that_comes_to_light_under_a_raised_lid_lies_in_its_shade() -> None:
    wide = {"eyeWideLeft": 1.0, "eyeWideRight": 1.0}
    opened = drawn_again(calm(), wide, aperture=1.5)
    now = rims_of(ask(calm(), wide, aperture=1.5).points, LEFT_EYE)
    at_lid, within = (below_the_rim(opened, now, down, slice(5, 7)) for down in (0.02, 0.1))
    assert at_lid < 0.73 * within


def test_white_that_the_photo_shows_in_shade_only_is_lit_where_an_iris_leaves_it_bare() -> None:
    eye, rgb = rims_of(ask(calm(), ASIDE).points, LEFT_EYE), calm().frame.rgb
    mask = np.zeros(rgb.shape[:2], np.float32)
    cv2.fillPoly(mask, [np.rint(lids().outline).astype(np.int32)], (1.0,))
    shade = 1 - 0.25 * cv2.GaussianBlur(mask, (5, 5), 1.0)[..., None]
    shaded = repainted((rgb * shade).astype(np.uint8))
    lit = below_the_rim(drawn_again(shaded, ASIDE), eye, 0.14)
    assert lit > 0.85 * below_the_rim(drawn_again(calm(), ASIDE), eye, 0.14)


SEEN_AHEAD = [
    ((149, 125, 120), (170, 135, 126)), ((194, 163, 177), (213, 159, 146)),
    ((116, 84, 78), (153, 111, 100)),
]  # fmt: skip
"""White and skin of three faces that look ahead; the third hardly shows any white. Where they look
aside, white is 1.1 to 1.3 times as bright as skin, and its red 1.05 to 1.1 times its blue."""


@pytest.mark.parametrize(("strips", "skin"), SEEN_AHEAD)
def test_white_that_lies_bare_is_about_as_bright_as_eyes_that_look_aside_show_it(
    strips: tuple[int, ...], skin: tuple[int, ...]
) -> None:
    tone, around = np.array(strips, np.float32), np.array(skin, np.float32)
    assert 0.9 < (tone * lit_when_bare(tone, around)).mean() / around.mean() < 1.3


@pytest.mark.parametrize(("strips", "skin"), [SEEN_AHEAD[0], SEEN_AHEAD[2]])
def test_white_that_lies_bare_is_less_reddish_than_in_the_shade_of_lids(
    strips: tuple[int, ...], skin: tuple[int, ...]
) -> None:
    tone = np.array(strips, np.float32)
    white = tone * lit_when_bare(tone, np.array(skin, np.float32))
    assert 1.05 < white[0] / white[2] < 0.95 * tone[0] / tone[2]


def test_white_that_is_seen_in_the_open_is_left_as_it_is() -> None:
    tone, skin = np.array([249, 237, 223], np.float32), np.array([225, 180, 157], np.float32)
    np.testing.assert_array_equal(lit_when_bare(tone, skin), 1)


def test_an_iris_larger_than_the_mesh_knows_leaves_nothing_behind() -> None:
    rgb, eye = calm().frame.rgb.copy(), lids()
    iris = calm().face.points[list(landmarks.LEFT_IRIS), :2]
    radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
    drawn = np.full_like(rgb, 225)
    middle = (round(float(iris[0, 0] + 0.1 * radius)), round(float(iris[0, 1])))
    cv2.circle(drawn, middle, round(1.3 * radius), (140, 175, 215), -1, cv2.LINE_AA)
    cv2.circle(drawn, middle, round(0.85 * radius), (15, 15, 15), -1, cv2.LINE_AA)
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(eye.outline).astype(np.int32)], (255,))
    rgb[mask > 0] = drawn[mask > 0]
    mask[:, round(float(iris[0, 0] - 0.8 * radius)) :] = 0

    def blue(picture: Picture) -> int:
        beside = picture[mask > 0].astype(int)
        return int((beside[:, 2] - beside[:, 0] > 30).sum())

    aside = {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}
    assert blue(rgb) > 15
    assert blue(drawn_again(repainted(rgb), aside)) <= 0.1 * blue(rgb)


def test_an_iris_that_is_wide_for_its_eye_as_seen_from_the_side_stays_in_sight() -> None:
    rgb, eye = calm().frame.rgb.copy(), lids()
    iris = calm().face.points[list(landmarks.LEFT_IRIS), :2].copy()
    iris[1:] = iris[0] + np.float32(1.5) * (iris[1:] - iris[0])
    radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
    drawn = np.full_like(rgb, 225)
    middle = (round(float(iris[0, 0])), round(float(iris[0, 1])))
    cv2.circle(drawn, middle, round(radius), (40, 45, 50), -1, cv2.LINE_AA)
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(eye.outline).astype(np.int32)], (255,))
    rgb[mask > 0] = drawn[mask > 0]
    ball = take_apart(rgb, eye, iris, np.float32([200, 160, 140]))
    assert ball is not None
    to_corner = (0.5 - ball.reach) * eye.width
    assert 0.75 * radius < to_corner < radius  # where it is asked to look aside as far as it can


def test_eyes_that_show_no_white_in_the_photo_open_to_white() -> None:
    """Of eyes in a slit, as in laughter, only lashes and iris are seen."""
    rgb, wide = calm().frame.rgb.copy(), {"eyeWideLeft": 0.8, "eyeWideRight": 0.8}
    cv2.fillPoly(rgb, [np.rint(lids().outline).astype(np.int32)], (32, 24, 20))
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(lids().outline).astype(np.int32)], (255,))
    aside = {**wide, "eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}
    eye = drawn_again(repainted(rgb), aside, aperture=1.4)[mask > 0] @ LUMA
    cheek = colours(rgb, calm().face.points[[280, 425], :2]) @ LUMA
    assert (eye > 0.6 * cheek.mean()).mean() > 0.3


def test_an_iris_that_looks_up_takes_no_edge_of_the_lower_lid_along() -> None:
    rgb, eye = calm().frame.rgb.copy(), lids()
    iris = calm().face.points[list(landmarks.LEFT_IRIS), :2]
    radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
    drawn = np.full_like(rgb, 225)
    middle = (round(float(iris[0, 0])), round(float(iris[0, 1])))
    cv2.circle(drawn, middle, round(radius), (40, 45, 50), -1, cv2.LINE_AA)
    edge = eye.lower - 0.06 * eye.width * eye.down
    wet = np.rint(np.concatenate([edge, eye.lower[::-1]])).astype(np.int32)
    cv2.fillPoly(drawn, [wet], (240, 160, 130))
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(eye.outline).astype(np.int32)], (255,))
    rgb[mask > 0] = drawn[mask > 0]
    cv2.fillPoly(mask, [wet], (0,), lineType=cv2.LINE_8)
    mask[:, : round(float(iris[0, 0] - 0.5 * radius))] = 0
    mask[:, round(float(iris[0, 0] + 0.5 * radius)) :] = 0
    up = drawn_again(repainted(rgb), {"eyeLookUpLeft": 1.0, "eyeLookUpRight": 1.0})
    above = up[mask > 0].astype(int)
    assert (above[:, 0] - above[:, 2] > 50).mean() < 0.03
