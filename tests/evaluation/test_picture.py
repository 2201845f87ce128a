from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from retarget.evaluation import picture
from retarget.evaluation.dlib_face import DlibEstimator
from retarget.evaluation.observe import Estimators
from tests.evaluation.conftest import SIDE, Picture, moved


def pasted(face: Picture, feather: float) -> Picture:
    """The photo with a box around the face 12 grey levels brighter."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[70:240, 90:220] = 12
    if feather:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), feather))
    return np.asarray(np.clip(face + mask[..., None] + 0.5, 0, 255), np.uint8)


def test_a_pasted_edge_is_a_seam_and_a_soft_one_is_not(face: Picture) -> None:
    hard, soft = (picture.seam_step(pasted(face, f), face) for f in (0.0, 12.0))
    assert hard is not None
    assert 6 < hard <= 12.5
    assert soft == pytest.approx(0, abs=1)


def test_a_mouth_that_opens_is_no_seam(face: Picture) -> None:
    assert picture.seam_step(moved(face, 0.8, 0.0, 0.0), face) == pytest.approx(0, abs=2)


def test_a_row_and_column_that_the_codec_added_change_nothing(face: Picture) -> None:
    odd = face[:-1, :-1]
    padded = np.pad(pasted(face, 0.0)[:-1, :-1], ((0, 1), (0, 1), (0, 0)), "edge")
    assert picture.seam_step(padded, odd) == picture.seam_step(pasted(face, 0.0)[:-1, :-1], odd)
    assert picture.unpadded(odd, face) is None
    assert picture.unpadded(face, face[:-2]) is None


def test_a_seam_is_not_guessed_where_there_is_no_outline(face: Picture) -> None:
    assert picture.seam_step(face, face) is None
    assert picture.seam_step(face[:-2], face) is None
    assert picture.seam_step(np.roll(face, 25, axis=1), face) is None


def test_a_blurred_face_is_softer_whatever_its_size(face: Picture, estimators: Estimators) -> None:
    blurred = np.asarray(cv2.GaussianBlur(face, (0, 0), 1.5), np.uint8)
    large = np.asarray(cv2.resize(face, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
    values = []
    for rgb in (face, blurred, large):
        points = DlibEstimator(estimators.dlib).read(rgb)
        assert points is not None
        values.append(picture.sharpness(rgb, points))
    assert values[1] < 0.7 * values[0]
    assert values[2] == pytest.approx(values[0], rel=0.15)


def test_a_structure_that_is_lost_counts_more_than_light_that_changed(face: Picture) -> None:
    blurred = np.asarray(cv2.GaussianBlur(face, (0, 0), 3), np.uint8)
    brighter = np.clip(face.astype(int) + 8, 0, 255).astype(np.uint8)
    assert picture.ssim(face, face) == pytest.approx(1)
    assert picture.ssim(face, blurred) < 0.9 < picture.ssim(face, brighter)


def test_lpips_without_weights_says_where_they_belong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    network, why = picture.Lpips.find()
    assert network is None
    assert str(tmp_path) in why


def test_lpips_is_zero_for_equal_pictures_and_grows_with_damage(
    face: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torchmetrics", reason="LPIPS needs retarget[lpips]")
    models = pytest.importorskip("torchvision.models", reason="LPIPS needs retarget[lpips]")
    checkpoints = tmp_path / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    (checkpoints / "alexnet-owt-test.pth").touch()
    made = models.alexnet(weights=None)  # drawn by chance: the order below holds for any filters
    monkeypatch.setattr(models, "alexnet", lambda weights: made)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    network, _ = picture.Lpips.find()
    assert network is not None
    noise = np.random.default_rng(0).normal(0, 1, face.shape)
    little, much = (np.clip(face + k * noise, 0, 255).astype(np.uint8) for k in (5, 40))
    assert network.distance(face, face) == pytest.approx(0, abs=1e-6)
    assert 0 < network.distance(face, little) < network.distance(face, much)


def test_equal_pictures_have_the_highest_psnr_and_noise_a_known_one(face: Picture) -> None:
    grey = np.full((64, 64, 3), 100, np.uint8)
    assert picture.psnr(face, face) == 100
    # 10 levels off everywhere: 20 log10(255 / 10)
    assert picture.psnr(grey, grey + np.uint8(10)) == pytest.approx(28.13, abs=0.01)
