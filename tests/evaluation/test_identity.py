from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from retarget.evaluation import identity
from retarget.evaluation.catalog import Sheet
from retarget.evaluation.dlib_face import DlibEstimator
from retarget.evaluation.observe import Estimators, face_sample, observe
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.values import FaceSample, Observed
from tests.evaluation.conftest import Picture, write_clip


@pytest.fixture(scope="module")
def photo(face: Picture, estimators: Estimators) -> FaceSample:
    points = DlibEstimator(estimators.dlib).read(face)
    assert points is not None
    return face_sample(face, points, estimators)


def values(sheet: Sheet) -> dict[str, float | None]:
    return {key: found[0] for key, found in sheet.found.items()}


def test_a_moving_face_stays_the_person_of_its_photo(
    seen: dict[str, Observed], photo: FaceSample
) -> None:
    sheet = Sheet()
    identity.measure(seen["driving"].faces, photo, sheet)
    found = values(sheet)
    assert found["identity.dlib_same"] == 100
    assert found["identity.dlib_distance"] is not None
    assert 0 < found["identity.dlib_distance"] < 0.4


def test_another_person_is_not_the_person_of_the_photo(
    tmp_path: Path, other_face: Picture, estimators: Estimators, photo: FaceSample
) -> None:
    other = observe(
        write_clip(tmp_path / "other.mp4", [other_face] * 4), estimators, sample_faces=True
    )
    sheet = Sheet()
    identity.measure(other.faces, photo, sheet)
    found = values(sheet)
    assert found["identity.dlib_same"] == 0
    assert found["identity.dlib_distance"] is not None
    assert found["identity.dlib_distance"] > 0.6


def test_arcface_that_is_absent_is_said_to_be_absent(
    seen: dict[str, Observed], photo: FaceSample
) -> None:
    sheet = Sheet()
    identity.measure(seen["driving"].faces, replace(photo, arcface=None), sheet)
    value, why = sheet.found["identity.arcface"]
    assert value is None
    assert "ArcFace" in why


def test_arcface_is_the_mean_cosine(photo: FaceSample) -> None:
    one, between = np.array([1.0, 0.0]), np.array([0.6, 0.8])
    samples = [replace(photo, arcface=one), replace(photo, arcface=between)]
    sheet = Sheet()
    identity.measure(samples, replace(photo, arcface=one), sheet)
    assert sheet.found["identity.arcface"][0] == pytest.approx(0.8)


def test_an_arcface_network_at_hand_reads_every_sample(
    clips: dict[str, Path], face: Picture, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime", reason="ArcFace needs retarget[diffusion]")
    pytest.importorskip("diffusers", reason="its test network is made with retarget[diffusion]")
    from tests.generate.diffusion import tiny

    tiny.write_recogniser(tmp_path / "arcface.onnx")
    settings = EvaluateSettings(measure=("identity",), arcface=tmp_path / "arcface.onnx", faces=2)
    estimators = Estimators(settings)
    points = DlibEstimator(estimators.dlib).read(face)
    assert points is not None
    photo = face_sample(face, points, estimators)
    assert photo.arcface is not None
    assert np.linalg.norm(photo.arcface) == pytest.approx(1)
    told = {}
    for name in ("frozen", "half"):
        sheet = Sheet()
        identity.measure(observe(clips[name], estimators, sample_faces=True).faces, photo, sheet)
        told[name] = sheet.found["identity.arcface"][0]
    assert told["frozen"] == pytest.approx(1, abs=0.02)
    assert told["half"] is not None
    assert told["half"] < told["frozen"]


@pytest.mark.parametrize(
    ("follows", "distance", "together"), [(0.8, 0.2, 0.8), (0.0, 0.0, 0.0), (1.0, 0.5, 2 / 3)]
)
def test_expression_and_identity_count_together(
    follows: float, distance: float, together: float
) -> None:
    sheet = Sheet()
    sheet.put("expression.correlation", follows)
    sheet.put("identity.dlib_distance", distance)
    identity.together(sheet)
    assert sheet.found["expression.hes"][0] == pytest.approx(together)


def test_samples_are_spread_over_the_whole_clip(seen: dict[str, Observed]) -> None:
    places = [s.index for s in seen["driving"].faces]
    assert 4 <= len(places) < 8
    assert places[0] == 0
    assert places[-1] >= 36 - 36 // 4
