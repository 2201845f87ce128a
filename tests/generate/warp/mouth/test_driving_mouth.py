"""The driving mouth inside the photo's: its lips, teeth and tongue in the photo's colours."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm, smiling
from drawn import Picture, around, draw, seen, whole
from outside import mesh_points

from retarget.flow import landmarks
from retarget.generate.warp.mouth.driving_mouth import DrivingInside
from retarget.generate.warp.mouth.hole import Hole
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.rims import MOUTH, rims_of
from retarget.generate.warp.shape.displace import Displacer
from retarget.generate.warp.tones import Tones
from retarget.generate.warp.warp import WarpGenerator

LIP = np.array([190, 90, 90], np.float32)


def lips_reaching(far: float, behind: float) -> Picture:
    """A smile whose lips reach so far in, in mouth widths; all behind is this bright, of 1."""
    driver = smiling()
    outline = landmarks.LIPS_OUTER_UPPER + landmarks.LIPS_OUTER_LOWER[::-1]
    rgb = driver.frame.rgb.copy()
    rgb[around(driver, outline)] = LIP.astype(np.uint8)
    mouth = rims_of(driver.face.points, MOUTH)
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(mouth.outline).astype(np.int32)], (1,))
    deep = cv2.distanceTransform(mask, cv2.DIST_L2, 5) > far * mouth.width
    rgb[deep] = (behind * LIP).astype(np.uint8)
    return rgb


@mesh_points
def test_driving_lips_inside_the_opening_take_the_photos_colour_and_its_shade() -> None:
    driver, own = smiling(), (120, 90, 60)
    hole = Hole.between(rims_of(driver.face.points, MOUTH), driver.frame.rgb.shape)
    assert hole is not None
    tones = Tones(skin=np.array([180, 150, 130], np.float32), lip=np.array(own, np.float32))

    def inside(rgb: Picture, *, deep: bool = False) -> npt.NDArray[np.float32]:
        theirs = DrivingInside(rgb, driver.face, white=None, box=hole.box, now=hole.rims)
        drawn, _ = theirs.lit(tones, np.array([210, 200, 180], np.float32), hole.depth, tones.lip)
        share = hole.depth / hole.rims.width
        where = share > 0.1 if deep else (hole.depth > 0.5) & (share < 0.03)
        shown: npt.NDArray[np.float32] = drawn[where]
        return shown

    edge = inside(lips_reaching(0.035, 0.5)) / tones.inner_lip
    front = inside(lips_reaching(0.1, 0.5)) / own
    for of_own in (edge, front):
        assert np.ptp(np.median(of_own, axis=0)) < 0.03
    assert 0.3 < np.median(edge) < 0.7  # turned in, it faces no light
    assert 0.85 < np.median(front) < 1.15
    tongue = inside(lips_reaching(0.035, 0.5), deep=True)
    assert np.abs(tongue - own).min() > 10  # one as red as lips is none
    teeth = driver.frame.rgb.copy()
    teeth[around(driver, landmarks.LIPS_INNER_UPPER + landmarks.LIPS_INNER_LOWER[::-1])] = 230
    seen = np.median(inside(teeth), axis=0)
    assert seen.max() - seen.min() < 50  # teeth stay teeth, in the warm shade of lips


@mesh_points
def test_driving_lips_inside_the_opening_lie_in_the_shade_that_the_photos_lips_lie_in(
    warp: WarpGenerator,
) -> None:
    """Lit, they would be a pale wedge beside the lips."""
    rgb = calm().frame.rgb.copy()
    lips = around(calm(), landmarks.LIPS_OUTER_UPPER + landmarks.LIPS_OUTER_LOWER[::-1])
    rgb[lips] = LIP.astype(np.uint8)
    middle = round(float(calm().face.points[13, 0]))
    rgb[:, middle:][lips[:, middle:]] //= 2
    photo = replace(calm(), frame=replace(calm().frame, rgb=rgb))
    rgb = lips_reaching(0.1, 0.3)
    driver = replace(smiling(), frame=replace(smiling().frame, rgb=rgb))
    request = ask(photo, {"jawOpen": 0.6}, driving=seen(driver))
    now = rims_of(Displacer(photo, photo.face.points)(request).points, MOUTH)
    picture = whole(draw(warp, request))
    inwards = np.rint(0.8 * now.lower[[3, 7]] + 0.2 * now.middle[[3, 7]]).astype(int)
    lit, shaded = (picture[y - 1 : y + 2, x - 1 : x + 2].mean() for x, y in inwards)
    assert shaded < 0.9 * lit


@pytest.mark.parametrize("own", [(150, 115, 50), (120, 120, 120)], ids=["yellow", "grey"])
def test_lips_inside_the_opening_are_redder_in_their_shade_unless_grey(
    own: tuple[int, int, int],
) -> None:
    """Yellow ones would be green there."""
    driver, lip = smiling(), np.array(own, np.float32)
    hole = Hole.between(rims_of(driver.face.points, MOUTH), driver.frame.rgb.shape)
    assert hole is not None
    ring = (hole.depth > 0.5) & (hole.depth / hole.rims.width < 0.03)
    mouth = around(driver, landmarks.LIPS_INNER_UPPER + landmarks.LIPS_INNER_LOWER[::-1])

    def red_to_green(shade: float) -> float:
        rgb = lips_reaching(0.1, 0.5)
        rgb[mouth] = (shade * rgb[mouth]).astype(np.uint8)
        theirs = DrivingInside(rgb, driver.face, white=None, box=hole.box, now=hole.rims)
        shown, _ = theirs.lit(Tones(skin=lip, lip=lip), lip, hole.depth, lip)
        red, green, _ = np.median(shown[ring], axis=0)
        return float(red / green)

    if own[0] == own[2]:
        assert red_to_green(0.7) == pytest.approx(red_to_green(1.0), abs=0.01)
    else:
        assert red_to_green(0.7) > 1.05 * red_to_green(1.0)


def test_the_inner_side_of_lips_is_redder_and_that_of_grey_lips_is_grey() -> None:
    red, grey = (
        Tones(skin=lip, lip=lip) for lip in np.array([[214, 160, 152], [90, 90, 90]], np.float32)
    )
    red_to_green, own = (c[0] / c[1] for c in (red.inner_lip, red.lip))
    assert red_to_green > 1.2 * own
    assert abs(float((red.inner_lip - red.lip) @ LUMA)) < 1  # no brighter
    np.testing.assert_allclose(grey.inner_lip, grey.lip, atol=1e-3)


def test_the_inner_side_of_red_lips_does_not_glow() -> None:
    made_up = Tones(
        skin=np.array([230, 168, 137], np.float32), lip=np.array([216, 92, 86], np.float32)
    )
    assert made_up.inner_lip.max() < 1.15 * made_up.lip.max()


def test_driving_lips_that_reach_in_lie_below_teeth_of_ones_own(warp: WarpGenerator) -> None:
    def reddest(rgb: Picture) -> float:
        """How red it is where the photo's own teeth are seen."""
        driving = seen(replace(smiling(), frame=replace(smiling().frame, rgb=rgb)))
        request = ask(smiling(), {"jawOpen": 0.4}, driving=driving)
        at = rims_of(Displacer(smiling(), smiling().face.points)(request).points, MOUTH).upper
        x, y = np.rint(at[5]).astype(int).tolist()
        shown = whole(draw(warp, request)).astype(int)[y + 2 : y + 6, x - 3 : x + 4]
        return float(shown[..., 0].mean() / shown[..., 1].mean())

    assert reddest(lips_reaching(0.1, 0.2)) < 1.05 * reddest(lips_reaching(0.0, 0.2))


