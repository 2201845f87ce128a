"""AED and APD: sums of known numbers, and readings by random weights in the published layout."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from retarget.evaluation import expression
from retarget.evaluation.catalog import Sheet
from retarget.evaluation.observe import Estimators, observe
from retarget.evaluation.pairs import pair
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.values import Observed
from tests.evaluation.conftest import COUNT

KEYS = ("expression.aed", "expression.apd")


def distances(driving: Observed, result: Observed) -> list[float | None]:
    sheet = Sheet()
    expression.measure(driving, result, pair(driving, result), 0.05, sheet)
    return [sheet.found[key][0] for key in KEYS]


def known(seen: Observed, expression_by: float, pose_by: float) -> Observed:
    rng = np.random.default_rng(4)
    return replace(
        seen,
        smirk=rng.normal(size=(COUNT, 55)) + expression_by,
        smirk_pose=rng.normal(size=(COUNT, 3)) + pose_by,
    )


def test_both_are_the_mean_difference_of_all_their_numbers(seen: dict[str, Observed]) -> None:
    driving = known(seen["driving"], 0.0, 0.0)
    assert distances(driving, driving) == [0.0, 0.0]
    assert distances(driving, known(seen["driving"], -0.3, 0.1)) == pytest.approx([0.3, 0.1])


def test_a_jaw_that_is_left_shut_counts_as_one_number_of_55(seen: dict[str, Observed]) -> None:
    driving = known(seen["driving"], 0.0, 0.0)
    assert driving.smirk is not None
    shut = driving.smirk.copy()
    shut[:, 52] -= 0.55
    assert distances(driving, replace(driving, smirk=shut)) == pytest.approx([0.01, 0.0])


def test_without_the_file_it_is_said_how_to_get_it(seen: dict[str, Observed]) -> None:
    sheet, driving = Sheet(), seen["driving"]
    expression.measure(driving, driving, pair(driving, driving), 0.05, sheet)
    for key in KEYS:
        value, why = sheet.found[key]
        assert value is None
        assert "retarget models pull smirk" in why


@pytest.fixture(scope="module")
def read(
    clips: dict[str, Path], bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Observed]:
    """Clips read by networks of the published names and shapes, with weights drawn by chance."""
    pytest.importorskip("diffusers", reason="SMIRK needs retarget[diffusion]")
    from tests.generate.diffusion import tiny

    file = tmp_path_factory.mktemp("smirk") / "SMIRK_em1.pt"
    tiny.write_smirk(file)
    estimators = Estimators(EvaluateSettings(landmarker=bundle, smirk=file, faces=1))
    return {
        name: observe(clips[name], estimators, sample_faces=False)
        for name in ("driving", "frozen", "half")
    }


def test_read_off_pictures_an_equal_clip_is_no_distance_away_and_others_are(
    read: dict[str, Observed],
) -> None:
    driving = read["driving"]
    assert driving.smirk is not None
    assert driving.smirk.shape == (COUNT, 55)
    assert distances(driving, driving) == [0.0, 0.0]
    frozen, half = (distances(driving, read[name]) for name in ("frozen", "half"))
    assert all(d is not None and d > 0 for d in (*frozen, *half))
    assert frozen[0] is not None and half[0] is not None
    assert half[0] < frozen[0]
