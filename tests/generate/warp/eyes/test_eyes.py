"""Eyes that are not as the mesh knows them: iris and white."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from asked import ask, calm
from calm_eyes import drawn_again, lids, repainted
from drawn import Picture

from retarget.flow import landmarks
from retarget.flow.arrays import Floats
from retarget.generate.warp.eyes.eyeball import take_apart
from retarget.generate.warp.eyes.eyes import lit_when_bare
from retarget.generate.warp.eyes.limbus import EyePatch, LastingSize, limbi
from retarget.generate.warp.paint import colours
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.rims import LEFT_EYE, RIGHT_EYE, Opening, Rims, rims_of


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


def painted_aside(rgb: Picture, opening: Opening, radius: float) -> Floats:
    """An eye that looks to picture right, where lashes go on as dark as the left iris.

    Args:
        rgb: changed in place.
        opening: which one.
        radius: of the iris in pixels.

    Returns:
        (5, 2) the iris, which a mesh has too small there.
    """
    eye, place = rims_of(calm().face.points, opening), 0.62
    x, y = (eye.upper[0] + place * (eye.upper[-1] - eye.upper[0])).tolist()
    drawn, mask = np.full_like(rgb, 225), np.zeros(rgb.shape[:2], np.uint8)
    for size, colour in ((radius, (60, 45, 35)), (0.5 * radius, (12, 10, 10))):
        cv2.circle(drawn, (round(x), round(y)), round(size), colour, -1, cv2.LINE_AA)
    if opening is LEFT_EYE:
        drawn[:, round(x + 0.95 * radius) :] = (60, 45, 35)
    cv2.fillPoly(mask, [np.rint(eye.outline).astype(np.int32)], (255,))
    rgb[mask > 0] = drawn[mask > 0]
    ring = 0.75 * radius * np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]], np.float32)
    return np.asarray(ring + np.array([x, y], np.float32), np.float32)


def test_an_iris_in_the_corner_of_its_eye_is_as_large_as_the_other_one() -> None:
    """White is seen on one side of it only; what lies on the other is as dark."""
    rgb, radius = calm().frame.rgb.copy(), 0.21 * lids().width
    seen = []
    for opening in (RIGHT_EYE, LEFT_EYE):
        iris = painted_aside(rgb, opening, radius)
        seen.append(EyePatch.of(rgb, rims_of(calm().face.points, opening), iris))
    eyes = [eye for eye in seen if eye is not None]
    sizes = [limbus.radius for limbus in limbi(eyes)]
    np.testing.assert_allclose(sizes, radius, rtol=0.2)


def test_an_iris_in_a_clip_keeps_its_size_and_moves_with_the_mesh() -> None:
    """Where its edge is soft, every picture on its own would tell another one."""
    opening, random = lids(), np.random.default_rng(0)
    iris = calm().face.points[list(landmarks.LEFT_IRIS), :2]
    soft = cv2.GaussianBlur(calm().frame.rgb, (0, 0), 0.05 * opening.width).astype(float)
    alone, lasting, together = [], LastingSize(), []
    for _ in range(12):
        noise = cv2.GaussianBlur(random.normal(0, 60, soft.shape), (0, 0), 1)
        patch = EyePatch.of(np.clip(soft + noise, 0, 255).astype(np.uint8), opening, iris)
        assert patch is not None
        alone += limbi([patch])
        together += limbi([patch], lasting)
    sizes, places = ([found[n] for found in alone] for n in (1, 0))
    assert min(np.ptp(sizes), np.ptp(places, axis=0).max()) > 0.1 * patch.radius
    assert np.ptp([found.radius for found in together[4:]]) == 0
    np.testing.assert_array_equal(together[-1].centre, patch.centre)


def test_no_paint_of_the_lids_edge_stays_within_an_eye_that_opens_wider() -> None:
    rgb, wide = calm().frame.rgb.copy(), {"eyeWideLeft": 1.0, "eyeWideRight": 1.0}
    eye, mask = lids(), np.zeros(calm().frame.rgb.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(eye.outline).astype(np.int32)], (255,))
    drawn = rgb.copy()
    line = eye.upper + 0.04 * eye.width * eye.down
    cv2.polylines(drawn, [np.rint(line).astype(np.int32)], False, (25, 20, 20), 2, cv2.LINE_AA)
    rgb[mask > 0] = drawn[mask > 0]
    beside_iris = line[2:3]
    paint, without = (
        float(colours(drawn_again(face, wide, aperture=1.5), beside_iris).mean())
        for face in (repainted(rgb), calm())
    )
    assert colours(rgb, beside_iris).mean() < 0.4 * without
    assert paint > 0.75 * without


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
    patch = EyePatch.of(rgb, eye, iris)
    assert patch is not None
    ball = take_apart(patch, *limbi([patch]), np.float32([200, 160, 140]))
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
