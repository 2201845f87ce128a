"""People cut out and set before another background."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from outside import tracker

from retarget.composite.background import (
    covering,
    in_light_of,
    laid_over,
    plain,
    without_person,
)
from retarget.composite.matte import Cutout, PersonMatte, guided, own_colours

skimage_data = pytest.importorskip("skimage.data")


@pytest.fixture(scope="module")
def portrait() -> npt.NDArray[np.uint8]:
    return np.asarray(skimage_data.astronaut()[:400, 40:400])


@pytest.fixture(scope="module")
def points(portrait: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    from fractions import Fraction

    from retarget.face.still import find_face
    from retarget.flow.report import Report
    from retarget.flow.values import Instant, VideoFrame

    frame = VideoFrame(rgb=portrait, index=0, at=Instant(0, Fraction(1)))
    return find_face(frame, tracker(), Report()).points


def test_the_face_is_the_person_and_the_far_corner_is_not(
    portrait: npt.NDArray[np.uint8], points: npt.NDArray[np.float32]
) -> None:
    share = PersonMatte()(portrait, points).share
    at = points[:, :2].round().astype(int)
    assert share[at[:, 1], at[:, 0]].mean() > 0.97
    assert share[:20, -20:].max() < 0.1
    assert share.min() >= 0
    assert share.max() <= 1


def test_where_a_person_is_is_told_or_that_nobody_is_seen(
    portrait: npt.NDArray[np.uint8], points: npt.NDArray[np.float32]
) -> None:
    person = PersonMatte().where(portrait, points)
    assert person is not None
    assert person.shape == portrait.shape[:2]
    at = points[:, :2].round().astype(int)
    assert person[at[:, 1], at[:, 0]].mean() > 250
    assert person[:20, -20:].max() < 25
    nobody = np.full_like(portrait, 128)
    assert PersonMatte().where(nobody, points) is None


def test_another_person_in_the_picture_is_left_out(
    portrait: npt.NDArray[np.uint8], points: npt.NDArray[np.float32]
) -> None:
    height, width = portrait.shape[:2]
    wall = np.full((height, width // 2, 3), 90, np.uint8)
    both = np.hstack([portrait, wall, portrait])
    aside = (1.5 * width, 0, 0)
    left, right = ((points + (x, 0, 0))[:, :2].round().astype(int) for x in (0, aside[0]))
    for here, there, face in ((left, right, points), (right, left, points + np.float32(aside))):
        share = PersonMatte().share(both, face)
        assert share[here[:, 1], here[:, 0]].mean() > 0.9
        assert share[there[:, 1], there[:, 0]].max() < 0.05


@pytest.mark.parametrize("people", [3, 5])
def test_each_person_of_a_row_is_found(
    portrait: npt.NDArray[np.uint8], points: npt.NDArray[np.float32], people: int
) -> None:
    other = (portrait * np.array([0.55, 0.8, 1.0])).astype(np.uint8)
    row, matte = np.hstack([portrait, other, portrait, other, portrait][:people]), PersonMatte()
    for number in range(people):
        face = points + np.float32((number * portrait.shape[1], 0, 0))
        at = face[:, :2].round().astype(int)
        assert matte.share(row, face)[at[:, 1], at[:, 0]].mean() > 0.95


def test_hair_has_pixels_between_person_and_background(
    portrait: npt.NDArray[np.uint8], points: npt.NDArray[np.float32]
) -> None:
    share = PersonMatte()(portrait, points).share
    soft = ((share > 0.05) & (share < 0.95)).mean()
    assert 0.002 < soft < 0.15


def test_what_a_wider_view_says_is_nobody_is_left_out(
    portrait: npt.NDArray[np.uint8], points: npt.NDArray[np.float32]
) -> None:
    whole = np.ones(portrait.shape[:2], np.float32)
    whole[-60:] = 0
    share = PersonMatte()(portrait, points, whole).share
    assert share[-40:].max() == 0


def test_a_rough_edge_moves_to_the_edge_of_the_picture() -> None:
    rgb = np.zeros((60, 60, 3), np.uint8)
    rgb[:, 30:] = 200
    rough = np.zeros((60, 60), np.float32)
    rough[:, 34:] = 1  # four pixels off
    share = guided(rgb, rough, 8, 1e-4)
    step = int(np.abs(np.diff(share[30])).argmax())
    assert step == 29


def test_most_of_the_old_background_is_taken_out_of_half_seen_pixels() -> None:
    share = np.tile(np.clip((np.arange(80) - 30) / 20, 0, 1).astype(np.float32), (40, 1))
    person, behind = np.array([200.0, 60, 40]), np.array([0.0, 200, 0])
    mixed = share[..., None] * person + (1 - share[..., None]) * behind
    colours = own_colours(np.rint(mixed).astype(np.uint8), share, 40.0)
    was, left = (np.abs(c[20, 40] - person).max() for c in (mixed, colours.astype(float)))
    assert left < 0.35 * was


def test_the_blurred_background_does_not_hold_the_person() -> None:
    rgb = np.full((100, 100, 3), (20, 140, 20), np.uint8)
    share = np.zeros((100, 100), np.float32)
    share[30:, 35:65] = 1
    rgb[share > 0] = (220, 30, 30)
    blurred = without_person(rgb, share, 4.0)
    assert np.abs(blurred.astype(int) - (20, 140, 20)).max() <= 3


def test_light_comes_nearer_to_the_background_and_not_too_far() -> None:
    rgb = np.full((40, 40, 3), (150, 120, 100), np.uint8)
    person = Cutout(rgb=rgb, share=np.ones((40, 40), np.float32))
    blue = np.full((40, 40, 3), (20, 40, 160), np.uint8)
    lit = in_light_of(person, blue, 0.4).astype(int)
    assert (lit[0, 0] - rgb[0, 0])[2] - (lit[0, 0] - rgb[0, 0])[0] > 5
    assert np.abs(lit - rgb).max() < 60
    np.testing.assert_array_equal(in_light_of(person, blue, 0.0), rgb)


@pytest.mark.parametrize("around", [(0, 0, 0), (255, 255, 255), (0, 0, 255), (0, 255, 0)])
def test_no_background_moves_a_persons_light_further_than_is_believable(
    around: tuple[int, int, int],
) -> None:
    rgb = np.full((40, 40, 3), (150, 120, 100), np.uint8)
    person = Cutout(rgb=rgb, share=np.ones((40, 40), np.float32))
    lit = in_light_of(person, np.full((40, 40, 3), around, np.uint8), 1.0)
    was, now = (cv2.cvtColor(p / np.float32(255), cv2.COLOR_RGB2LAB)[0, 0] for p in (rgb, lit))
    lightness, *colour = np.abs(now - was)
    assert lightness < 29
    assert max(colour) < 15


@pytest.mark.parametrize("size", [(50, 90), (300, 40), (64, 64)])
def test_a_background_fills_its_panel(size: tuple[int, int]) -> None:
    rgb = np.full((70, 120, 3), 90, np.uint8)
    assert covering(rgb, size).shape == (size[1], size[0], 3)
    assert plain((10, 20, 30), size).shape == (size[1], size[0], 3)


def test_laying_over_keeps_the_background_where_nobody_is() -> None:
    wall = plain((10, 200, 30), (8, 8))
    share = np.zeros((8, 8), np.float32)
    np.testing.assert_array_equal(laid_over(wall, 255 - wall, share), wall)
