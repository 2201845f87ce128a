"""Teeth of the driving mouth: what of them is shown between lips, and how finely."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
from asked import smiling
from drawn import Picture, around

from retarget.flow import landmarks
from retarget.flow.values import Face
from retarget.generate.warp.mouth.driving_mouth import DrivingInside
from retarget.generate.warp.mouth.hole import Hole
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.rims import MOUTH, rims_of
from retarget.generate.warp.tones import Tones

LIP = np.array([170, 90, 90], np.float32)


def bared(times: int) -> tuple[Picture, Face]:
    """A mouth full of teeth between red lips, so many times as large as a photo's."""
    driver = smiling()
    rgb = driver.frame.rgb.copy()
    rgb[around(driver, landmarks.LIPS_OUTER_UPPER + landmarks.LIPS_OUTER_LOWER[::-1])] = LIP
    rgb[around(driver, landmarks.LIPS_INNER_UPPER + landmarks.LIPS_INNER_LOWER[::-1])] = 190
    large = cv2.resize(rgb, None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST)
    return np.asarray(large, np.uint8), replace(driver.face, points=driver.face.points * times)


def shown(rgb: Picture, face: Face, lip: npt.NDArray[np.float32] = LIP) -> npt.NDArray[np.float32]:
    """(n, 3) what is drawn of it in the middle of the photo's mouth, away from the lips."""
    photo = smiling()
    hole = Hole.between(rims_of(photo.face.points, MOUTH), photo.frame.rgb.shape)
    assert hole is not None
    theirs = DrivingInside(rgb, face, white=None, box=hole.box, now=hole.rims)
    tones = Tones(skin=np.array([190, 150, 130], np.float32), lip=lip)
    inside, _ = theirs.lit(tones, np.array([210, 200, 180], np.float32), hole.depth, tones.lip)
    across = hole.depth / hole.rims.width
    return np.asarray(inside[(across > 0.05) & (np.abs(hole.place) < 0.3)], np.float32)


def test_the_red_shade_between_two_teeth_is_not_drawn_as_lip() -> None:
    rgb, face = bared(4)
    plain = shown(rgb, face).mean(axis=0)
    rgb[:, ::24] = np.minimum(rgb[:, ::24], (0.9 * LIP).astype(np.uint8))
    rgb[:, 1::24] = np.minimum(rgb[:, 1::24], (0.9 * LIP).astype(np.uint8))
    drawn = shown(rgb, face)
    assert (drawn @ LUMA).min() > 0.6 * plain @ LUMA
    assert (drawn[:, 0] / drawn[:, 1]).max() < 1.3


def test_lines_finer_than_the_photo_shows_are_drawn_as_their_mean() -> None:
    """One pixel in several met by chance would make edges of teeth saws, and flicker."""
    rgb, face = bared(4)
    rgb[:, ::2] = np.minimum(rgb[:, ::2], 140)
    bright = shown(rgb, face) @ LUMA
    assert np.ptp(bright) < 0.1 * bright.mean()


def test_gum_between_teeth_is_not_drawn_in_the_red_of_lips() -> None:
    """It would be a hard red fringe around each of them."""
    rgb, face = bared(4)
    lips = rims_of(face.points, MOUTH)
    middle, half = lips.middle[:, 1].mean(), 0.03 * lips.width
    rows = slice(round(middle - half), round(middle + half))
    tooth = rgb[rows].min(axis=2) == 190
    rgb[rows][tooth] = (0.95 * LIP).astype(np.uint8)
    drawn = shown(rgb, face, lip=np.array([170, 40, 40], np.float32))
    assert 1.6 < (drawn[:, 0] / drawn[:, 1]).max() < 2.4
