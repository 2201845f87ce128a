"""A set of stimuli is measured against what was commanded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers
from PIL import Image

from retarget.cli.main import main
from retarget.evaluation.stimuli import (
    Shown,
    along,
    follows,
    largest,
    main_channels,
    movement,
)
from retarget.flow import blendshapes
from retarget.flow.face_model import face_model
from tests.evaluation.conftest import Picture
from tests.outside import bundle

SMILE = blendshapes.weights({"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "jawOpen": 0.2})


@given(share=floats(0, 1.5), turn=floats(-0.5, 0.5), scale=floats(40, 400))
def test_points_that_make_a_share_of_the_movement_are_read_as_that_share(
    share: float, turn: float, scale: float
) -> None:
    model = face_model()
    turned = np.array([[np.cos(turn), 0], [0, 1], [np.sin(turn), 0]]) * scale
    rest = model.neutral @ turned + 7
    moved = rest + share * (model.displacement(SMILE) @ turned)
    points = np.stack([rest, rest, moved])
    found = movement(points, SMILE.astype(float), range(478), 2)
    np.testing.assert_allclose(found, [0, 0, share], atol=1e-4)


def test_a_reader_tells_nothing_of_what_it_cannot_see() -> None:
    model, lips = face_model(), [13, 14, 61, 291]
    points = np.stack([100 * model.neutral[lips, :2]] * 3)
    aside = blendshapes.weights({"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}).astype(float)
    puffed = blendshapes.weights({"cheekPuff": 1.0}).astype(float)
    for calm in (movement(points, 0 * aside, lips, 2), along(np.zeros((3, 52)), 0 * aside)):
        np.testing.assert_array_equal(calm, 0)
    for blind in (movement(points, aside, lips, 2), along(np.zeros((3, 52)), puffed)):
        assert np.isnan(blind).all()


def test_main_channels_are_the_strong_ones_that_scores_can_tell() -> None:
    commanded = blendshapes.weights(
        {"cheekSquintLeft": 1.0, "mouthSmileLeft": 0.8, "mouthSmileRight": 0.6, "jawOpen": 0.3}
    )
    names = [blendshapes.NAMES[i] for i in main_channels(commanded.astype(float))]
    assert names == ["mouthSmileLeft", "mouthSmileRight"]


@given(apex=integers(6, 18), seed=integers(0, 50))
def test_the_largest_moment_is_found_through_tremble(apex: int, seed: int) -> None:
    frames = np.arange(25)
    curve = np.exp(-(((frames - apex) / 3.0) ** 2))
    curve = curve + np.random.default_rng(seed).normal(0, 0.01, 25)
    assert abs(largest(curve, apex - 5, apex + 5) - apex) <= 1


def shown(identity: str, intensity: float, strength: float) -> Shown:
    return Shown(
        identity=identity,
        expression="joy",
        intensity=intensity,
        pace="80/40/80",
        strength={"scores": strength},
        apex_off={"scores": 0},
        same_person=True,
    )


def test_each_face_is_correlated_by_itself() -> None:
    even = [shown("a", i, 0.5 * i) for i in (0.25, 0.5, 0.75, 1.0)]
    late = [shown("b", i, float(i == 1.0)) for i in (0.25, 0.5, 0.75, 1.0)]
    (told,) = follows([*even, *late])
    late_only = np.corrcoef([0, 0.25, 0.5, 0.75, 1], [0, 0, 0, 0, 1])[0, 1]
    assert told.correlation == pytest.approx((1 + late_only) / 2)
    assert (told.below, told.faces) == (1, 2)
    assert told.strength == pytest.approx(0.75)


def test_a_drawn_set_follows_what_was_commanded(
    face: Picture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = ["--models", str(bundle().parent)]
    Image.fromarray(face).save(tmp_path / "face.png")
    (tmp_path / "set.toml").write_text(
        'identities = ["face.png"]\nexpressions = ["surprise"]\nintensities = [0.5, 1.0]\n'
        "durations = [[80, 80, 80]]\nrate = 50\nsize = 256\nbefore_ms = 60\nafter_ms = 60\n"
    )
    assert main(["micro", "--set", str(tmp_path / "set.toml"), "-o", str(tmp_path / "out")]) == 0
    figures = tmp_path / "told.json"
    words = ["evaluate", "--stimuli", str(tmp_path / "out"), "--json", str(figures), *models]
    assert main(words) == 0
    assert "apex by mesh: 2 of 2" in capsys.readouterr().out
    told = json.loads(figures.read_text())["follows"]
    assert min(f["correlation"] for f in told if f["reader"] in ("mesh", "dlib")) > 0.95


def test_a_folder_that_is_no_set_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = "table,file,apex_frame,intensity\na.csv,a.mp4,0,1\n"
    (tmp_path / "a.csv").write_text("frame,browDownLeft,browDownRight\n0,0.2")  # cut off
    for made in (None, "clip,file,table\n", whole):
        if made is not None:
            (tmp_path / "manifest.csv").write_text(made)
        assert main(["evaluate", "--stimuli", str(tmp_path)]) == 1
        assert "not a finished set" in capsys.readouterr().err
