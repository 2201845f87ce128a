"""The light of the driving video is told from the white of the eyes, and lasts through blinks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm, smiling

from retarget.flow.arrays import Floats
from retarget.flow.values import ExpressedFrame, FaceRequest, Identity, TrackedFrame
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.eye_white import LastingWhite, eye_white
from retarget.generate.warp.mouth.driving_light import Light
from retarget.generate.warp.palette import LUMA, Palette, luma, tooth_in
from retarget.generate.warp.rims import LEFT_EYE, RIGHT_EYE
from retarget.generate.warp.tones import Tones, teeth_in
from retarget.generate.warp.warp import WarpGenerator

COLD, WARM = np.array([(0.8, 1.0, 1.2), (1.1, 0.85, 0.6)], np.float32)
"""What a bluish and a warm lamp do to red, green and blue."""


def lit(rgb: npt.NDArray[np.uint8], lamp: Floats) -> npt.NDArray[np.uint8]:
    return np.clip(np.rint(0.8 * rgb * lamp), 0, 255).astype(np.uint8)


def filmed(someone: Identity, *, lamp: Floats | None = None, shut: bool = False) -> ExpressedFrame:
    """A driving moment of someone, under a lamp, with eyes open or shut."""
    rgb = someone.frame.rgb if lamp is None else lit(someone.frame.rgb, lamp)
    points = someone.face.points.copy()
    if shut:
        for upper, lower in (RIGHT_EYE, LEFT_EYE):
            points[upper] = points[lower]
    tracked = TrackedFrame(
        frame=replace(someone.frame, rgb=rgb), face=replace(someone.face, points=points)
    )
    return ExpressedFrame(
        index=0, at=someone.frame.at, duration=someone.frame.duration,
        expression=someone.expression, pose=someone.pose, tracked=tracked,
    )  # fmt: skip


def asked(driving: ExpressedFrame, *, cut: bool = False) -> FaceRequest:
    return replace(ask(calm(), {"jawOpen": 0.6}, driving=driving), cut=cut)


def white_of(someone: Identity) -> Floats:
    found = eye_white(someone.frame.rgb, someone.face.points)
    assert found is not None
    return found


def test_the_white_is_brighter_and_less_colourful_than_the_skin() -> None:
    someone = smiling()
    white = white_of(someone)
    skin = Tones.of(someone.frame.rgb, someone.face.points, white).skin
    assert np.ptp(white) / white.max() < np.ptp(skin) / skin.max()


def test_the_white_takes_the_colour_of_the_lamp() -> None:
    someone = smiling()
    cold = eye_white(lit(someone.frame.rgb, COLD), someone.face.points)
    assert cold is not None
    assert cold == pytest.approx(0.8 * COLD * white_of(someone), rel=0.05)


def test_shut_eyes_show_no_white() -> None:
    shut = filmed(smiling(), shut=True).tracked
    assert shut is not None
    assert shut.face is not None
    assert eye_white(shut.frame.rgb, shut.face.points) is None


def test_a_blink_does_not_change_the_light_and_a_cut_forgets_it() -> None:
    white, someone = LastingWhite(), smiling()
    before = white(asked(filmed(someone)))
    during = white(asked(filmed(someone, shut=True)))
    assert before is not None
    assert during is not None
    assert np.array_equal(before, during)
    assert white(asked(filmed(someone, shut=True), cut=True)) is None


def test_the_lamp_of_the_driving_video_does_not_tint_the_teeth() -> None:
    """A neutral tooth under the lamp comes out as the same tooth without it."""
    photo, driver = calm(), smiling()
    identity = Tones.of(photo.frame.rgb, photo.face.points, white_of(photo))
    tooth = np.full((1, 1, 3), 160, np.uint8)

    def shown(lamp: Floats) -> Floats:
        rgb = lit(driver.frame.rgb, lamp)
        tones = Tones.of(rgb, driver.face.points, eye_white(rgb, driver.face.points))
        light = Light.between(tones, identity, white_of(photo))
        colour: Floats = light(lit(tooth, lamp))[0, 0]
        return colour / colour.sum()

    plain, cold = shown(np.ones(3, np.float32)), shown(COLD)
    untouched = 0.8 * COLD * 160 / (0.8 * COLD * 160).sum()
    assert np.abs(cold - plain).max() < 0.5 * np.abs(untouched - plain).max()


def test_a_dark_face_keeps_bright_teeth() -> None:
    """The same light on darker skin leaves teeth as bright as the white of the eyes allows."""
    white = np.array([200, 190, 185], np.float32)
    lip = np.array([150, 90, 85], np.float32)
    light = Tones(skin=np.array([200, 160, 140], np.float32), lip=lip, white=white)
    dark = Tones(skin=np.array([80, 55, 45], np.float32), lip=lip, white=white)
    tooth, sure = np.full((1, 1, 3), 190, np.uint8), np.ones((1, 1), np.float32)
    shown = Light.between(light, dark, tooth_in(dark.skin, white)).on_teeth(tooth, sure)
    assert shown.mean() > 0.5 * tooth.mean()


def test_drawn_teeth_have_the_colour_of_the_light_and_not_of_the_skin() -> None:
    skin, lip = np.array([190, 120, 86], np.float32), np.array([190, 90, 70], np.float32)

    def saturation(white: tuple[int, int, int]) -> float:
        tooth = Palette.of(skin, lip, np.array(white, np.float32)).tooth
        return float(np.ptp(tooth) / tooth.max())

    assert saturation((214, 212, 210)) < 0.4 * float(np.ptp(skin) / skin.max())
    assert saturation((214, 212, 210)) > 0.1  # no tooth is as white as that
    assert saturation((214, 180, 110)) > saturation((214, 212, 210)) + 0.15  # under a warm lamp
    for shade in (60, 120, 220):  # eyes may lie in shadow, teeth are brighter than skin
        white = np.full(3, shade, np.float32)
        assert luma(Palette.of(skin, lip, white).tooth) > luma(skin)


def test_red_skin_does_not_make_pink_teeth_and_a_grey_photo_has_grey_ones() -> None:
    red = np.array([190, 110, 90], np.float32), np.array([165, 85, 75], np.float32)
    tooth = Palette.of(*red, np.array([130, 92, 84], np.float32)).tooth
    assert tooth[1] > tooth[2] + 0.35 * (tooth[0] - tooth[2])
    grey = [np.full(3, tone, np.float32) for tone in (140, 90, 170)]
    assert np.ptp(Palette.of(*grey).tooth) < 0.5


def test_teeth_in_pink_light_are_not_green() -> None:
    skin, lip = np.array([183, 129, 153], np.float32), np.array([200, 118, 132], np.float32)
    red, green, blue = Palette.of(skin, lip, np.array([156, 110, 116], np.float32)).tooth
    assert green < 0.95 * (red + blue) / 2


def test_eyes_lit_blue_from_the_side_make_no_blue_mouth_in_warm_skin() -> None:
    """Skin around the mouth tells that the light that falls there is no such light."""
    someone, blue = smiling(), np.array([144, 166, 176], np.float32)
    grey = np.full(3, luma(blue), np.float32)

    def white(lamp: Floats, seen: Floats) -> Floats | None:
        return Tones.of(lit(someone.frame.rgb, lamp), someone.face.points, seen).white

    assert white(WARM, blue) == pytest.approx(grey, rel=0.05)
    assert white(COLD, blue) == pytest.approx(blue)  # of the lamp, as skin tells
    assert white(WARM, grey) == pytest.approx(grey)


def test_what_is_dark_between_lids_that_laugh_is_no_white() -> None:
    rgb, points = smiling().frame.rgb, smiling().face.points
    lashes, shaded = np.array([(27, 12, 4), (110, 95, 90)], np.float32)
    assert Tones.of(rgb, points, lashes).white is None
    assert Tones.of(rgb, points, shaded).white == pytest.approx(shaded)


def test_teeth_filmed_in_the_dark_are_not_grey_in_a_bright_photo() -> None:
    """Half the light on the driver costs a tooth far less than half of its brightness."""
    day = Tones.of(calm().frame.rgb, calm().face.points, white_of(calm()))
    dusk = Tones(
        skin=day.skin / 2, lip=day.lip / 2, white=None if day.white is None else day.white / 2
    )
    raw = np.full((1, 1, 3), 90, np.uint8)
    tooth = tooth_in(day.skin, white_of(calm()))
    assert Light.between(dusk, day, tooth)(raw).mean() > 1.4 * raw.mean()


def test_teeth_of_a_webcam_are_neither_green_nor_grey_in_a_bright_photo() -> None:
    """Small dark eyes in orange light give a wrong white: it would turn the teeth green."""
    webcam = Tones(
        skin=np.array([157, 93, 56], np.float32),
        lip=np.array([144, 62, 46], np.float32),
        white=np.array([114, 76, 59], np.float32),
    )
    photo = Tones(
        skin=np.array([242, 194, 174], np.float32),
        lip=np.array([229, 58, 52], np.float32),
        white=np.array([230, 199, 185], np.float32),
    )
    tooth = Palette.of(photo.skin, photo.lip, np.array([230, 199, 185], np.float32)).tooth
    light = Light.between(webcam, photo, tooth)
    raw, sure = np.array([[[91, 81, 71]]], np.uint8), np.ones((1, 1), np.float32)
    red, green, blue = light.on_teeth(raw, sure)[0, 0]
    assert red >= green >= blue
    assert red - blue < 0.25 * red
    assert luma(light.on_teeth(raw, sure)[0, 0]) > 1.2 * luma(light(raw)[0, 0])


def test_a_tongue_is_not_taken_for_teeth() -> None:
    lip, skin = np.array([169, 89, 86], np.float32), np.array([188, 120, 105], np.float32)
    tooth, tongue, cavity = (168, 134, 113), (150, 84, 82), (40, 30, 28)
    share = teeth_in(np.array([[tooth, tongue, cavity]], np.uint8), Tones(skin=skin, lip=lip))[0]
    assert share[0] > 0.9
    assert share[1:].max() < 0.1


def test_the_same_frames_give_the_same_pixels_however_many_threads() -> None:
    driver = smiling()
    frames = [asked(filmed(driver, lamp=COLD * np.float32(1 - 0.03 * k))) for k in range(5)]
    one, three = (
        [f.rgb for f in WarpGenerator(WarpSettings(threads=n))(iter(frames))] for n in (1, 3)
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, three, strict=True))


def test_teeth_too_bright_for_the_photo_keep_the_shade_between_them() -> None:
    """A bright photo's light would make them brighter than white."""
    lip, white = np.array([200, 110, 100], np.float32), np.array([235, 225, 215], np.float32)
    dim = Tones(skin=np.array([150, 110, 95], np.float32), lip=lip, white=white * 0.75)
    bright = Tones(skin=np.array([240, 205, 190], np.float32), lip=lip, white=white)
    tooth = np.array([235, 230, 220], np.float32)
    light = Light.between(dim, bright, tooth)
    teeth, sure = np.array([[[180] * 3, [200] * 3, [225] * 3]], np.uint8), np.ones((1, 3))
    gain = luma(tooth) / luma(light.driving_tooth)
    assert 180 * gain > light.ceiling  # cut off, all of them would be the same
    shades = light.on_teeth(teeth, sure.astype(np.float32))[0] @ LUMA
    assert shades / shades[2] == pytest.approx([180 / 225, 200 / 225, 1], rel=0.02)
    assert 0.85 * light.ceiling < shades[2] <= light.ceiling