def test_what_is_pale_deep_in_the_mouth_is_a_tongue() -> None:
    driver, blue = smiling(), np.array([120, 120, 240], np.float32)
    rgb = driver.frame.rgb.copy()
    rgb[around(driver, landmarks.LIPS_INNER_UPPER + landmarks.LIPS_INNER_LOWER[::-1])] = 190
    hole = Hole.between(rims_of(driver.face.points, MOUTH), rgb.shape)
    assert hole is not None
    middle = hole.depth == hole.depth.max()
    theirs = DrivingInside(rgb, driver.face, white=None, box=hole.box, now=hole.rims)
    tones = Tones.of(rgb, driver.face.points, None)

    def blueness(depth: float) -> float:
        inside, _ = theirs.lit(
            tones, blue, np.full_like(hole.depth, depth * hole.rims.width), tones.lip
        )
        red, _, blue_ = inside[middle].mean(axis=0)
        return float(blue_ - red)

    assert blueness(0.1) > 40
    assert abs(blueness(0.35)) < 0.2 * blueness(0.1)


def of_one_colour(colour: tuple[int, int, int], depth: float) -> npt.NDArray[np.float32]:
    """(3,) what is drawn in warm light, so deep in a mouth in cold light that is all one colour."""
    driver = smiling()
    rgb = driver.frame.rgb.copy()
    rgb[around(driver, landmarks.LIPS_INNER_UPPER + landmarks.LIPS_INNER_LOWER[::-1])] = colour
    hole = Hole.between(rims_of(driver.face.points, MOUTH), rgb.shape)
    assert hole is not None
    white, skin, lip = np.array([[220, 200, 205], [230, 170, 138], [215, 118, 108]], np.float32)
    theirs = DrivingInside(rgb, driver.face, white=white - 40, box=hole.box, now=hole.rims)
    away = np.full_like(hole.depth, depth * hole.rims.width)
    shown, _ = theirs.lit(Tones(skin, lip, white=white), white, away, lip)
    middle: npt.NDArray[np.float32] = shown[hole.depth == hole.depth.max()].mean(axis=0)
    return middle


def test_a_pale_tongue_is_not_lilac_in_warm_light() -> None:
    _, green, blue = of_one_colour((170, 105, 125), 0.35)
    assert blue < green


def test_lips_shine_through_their_shade_on_what_lies_behind_them() -> None:
    left = of_one_colour((45, 40, 40), 0.01) / of_one_colour((45, 40, 40), 0.1)
    assert left[1] < 0.93 * left[0]
