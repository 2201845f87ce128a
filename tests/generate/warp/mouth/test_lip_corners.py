"""Lip at the corners of a mouth that opens."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm
from drawn import draw, whole

from retarget.flow import landmarks
from retarget.generate.warp.mouth.lip_corners import draw_lip_corners
from retarget.generate.warp.rims import Rims
from retarget.generate.warp.warp import WarpGenerator

SKIN, LIP = (220, 180, 160), np.array([180.0, 70.0, 70.0], np.float32)


def mouth(gap: float) -> Rims:
    """100 pixels wide around (100, 100), an oval `gap` pixels high."""
    angle = np.linspace(np.pi, 0, 11)
    x, bow = 100 + 50 * np.cos(angle), gap / 2 * np.sin(angle)
    upper, lower = (np.stack([x, 100 + sign * bow], 1).astype(np.float32) for sign in (-1, 1))
    return Rims(upper, lower)


def drawn(now: Rims, photo: Rims) -> npt.NDArray[np.int64]:
    out = np.full((200, 200, 3), SKIN, np.uint8)
    draw_lip_corners(out, now, photo, LIP)
    return out.astype(np.int64)


def test_skin_beside_a_corner_that_is_drawn_apart_becomes_lip_and_no_other() -> None:
    out = drawn(mouth(70), mouth(0))
    for x in (49, 151):
        beside = out[100, x]
        assert np.abs(beside - LIP).sum() < 0.5 * np.abs(np.array(SKIN) - LIP).sum()
    assert (out[60, 100] == SKIN).all()  # above the upper lip
    assert (out[100, 170] == SKIN).all()  # on the cheek


def test_the_dark_line_in_which_a_photos_lips_end_is_no_spot_beside_a_mouth_that_opens() -> None:
    dark = (30, 15, 10)

    def spot(around: tuple[int, int, int]) -> float:
        out = np.full((200, 200, 3), around, np.uint8)
        out[98:103, 154:162] = dark
        draw_lip_corners(out, mouth(70), mouth(0), LIP)
        return float(out[100, 156].mean() / np.mean(dark))

    assert spot(SKIN) > 2.5
    assert spot(dark) < 1.3  # a beard


@pytest.mark.parametrize("gap", [0.0, 60.0])
def test_a_mouth_as_open_as_in_the_photo_is_left_alone(gap: float) -> None:
    assert (drawn(mouth(gap), mouth(gap)) == SKIN).all()


def test_one_corner_may_be_drawn_apart_alone() -> None:
    shut, wide = mouth(0), mouth(70)
    left = np.arange(11) < 5
    upper = np.where(left[:, None], wide.upper, shut.upper)
    lower = np.where(left[:, None], wide.lower, shut.lower)
    out = drawn(Rims(upper, lower), shut)
    assert (out[100, 49] != SKIN).any()
    assert (out[100, 151] == SKIN).all()


def test_a_mouth_outside_the_picture_draws_nothing() -> None:
    away = np.float32(500)
    moved = Rims(mouth(70).upper + away, mouth(70).lower + away)
    assert (drawn(moved, mouth(0)) == SKIN).all()


def test_pale_corners_of_a_photos_shut_mouth_do_not_edge_it_when_it_opens(
    warp: WarpGenerator,
) -> None:
    corners, pale = calm().face.points[[78, 308], :2], calm().frame.rgb.copy()
    for x, y in np.rint(corners).astype(int).tolist():
        cv2.circle(pale, (x, y), 6, (255, 255, 255), -1)
    photo = replace(calm(), frame=replace(calm().frame, rgb=pale))
    asked = ask(photo, {"jawOpen": 1.0, "mouthFunnel": 0.6})
    out = whole(draw(warp, asked))
    left, right = asked.points[[landmarks.LIPS_INNER_UPPER[0], landmarks.LIPS_INNER_UPPER[-1]], :2]
    for (x, y), outwards in ((left, -2), (right, 2)):
        beside = out[round(float(y)), round(float(x)) + outwards].astype(int)
        assert beside[1] < 225  # no longer pale: the skin is 255 there
