"""Weights mean what animators expect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats
from scipy.optimize import lsq_linear

from retarget.expression.fit import Fit, eye_weights, in_head_frame, together
from retarget.expression.mesh_reading import correction
from retarget.expression.rest import find_rest
from retarget.expression.settings import FitSettings, RestSettings
from retarget.expression.solve import BoxSolver
from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import face_model, pose_terms
from retarget.flow.gaze import GAZE_DEGREES
from retarget.flow.values import Expression, Face, RestFace, TrackedFrame
from tests.expression.acting import face, mirrored, mirrored_weights, person, pose, tracked

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


def test_a_face_in_a_mirror_does_the_same_on_the_other_side() -> None:
    does = {"mouthSmileLeft": 0.6, "browOuterUpLeft": 0.5, "jawRight": 0.3, "jawOpen": 0.3,
            "eyeBlinkRight": 0.9, "eyeLookOutLeft": 0.4, "eyeLookInRight": 0.4}  # fmt: skip
    who = person(1)
    shown = face(who, does, pose(yaw=12, pitch=-5, roll=8))
    opposite = {blendshapes.mirrored(name): value for name, value in does.items()}
    in_glass = face(mirrored(who), opposite, pose(yaw=-12, pitch=-5, roll=-8))
    rest, other_rest = (find_rest(tracked([face(mesh)])) for mesh in (who, mirrored(who)))
    np.testing.assert_allclose(rest.head, mirrored(other_rest.head), atol=1e-5)
    one, there = Fit(rest, FitSettings()).express(shown)
    other, beyond = Fit(other_rest, FitSettings()).express(in_glass)
    np.testing.assert_allclose(one.weights, mirrored_weights(other.weights), atol=1e-4)
    assert there.angles == pytest.approx(np.multiply(beyond.angles, (-1, 1, -1)), abs=1e-3)
    seen, too = one.measured, other.measured
    assert seen is not None
    assert too is not None
    np.testing.assert_allclose(seen.gaze, too.gaze[::-1] * (-1, 1), atol=1e-3)
    np.testing.assert_allclose(seen.aperture, too.aperture[::-1], atol=1e-4)
    np.testing.assert_allclose(seen.detail, mirrored(too.detail), atol=1e-4)


@pytest.mark.parametrize(
    ("does", "value"),
    [
        ("Blink", 0.5),
        ("Blink", 0.9),
        ("LookDown", 0.6),
        ("LookDown", 1.0),
        ("Wide", 0.3),
        ("Wide", 0.6),
    ],
)
def test_lids_say_how_far_they_are_shut_wide_or_only_follow_the_gaze(
    does: str, value: float
) -> None:
    found = fitted({f"eye{does}{side}": value for side in ("Left", "Right")})
    for name in ("Blink", "LookDown", "Wide"):
        wanted = value if name == does else 0.0
        assert said(found, f"eye{name}Left") == pytest.approx(wanted, abs=0.12)
    assert found.measured is not None
    if does == "Blink":
        np.testing.assert_allclose(found.measured.aperture, 1.0 - value, atol=0.08)


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


def test_lips_are_farther_apart_by_what_the_jaw_has_drawn_them() -> None:
    upper, lower = landmarks.LIPS_INNER_UPPER[5], landmarks.LIPS_INNER_LOWER[5]
    drawn = face_model().displacement(blendshapes.weights({"jawOpen": 0.6}))
    open_, shut = fitted({"jawOpen": 0.6}).measured, fitted({}).measured
    assert open_ is not None and shut is not None
    parted = (drawn[lower] - drawn[upper])[1]
    assert open_.lip_gap - shut.lip_gap == pytest.approx(parted, rel=0.1)


def test_weights_and_detail_together_are_the_measured_mesh_and_what_it_leaves_untold() -> None:
    mesh = person(3)
    rest = find_rest(tracked([face(mesh)]), AS_IT_IS)
    found, where = Fit(rest, FitSettings()).express(face(mesh, {"mouthFunnel": 0.5}))
    assert found.measured is not None
    drawn = rest.head + face_model().displacement(found.weights) + found.measured.detail
    head, _ = in_head_frame(face(mesh, {"mouthFunnel": 0.5}), rest.head, face_model())
    drawn -= correction(head - rest.head)
    lips = list(range(0, 20))
    wanted = face(mesh, {"mouthFunnel": 0.5}).points[lips]
    np.testing.assert_allclose(where.to_picture(drawn)[lips], wanted, atol=0.6)


_TOGETHER = {
    "eyeLookOutLeft": "eyeLookInRight", "eyeLookUpLeft": "eyeLookUpRight",
    "eyeLookInRight": "eyeLookOutLeft",
}  # fmt: skip
"""What the other eye does along: human eyes look one way."""


@pytest.mark.parametrize("name", _TOGETHER)
def test_gaze_is_read_in_degrees(name: str) -> None:
    does = dict.fromkeys((name, _TOGETHER[name]), 0.5)
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
    assert np.ptp(parted.gaze[:, 0]) < 6
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
    assert 0 <= shut.aperture.min() <= shut.aperture.max() < 0.12
    assert said(frames[1].expression, "eyeBlinkLeft") > 0.85  # type: ignore[arg-type]
    np.testing.assert_allclose(shut.gaze[:, 0], before.gaze[:, 0], atol=2.0)


def test_a_frame_without_a_face_has_no_expression_and_keeps_its_place() -> None:
    mesh = person(1)
    frames = tracked([face(mesh), None, face(mesh)])
    out = list(Fit(find_rest(frames, AS_IT_IS), FitSettings())(iter(frames)))
    assert [f.index for f in out] == [0, 1, 2]
    assert [f.expression is None for f in out] == [False, True, False]


def test_the_more_an_eye_is_shut_the_nearer_it_keeps_to_where_it_looked_before() -> None:
    who = person(4)
    fit = Fit(find_rest(tracked([face(who)]), AS_IT_IS), FitSettings())
    before, _ = fit.express(face(who, {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5}))
    assert before.measured is not None
    looks = []
    for blink in (0.6, 0.77, 0.82, 1.0):
        shut = face(who, {"eyeBlinkLeft": blink, "eyeBlinkRight": blink})
        now, _ = fit.express(shut, before)
        assert now.measured is not None
        looks.append(now.measured.gaze[:, 0] / before.measured.gaze[:, 0])
    assert (np.diff(looks, axis=0) > 0.1).all()
    np.testing.assert_allclose(looks[0], 0.0, atol=0.1)
    np.testing.assert_allclose(looks[-1], 1.0, atol=0.01)


@given(yaw=floats(-60, 60), other=floats(-60, 60), pitch=floats(-60, 60))
def test_the_weights_of_a_look_are_the_degrees_it_was_made_of(
    yaw: float, other: float, pitch: float
) -> None:
    weights = eye_weights(np.array([[yaw, pitch], [other, pitch]]), np.ones(2))
    assert 0 <= weights.min() <= weights.max() <= 1
    named = dict(zip(blendshapes.NAMES, weights, strict=True))
    for side, aside, outward in (("Left", yaw, 1), ("Right", other, -1)):
        found = [
            GAZE_DEGREES[a] * named[f"eyeLook{a}{side}"]
            - GAZE_DEGREES[b] * named[f"eyeLook{b}{side}"]
            for a, b in (("Out", "In"), ("Up", "Down"))
        ]
        most = GAZE_DEGREES["Out"], GAZE_DEGREES["Up"]
        assert found == pytest.approx(np.clip((outward * aside, pitch), np.negative(most), most))


@given(aperture=floats(0, 2.5))
def test_an_eye_is_either_shut_by_its_share_or_wide(aperture: float) -> None:
    left, right = (
        blendshapes.named(eye_weights(np.zeros((2, 2)), np.array(lids)))
        for lids in ((aperture, 1.0), (1.0, aperture))
    )
    assert {blendshapes.mirrored(name): value for name, value in left.items()} == right
    assert max(left.values(), default=0) <= 1
    assert left.get("eyeBlinkLeft", 0.0) == pytest.approx(max(0.0, 1 - aperture))
    assert (left.get("eyeWideLeft", 0.0) > 0) == (aperture > 1)


@given(left=floats(0, 2), right=floats(0, 2))
def test_two_lids_come_nearer_to_each_other_and_never_change_places(
    left: float, right: float
) -> None:
    both = np.array([left, right])
    found = together(both)
    if both.min() > 0.4 and np.ptp(both) < 0.1:  # no wink
        np.testing.assert_allclose(found, both.mean(), atol=0.005)
    np.testing.assert_allclose(together(both[::-1]), found[::-1])
    assert both.min() - 1e-9 <= found.min() <= found.max() <= both.max() + 1e-9
    assert np.diff(found) * np.diff(both) >= 0


def test_what_a_turned_mesh_is_known_to_leak_is_taken_out_of_it() -> None:
    model = face_model()
    turned = pose(yaw=20, pitch=10)
    leak = np.tensordot(pose_terms(turned), model.leak, axes=1)
    assert np.abs(leak).max() > 0.005
    seen = Face(points=turned.to_picture(model.neutral + leak).astype(np.float32))
    head, _ = in_head_frame(seen, model.neutral, model)
    assert np.abs(head - model.neutral).max() < 0.3 * np.abs(leak).max()


@pytest.mark.parametrize("parted_by", ["a cut", "a loss"])
def test_an_eye_that_is_shut_in_a_new_shot_does_not_look_where_one_of_the_last_did(
    parted_by: str,
) -> None:
    who = person(4)
    aside = face(who, {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5})
    shut = face(who, {"eyeBlinkLeft": 1, "eyeBlinkRight": 1})
    shots = tracked([aside, shut] if parted_by == "a cut" else [aside, None, shut])
    shots[-1] = replace(shots[-1], cut=parted_by == "a cut")
    fit = Fit(find_rest(tracked([face(who)]), AS_IT_IS), FitSettings())
    *_, last = (frame.expression for frame in fit(iter(shots)))
    (alone,) = (frame.expression for frame in fit(iter(tracked([shut]))))
    assert last is not None and last.measured is not None
    assert alone is not None and alone.measured is not None
    np.testing.assert_array_equal(last.measured.gaze, alone.measured.gaze)


def test_whose_rest_it_is_is_asked_at_the_first_face_and_wherever_a_shot_begins() -> None:
    people = [find_rest(tracked([face(person(seed))]), AS_IT_IS) for seed in (1, 2, 3)]
    frames = [replace(frame, cut=False) for frame in tracked([None, *[face(person(1))] * 4])]
    frames[3] = replace(frames[3], cut=True)
    asked: list[int] = []

    def whose(frame: TrackedFrame) -> RestFace:
        asked.append(frame.frame.index)
        return people[len(asked)]

    rests = [f.rest for f in Fit(people[0], FitSettings(), whose)(iter(frames))]
    assert asked == [1, 3]
    assert rests[1:] == [people[1]] * 2 + [people[2]] * 2
    assert {f.rest for f in Fit(people[0], FitSettings())(iter(frames))} == {None}


def test_temples_that_the_tracker_moves_hardly_move_the_face() -> None:
    who = person(3)
    rest = find_rest(tracked([face(who)]), AS_IT_IS)
    temples = [landmarks.FACE_OVAL[i] for i in (-8, -7, 7, 8)]
    wrong = face(who).points.copy()
    wrong[temples, 0] *= 1.03
    moved, still = (
        Fit(rest, FitSettings()).express(Face(points=p))[0].measured
        for p in (wrong, face(who).points)
    )
    assert moved is not None
    assert still is not None
    told = np.abs(wrong - face(who).points)[temples, 0] / pose().scale
    shown = np.abs(moved.detail - still.detail)[temples, 0]
    assert (told > 0.03).all()
    assert (shown < 0.3 * told).all()


def test_the_harder_weights_are_pulled_the_smaller_they_are() -> None:
    who = person(3)
    rest = find_rest(tracked([face(who)]), AS_IT_IS)
    smiling = face(who, {"mouthSmileLeft": 0.6, "mouthSmileRight": 0.6, "mouthStretchLeft": 0.2})
    told = [
        Fit(rest, FitSettings(pull=pull)).express(smiling)[0].weights.sum()
        for pull in (0.0, 1.0, 20.0)
    ]
    assert told[0] > 1.05 * told[1] > 1.1 * told[2]


def test_scores_are_leant_on_only_when_asked() -> None:
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
