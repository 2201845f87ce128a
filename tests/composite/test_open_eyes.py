"""Open eyes laid over those of a blink."""

from __future__ import annotations

from functools import cache

import numpy as np
from asked import ask, calm
from drawn import around, draw, whole
from faces import frame
from outside import tracker

from retarget.composite.open_eyes import OpenEyes
from retarget.face.still import find_face
from retarget.flow import landmarks
from retarget.flow.report import Report
from retarget.flow.values import Face, VideoFrame
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.warp import WarpGenerator

OPEN, SHUT = np.ones(2), np.zeros(2)
LEFT = (464, 413, 441, 442, 443, 444, 445, 342, 446, 261, 448, 449, 450, 451, 452, 453)
RIGHT = (244, 189, 221, 222, 223, 224, 225, 113, 226, 31, 228, 229, 230, 231, 232, 233)


@cache
def blinking() -> tuple[VideoFrame, Face]:
    """The astronaut with her eyes shut, brighter by the light of another moment."""
    shut = ask(calm(), {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0})
    rgb = whole(draw(WarpGenerator(WarpSettings()), shut)).astype(int) + 12
    picture = frame(np.clip(rgb, 0, 255).astype(np.uint8))
    return picture, find_face(picture, tracker(), Report())


def off(picture: VideoFrame, eye: tuple[int, ...]) -> float:
    """How far an eye and its surroundings are from the photo's own in that light."""
    own = np.clip(calm().frame.rgb.astype(int) + 12, 0, 255)
    return float(np.abs(picture.rgb - own)[around(calm(), eye)].mean())


def test_eyes_that_were_open_a_moment_ago_are_open_again_in_the_light_of_now() -> None:
    eyes = OpenEyes()
    eyes(calm().frame, calm().face, OPEN)
    picture, face = eyes(*blinking(), SHUT)
    for eye in (LEFT, RIGHT):
        assert off(picture, eye) < 0.6 * off(blinking()[0], eye)
    rims = [*landmarks.LEFT_EYE_UPPER[1:-1], *landmarks.RIGHT_EYE_UPPER[1:-1]]
    away = np.abs(face.points - calm().face.points)[rims, :2].max()
    assert away < 0.1 * np.ptp(calm().face.points[list(landmarks.LEFT_EYE_UPPER), 0])


def test_nothing_else_changes_and_open_eyes_are_left_alone() -> None:
    eyes = OpenEyes()
    assert eyes(calm().frame, calm().face, OPEN) == (calm().frame, calm().face)
    before = blinking()[0].rgb.copy()
    picture, _ = eyes(*blinking(), SHUT)
    np.testing.assert_array_equal(blinking()[0].rgb, before)
    changed = (picture.rgb != before).any(axis=2)
    low, high = calm().face.points[:, :2].min(axis=0), calm().face.points[:, :2].max(axis=0)
    rows, columns = np.nonzero(changed)
    assert low[0] - 20 < columns.min() < columns.max() < high[0] + 20
    assert rows.max() < calm().face.points[landmarks.NOSE_TIP, 1]
    assert rows.min() > low[1]


def test_of_a_wink_only_the_shut_eye_is_replaced() -> None:
    eyes = OpenEyes()
    eyes(calm().frame, calm().face, OPEN)
    picture, _ = eyes(*blinking(), np.array([1.0, 0.0]))
    assert off(picture, LEFT) == off(blinking()[0], LEFT)
    assert off(picture, RIGHT) < 0.6 * off(blinking()[0], RIGHT)


def test_before_any_open_eye_was_seen_in_a_shot_a_picture_stays_as_it_is() -> None:
    eyes = OpenEyes()
    assert eyes(*blinking(), SHUT) == blinking()
    eyes(calm().frame, calm().face, OPEN)
    eyes.forget()
    assert eyes(*blinking(), SHUT) == blinking()


def test_the_widest_of_some_samples_serves_a_clip_that_begins_with_a_blink() -> None:
    eyes = OpenEyes()
    eyes.look(*blinking(), np.array([0.05, 0.05]))
    eyes.look(calm().frame, calm().face, np.array([0.3, 0.3]))
    eyes.look(*blinking(), np.array([0.1, 0.1]))
    picture, _ = eyes(*blinking(), SHUT)
    assert off(picture, LEFT) < 0.6 * off(blinking()[0], LEFT)
