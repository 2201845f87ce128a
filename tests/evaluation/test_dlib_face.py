"""dlib reads the face of a picture, not something beside it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("dlib", reason="the evaluate extra is not installed")
pytest.importorskip("face_recognition_models", reason="the evaluate extra is not installed")

from retarget.evaluation.dlib_face import DlibEstimator, dlib_models

SAMPLE = Path(__file__).parents[2] / "samples" / "face.jpg"


@pytest.mark.parametrize(("scale", "blur"), [(1.0, 0.0), (1.1, 0.0), (1.5, 0.0), (1.0, 0.3)])
def test_a_badge_that_resembles_a_face_is_not_read(scale: float, blur: float) -> None:
    """The detector sees a weak face in a badge, at times a pixel larger than the real one."""
    bgr = cv2.resize(cv2.imread(str(SAMPLE)), None, fx=scale, fy=scale)
    if blur:
        bgr = cv2.GaussianBlur(bgr, (0, 0), blur)
    rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
    points = DlibEstimator(dlib_models()).read(rgb)
    assert points is not None
    middle = points.mean(axis=0) / scale
    assert np.hypot(*(middle - (224, 127))) < 10  # where the person's face is


def test_of_two_real_faces_the_larger_is_read() -> None:
    bgr = cv2.imread(str(SAMPLE))
    face = bgr[60:200, 150:300]
    canvas = np.full((400, 700, 3), 128, np.uint8)
    canvas[100:240, 60:210] = face
    large = cv2.resize(face, None, fx=1.6, fy=1.6)
    canvas[80 : 80 + large.shape[0], 400 : 400 + large.shape[1]] = large
    rgb = np.asarray(cv2.cvtColor(canvas, cv2.COLOR_BGR2RGB), np.uint8)
    points = DlibEstimator(dlib_models()).read(rgb)
    assert points is not None
    assert points[:, 0].mean() > 400
