"""With MediaPipe's bundle at hand: scores, gaze and head on known cases; and the scores' maths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from retarget.evaluation import channels, expression
from retarget.evaluation.catalog import Sheet
from retarget.evaluation.observe import Estimators, observe
from retarget.evaluation.pairs import pair
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.tasks_face import LOOKS, ReadingNoise, TasksEstimator, TasksFace
from retarget.evaluation.values import Observed
from retarget.flow import blendshapes
from tests.evaluation.conftest import Picture


@pytest.fixture(scope="module")
def read(clips: dict[str, Path], bundle: Path) -> Callable[[str], Observed]:
    estimators = Estimators(EvaluateSettings(landmarker=bundle))
    found: dict[str, Observed] = {}

    def one(name: str) -> Observed:
        if name not in found:
            found[name] = observe(clips[name], estimators, sample_faces=False)
        return found[name]

    return one


def sheet_of(driving: Observed, result: Observed) -> dict[str, float | None]:
    sheet = Sheet()
    expression.measure(driving, result, pair(driving, result), 0.05, sheet)
    return {key: found[0] for key, found in sheet.found.items()}


def test_the_same_clip_has_no_difference(read: Callable[[str], Observed]) -> None:
    found = sheet_of(read("driving"), read("driving"))
    assert found["expression.l1"] == found["expression.l1_corrected"] == 0
    assert found["expression.correlation"] == pytest.approx(1)
    assert found["expression.gaze"] == pytest.approx(0, abs=1e-4)
    assert found["expression.pose"] == pytest.approx(0, abs=1e-4)


def test_frozen_and_shuffled_clips_do_not_follow(read: Callable[[str], Observed]) -> None:
    for name in ("frozen", "shuffled"):
        found = sheet_of(read("driving"), read(name))
        assert found["expression.correlation"] is not None
        assert found["expression.correlation"] < 0.4
        assert found["expression.l1"] is not None
        assert found["expression.l1"] > 0.02


def test_a_mouth_that_opens_half_as_far_shows_in_the_jaw(read: Callable[[str], Observed]) -> None:
    driving, half = read("driving"), read("half")
    assert driving.scores is not None
    assert half.scores is not None
    jaw = blendshapes.index("jawOpen")
    widest = np.argmax(driving.scores[:, jaw])
    assert half.scores[widest, jaw] < 0.8 * driving.scores[widest, jaw]


def test_a_turned_picture_rolls_the_head_by_as_much(face: Picture, bundle: Path) -> None:
    import cv2

    side = face.shape[0]
    with TasksEstimator(bundle) as estimator:
        upright = estimator.read(face)
        # OpenCV turns counter-clockwise: the crown leans to the picture's left
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), 12, 1.0)
        leaning = estimator.read(np.asarray(cv2.warpAffine(face, turn, (side, side))))
    assert upright is not None
    assert leaning is not None
    assert leaning.pose[2] - upright.pose[2] == pytest.approx(-12, abs=2)


def test_a_mirrored_picture_turns_the_other_way(face: Picture, bundle: Path) -> None:
    with TasksEstimator(bundle) as estimator:
        seen, mirrored = (estimator.read(p) for p in (face, face[:, ::-1]))
    assert seen is not None
    assert mirrored is not None
    assert mirrored.pose[0] == pytest.approx(-seen.pose[0], abs=2)
    assert mirrored.pose[1] == pytest.approx(seen.pose[1], abs=2)
    assert mirrored.gaze[0] == pytest.approx(-seen.gaze[0], abs=4)


def test_a_picture_without_a_face_has_no_scores(bundle: Path) -> None:
    with TasksEstimator(bundle) as estimator:
        assert estimator.read(np.full((120, 160, 3), 90, np.uint8)) is None


def test_the_grain_of_a_large_face_is_no_tremble(face: Picture, bundle: Path) -> None:
    """Sampled without a filter, grain would move points that stay in place where it is averaged."""
    import cv2

    large = cv2.resize(face, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC).astype(float)
    random = np.random.default_rng(0)
    grainy = [large + random.normal(0, 30, large.shape) for _ in range(8)]
    pictures = [np.clip(picture, 0, 255).astype(np.uint8) for picture in grainy]
    size = face.shape[1::-1]
    small = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures]

    def tremble(shown: list[Picture]) -> float:
        """Standard deviation of points relative to the face."""
        seen = [estimator.read(picture) for picture in shown]
        points = np.array([one.points for one in seen if one is not None])
        assert len(points) == len(shown)
        return float((points.std(axis=0) / np.ptp(points, axis=1).mean()).mean())

    with TasksEstimator(bundle) as estimator:
        assert tremble(pictures) < 1.3 * tremble(small)


def test_looks_at_a_turned_face_agree_where_it_is(face: Picture, bundle: Path) -> None:
    """Each look is cut out shifted, scaled and turned; its points must come back in place."""
    with TasksEstimator(bundle) as estimator:
        seen = estimator.read(face)
        whole = estimator._look(face)
    assert seen is not None
    assert whole is not None
    assert len(seen.looks) == LOOKS
    np.testing.assert_allclose(seen.scores, seen.looks.mean(axis=0))
    width = float(np.ptp(whole.points[:, 0]))
    apart = np.linalg.norm(seen.points - whole.points[:, :2], axis=1)
    assert apart.mean() < 0.02 * width


def test_the_noise_of_the_mean_is_that_of_one_look_over_the_root_of_their_number() -> None:
    rng = np.random.default_rng(0)
    noise = ReadingNoise()
    assert noise.of_the_mean() is None
    offset = rng.normal(0, 0.1, (LOOKS, 52))  # each look's own, the same in every frame
    for _ in range(500):
        looks = rng.uniform() + offset + rng.normal(0, 0.03, (LOOKS, 52))
        noise.add(made_face(looks))
    noise.add(made_face(np.zeros((LOOKS - 1, 52))))  # a look that failed says nothing
    found = noise.of_the_mean()
    assert found is not None
    np.testing.assert_allclose(found, 0.03 / LOOKS**0.5, rtol=0.15)


def made_face(looks: npt.NDArray[np.float64]) -> TasksFace:
    nothing = np.zeros(2)
    return TasksFace(
        scores=looks.mean(axis=0),
        points=np.zeros((478, 2)),
        gaze=nothing,
        pose=nothing,
        looks=looks,
    )


def test_what_is_attainable_is_what_a_perfect_follower_gets() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(0, 0.1, (4000, 3))
    of_driving, of_result = np.array([0.0, 0.05, 0.1]), np.array([0.02, 0.1, 0.0])
    driving = true + of_driving * rng.normal(size=true.shape)
    result = true + of_result * rng.normal(size=true.shape)
    most = channels.attainable(driving, of_driving, of_result)
    got = [channels.correlation(driving[:, k], result[:, k]) for k in range(3)]
    np.testing.assert_allclose(most, got, atol=0.03)
    assert channels.attainable(np.ones((9, 1)), np.array([0.1]), np.array([0.1])) == 0


def test_a_channel_that_only_turns_with_the_head_is_told_from_one_that_does_not() -> None:
    rng = np.random.default_rng(0)
    pose = rng.normal(0, 5, (300, 3))
    leak = 0.02 * pose[:, 0] - 0.01 * pose[:, 2]
    own = rng.normal(0, 0.1, 300)
    driving = np.stack([leak, own, leak + rng.normal(0, leak.std(), 300)], axis=1)
    pose[:4] = np.nan
    share = channels.head_share(driving, pose)
    np.testing.assert_allclose(share, [1.0, 0.0, 0.5], atol=0.08)
    assert np.isnan(channels.head_share(driving[:5], pose[:5])).all()


def test_a_channel_that_spans_hardly_more_than_its_noise_is_not_active() -> None:
    driving = np.random.default_rng(0).normal(0, 0.1, (500, 2))
    noise = np.array([0.01, 0.09]), np.zeros(2)
    told = channels.channels(("clear", "noise"), driving, driving, 0.05, "made up", noise=noise)
    assert [c.active for c in told] == [True, False]


def test_rest_is_removed_from_both_at_the_same_moments() -> None:
    time = np.linspace(0, 1, 60)
    driving = np.stack([np.clip(np.sin(6 * time), 0, 1)] * 3, axis=1)
    smiling = driving + 0.3  # the same movement on a face that smiles at rest
    d, r = channels.without_rest(driving, smiling)
    np.testing.assert_allclose(d, r, atol=1e-12)


@pytest.mark.parametrize("key", ["expression.gaze", "expression.pose"])
def test_a_misread_moment_of_a_turning_face_does_not_spoil_the_others(
    seen: dict[str, Observed], key: str
) -> None:
    """It may well be the one at which it turns the farthest."""
    turns = np.linspace(-10, 10, 101)
    driving = replace(
        seen["driving"],
        times=np.arange(101) / 25,
        scores=None,
        ratios=np.zeros((101, 7)),
        gaze=np.stack([turns, 0 * turns], axis=1),
        pose=np.stack([turns, 0 * turns, 0 * turns], axis=1),
    )
    misread = turns + np.where(turns < -8, 30.0, 0.0)
    result = replace(
        driving,
        gaze=np.stack([misread, 0 * turns], axis=1),
        pose=np.stack([misread, 0 * turns, 0 * turns], axis=1),
    )
    assert sheet_of(driving, result)[key] == pytest.approx(30 * 0.1, abs=0.5)


def test_gain_and_correlation_of_half_a_movement_upside_down() -> None:
    driving = np.sin(np.linspace(0, 9, 80))
    assert channels.gain(driving, -0.5 * driving + 2) == pytest.approx(-0.5)
    assert channels.correlation(driving, -0.5 * driving + 2) == pytest.approx(-1)
    assert channels.correlation(driving, np.full(80, 0.4)) == 0


def test_a_channel_is_active_from_the_span_that_was_said() -> None:
    still, moving = np.full((100, 1), 0.2), np.linspace(0, 0.1, 100)[:, None]
    driving = np.concatenate([still, moving], axis=1)
    names = ("still", "moving")
    told = channels.channels(names, driving, driving, 0.05, "made up")
    assert [c.active for c in told] == [False, True]
    told = channels.channels(names, driving, driving, 0.095, "made up")
    assert [c.active for c in told] == [False, False]
