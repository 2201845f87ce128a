from __future__ import annotations

import cv2
import numpy as np
import pytest

from retarget.evaluation import picture
from retarget.evaluation.dlib_face import DlibEstimator
from retarget.evaluation.observe import Estimators
from tests.evaluation.conftest import SIDE, Rgb, moved


def pasted(face: Rgb, feather: float) -> Rgb:
    """The photo with a box around the face 12 grey levels brighter."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[70:240, 90:220] = 12
    if feather:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), feather))
    return np.asarray(np.clip(face + mask[..., None] + 0.5, 0, 255), np.uint8)


def test_a_pasted_edge_is_a_seam_and_a_soft_one_is_not(face: Rgb) -> None:
    hard, soft = (picture.seam_step(pasted(face, f), face) for f in (0.0, 12.0))
    assert hard is not None
    assert 6 < hard <= 12.5
    assert soft == pytest.approx(0, abs=1)


def test_a_mouth_that_opens_is_no_seam(face: Rgb) -> None:
    assert picture.seam_step(moved(face, 1.0, 0.0, 0.0), face) == pytest.approx(0, abs=2)


def test_a_seam_is_not_guessed_where_there_is_no_outline(face: Rgb) -> None:
    assert picture.seam_step(face, face) is None
    assert picture.seam_step(face[:-2], face) is None
    assert picture.seam_step(np.roll(face, 25, axis=1), face) is None


def test_a_blurred_face_is_softer_whatever_its_size(face: Rgb, estimators: Estimators) -> None:
    blurred = np.asarray(cv2.GaussianBlur(face, (0, 0), 1.5), np.uint8)
    large = np.asarray(cv2.resize(face, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
    values = []
    for rgb in (face, blurred, large):
        points = DlibEstimator(estimators.dlib).read(rgb)
        assert points is not None
        values.append(picture.sharpness(rgb, points))
    assert values[1] < 0.7 * values[0]
    assert values[2] == pytest.approx(values[0], rel=0.15)


def test_equal_pictures_have_the_highest_psnr_and_noise_a_known_one(face: Rgb) -> None:
    grey = np.full((64, 64, 3), 100, np.uint8)
    assert picture.psnr(face, face) == 100
    # 10 levels off everywhere: 20 log10(255 / 10)
    assert picture.psnr(grey, grey + np.uint8(10)) == pytest.approx(28.13, abs=0.01)
