"""Weights mean what animators expect."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from retarget.expression.fit import Fit
from retarget.expression.rest import find_rest
from retarget.expression.settings import FitSettings, RestSettings
from retarget.expression.solve import BoxSolver
from retarget.flow import blendshapes, landmarks
from retarget.flow.values import Expression, Face
from tests.expression.acting import face, person, pose, tracked

AS_IT_IS = RestSettings(certainty=0.0)


def fitted(does: dict[str, float], who: int = 1, **turn: float) -> Expression:
    mesh = person(who)
    rest = find_rest(tracked([face(mesh)]), AS_IT_IS)
    expression, _ = Fit(rest, FitSettings()).express(face(mesh, does, pose(**turn)))
    return expression


def said(expression: Expression, name: str) -> float:
    return float(expression.weights[blendshapes.index(name)])


@pytest.mark.parametrize(
    ("does", "also"),
    [
        ({"mouthSmileLeft": 0.7, "mouthSmileRight": 0.7}, ("jawOpen", "mouthStretchLeft")),
        ({"jawOpen": 0.6}, ("mouthFunnel", "mouthLowerDownLeft", "mouthStretchLeft")),
        ({"browInnerUp": 0.6}, ("browOuterUpLeft", "jawOpen")),
        ({"browDownLeft": 0.7, "browDownRight": 0.7}, ("eyeSquintLeft", "mouthFrownLeft")),
        ({"mouthPucker": 0.8}, ("jawOpen", "mouthSmileLeft")),
        ({"jawLeft": 0.7}, ("jawRight", "mouthRight")),
    ],
)
@pytest.mark.parametrize("who", [1, 2])
def test_what_a_face_does_is_named_and_little_else(
    does: dict[str, float], also: tuple[str, ...], who: int
) -> None:
    found = fitted(does, who)
    for name, value in does.items():
        assert said(found, name) == pytest.approx(value, abs=0.25)
        for other in also:
            assert said(found, other) < 0.35 * value


def test_a_face_at_rest_does_nothing() -> None:
    assert fitted({}).weights.max() < 0.05


@pytest.mark.parametrize("turn", [{"yaw": 25.0}, {"pitch": -15.0}, {"roll": 20.0}])
def test_turning_the_head_is_pose_and_not_a_smile(turn: dict[str, float]) -> None:
    still = fitted({}, **turn)
    mouth = [i for i, n in enumerate(blendshapes.NAMES) if n.startswith("mouthSmile")]
    assert still.weights[mouth].max() < 0.15
    assert said(fitted({"jawOpen": 0.6}, **turn), "jawOpen") == pytest.approx(0.6, abs=0.25)


@pytest.mark.parametrize("pitch", [-20.0, 0.0, 20.0])
def test_lips_that_touch_in_the_picture_touch_whatever_depth_is_guessed(pitch: float) -> None:
    mesh = person(1)
    rest = find_rest(tracked([face(mesh)]), AS_IT_IS)
    nodding = face(mesh, {}, pose(pitch=pitch))
    points = nodding.points.copy()
    upper, lower = list(landmarks.LIPS_INNER_UPPER), list(landmarks.LIPS_INNER_LOWER)
    points[lower, :2] = points[upper, :2]
    points[lower, 2] = points[upper, 2] + 0.08 * nodding.eye_distance
    measured = Fit(rest, FitSettings()).express(Face(points=points))[0].measured
    assert measured is not None
    assert measured.lip_gap < 0.004


def test_weights_and_detail_together_are_the_measured_mesh() -> None:
    from retarget.flow.face_model import face_model

    mesh = person(3)
    rest = find_rest(tracked([face(mesh)]), AS_IT_IS)
    found, where = Fit(rest, FitSettings()).express(face(mesh, {"mouthFunnel": 0.5}))
    assert found.measured is not None and found.measured.detail is not None
    drawn = rest.head + face_model().displacement(found.weights) + found.measured.detail
    lips = list(range(0, 20))
    wanted = face(mesh, {"mouthFunnel": 0.5}).points[lips]
    np.testing.assert_allclose(where.to_picture(drawn)[lips], wanted, atol=0.6)


@pytest.mark.parametrize("name", ["eyeLookOutLeft", "eyeLookUpLeft", "eyeLookInRight"])
def test_gaze_is_read_in_degrees(name: str) -> None:
    from retarget.flow.gaze import GAZE_DEGREES

    does = {name: 0.5}
    if "Up" in name:  # as eyes do: both
        does["eyeLookUpRight"] = 0.5
    found = fitted(does)
    row = 0 if name.endswith("Left") else 1
    assert found.measured is not None
    column = 1 if "Up" in name else 0
    degrees = abs(float(found.measured.gaze[row, column]))
    direction = name.removeprefix("eyeLook").removesuffix("Left").removesuffix("Right")
    assert degrees == pytest.approx(GAZE_DEGREES[direction] * 0.5, abs=3.0)
    assert said(found, name) == pytest.approx(0.5, abs=0.15)


def test_both_eyes_look_equally_far_up_whatever_one_iris_says() -> None:
    found = fitted({"eyeLookUpLeft": 0.6, "eyeLookUpRight": 0.2}).measured
    both = fitted({"eyeLookUpLeft": 0.4, "eyeLookUpRight": 0.4}).measured
    assert found is not None and both is not None
    assert found.gaze[0, 1] == pytest.approx(found.gaze[1, 1], abs=0.1)
    assert found.gaze[0, 1] == pytest.approx(both.gaze[0, 1], abs=1.0)


def test_eyes_may_cross_but_never_part() -> None:
    """No human eye turns outwards from what the other one looks at."""
    parted, left, crossed = (
        fitted(dict.fromkeys(names, 1.0)).measured
        for names in [
            ("eyeLookOutLeft", "eyeLookOutRight"),
            ("eyeLookOutLeft", "eyeLookInRight"),
            ("eyeLookInLeft", "eyeLookInRight"),
        ]
    )
    assert parted is not None and left is not None and crossed is not None
    assert np.ptp(parted.gaze[:, 0]) < 20
    np.testing.assert_allclose(left.gaze[:, 0], 32, atol=6)
    np.testing.assert_allclose(crossed.gaze[:, 0], [-32, 32], atol=6)


def test_an_open_eye_tells_how_far_up_a_shut_one_looks() -> None:
    wink = fitted({"eyeLookUpLeft": 0.5, "eyeLookUpRight": 0.5, "eyeBlinkRight": 1.0}).measured
    both = fitted({"eyeLookUpLeft": 0.5, "eyeLookUpRight": 0.5}).measured
    assert wink is not None and both is not None
    assert wink.gaze[0, 1] == pytest.approx(both.gaze[0, 1], abs=1.0)


def test_one_eye_winks_alone_and_the_other_stays_as_it_was() -> None:
    wink = fitted({"eyeBlinkRight": 1.0}).measured
    assert wink is not None
    assert wink.aperture[0] == pytest.approx(1.0, abs=0.06)
    assert wink.aperture[1] < 0.08


def test_lids_that_differ_a_little_or_open_wide_do_so_together() -> None:
    for does in ({"eyeBlinkRight": 0.15}, {"eyeWideLeft": 0.8}):
        apart = fitted(does).measured
        assert apart is not None
        assert apart.aperture[0] == pytest.approx(apart.aperture[1], abs=0.02)


def test_a_mesh_never_says_that_the_tongue_is_out() -> None:
    assert said(fitted({"tongueOut": 1.0}), "tongueOut") == 0.0
    assert said(fitted({"mouthSmileLeft": 0.8, "mouthLowerDownLeft": 0.7}), "tongueOut") == 0.0


def test_a_shut_eye_is_a_blink_with_no_aperture_and_keeps_the_gaze_before() -> None:
    mesh = person(4)
    fit = Fit(find_rest(tracked([face(mesh)]), AS_IT_IS), FitSettings())
    aside = {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5}
    frames = list(
        fit(iter(tracked([face(mesh, aside), face(mesh, {"eyeBlinkLeft": 1, "eyeBlinkRight": 1})])))
    )
    before, shut = (f.expression.measured for f in frames)  # type: ignore[union-attr]
    assert before is not None and shut is not None
    assert shut.aperture.max() < 0.12
    assert said(frames[1].expression, "eyeBlinkLeft") > 0.85  # type: ignore[arg-type]
    np.testing.assert_allclose(shut.gaze[:, 0], before.gaze[:, 0], atol=2.0)


def test_a_frame_without_a_face_has_no_expression_and_keeps_its_place() -> None:
    mesh = person(1)
    frames = tracked([face(mesh), None, face(mesh)])
    out = list(Fit(find_rest(frames, AS_IT_IS), FitSettings())(iter(frames)))
    assert [f.index for f in out] == [0, 1, 2]
    assert [f.expression is None for f in out] == [False, True, False]


def test_scores_are_leant_on_only_when_asked() -> None:
    from dataclasses import replace

    mesh = person(1)
    rest = find_rest(tracked([face(mesh)]), AS_IT_IS)
    scored = replace(face(mesh), scores=blendshapes.weights({"cheekPuff": 0.8}))
    plain, _ = Fit(rest, FitSettings()).express(scored)
    leant, _ = Fit(rest, FitSettings(prior="scores")).express(scored)
    assert said(leant, "cheekPuff") > said(plain, "cheekPuff") + 0.02


@pytest.mark.parametrize("seed", range(5))
def test_the_solver_finds_the_best_weights_within_bounds(seed: int) -> None:
    random = np.random.default_rng(seed)
    table = random.normal(size=(40, 20)) * random.uniform(0.01, 1, 20)
    target = random.normal(size=40)
    gram = table.T @ table + 1e-4 * np.eye(20)
    low, high = np.zeros(20), np.ones(20)
    found = BoxSolver(gram, low, high)(table.T @ target, random.uniform(0, 1, 20))
    padded = np.vstack([table, 1e-2 * np.eye(20)])
    best = lsq_linear(padded, np.r_[target, np.zeros(20)], (0, 1), tol=1e-14).x
    np.testing.assert_allclose(found, best, atol=1e-4)
