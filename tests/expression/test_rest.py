"""The rest is found although the person never rests."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from retarget.errors import NoFaceFound
from retarget.expression import measure
from retarget.expression.fit import Fit
from retarget.expression.rest import find_rest, understand
from retarget.expression.settings import FitSettings, RestSettings
from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import face_model
from retarget.flow.gaze import GAZE_DEGREES, carried, move_irises, read_gaze
from retarget.flow.values import Face, Instant, RestFace, VideoFrame
from tests.expression.acting import BLANK, face, person, pose, tracked

LIPS = sorted({*landmarks.LIPS_OUTER_UPPER, *landmarks.LIPS_OUTER_LOWER,
               *landmarks.LIPS_INNER_UPPER, *landmarks.LIPS_INNER_LOWER})  # fmt: skip


def off(rest: RestFace, who: np.ndarray) -> float:
    """How far the lips are off, in hundredths of the eye distance."""
    return float(100 * np.linalg.norm((rest.head - who)[LIPS, :2], axis=1).mean())


def talk(who: np.ndarray, always: dict[str, float] | None = None) -> list[Face]:
    """Somebody who talks all the time, perhaps with a face that is always made."""
    random = np.random.default_rng(7)
    out = []
    for _ in range(24):
        does = dict(always or {})
        does["jawOpen"] = does.get("jawOpen", 0.0) + random.uniform(0.0, 0.5)
        does["mouthFunnel"] = random.uniform(0.0, 0.4)
        out.append(face(who, does, pose(yaw=random.uniform(-8, 8))))
    return out


def test_a_talking_face_rests_with_its_mouth_closed() -> None:
    who = person(5, 0.7)
    frames = tracked(talk(who))
    rest = find_rest(frames)
    middle = np.median([f.points for f in talk(who)], axis=0)
    naive = find_rest(tracked([Face(points=middle)]), RestSettings(certainty=0.0))
    assert off(rest, who) < 3.0
    assert off(rest, who) < 0.75 * off(naive, who)


def test_one_moment_taken_for_the_person_does_not_decide_the_rest() -> None:
    who = person(5, 0.7)
    talking = talk(who, {"jawOpen": 0.4})
    raised = {"browInnerUp": 0.6, "browOuterUpLeft": 0.6, "browOuterUpRight": 0.6}
    brows = [*landmarks.LEFT_BROW, *landmarks.RIGHT_BROW]
    without, with_one = (
        find_rest(tracked(faces)).head[brows, 1]
        for faces in (talking, [face(who, raised), *talking])
    )
    lifted = face_model().displacement(blendshapes.weights(raised))[brows, 1]
    assert np.abs(with_one - without).mean() < 0.2 * np.abs(lifted).mean()


def test_a_constant_smile_is_not_taken_for_the_rest() -> None:
    who = person(6, 0.5)
    smiling = tracked(talk(who, {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}))
    believed = find_rest(smiling, RestSettings(certainty=0.0))
    judged = find_rest(smiling)
    assert off(judged, who) < 0.6 * off(believed, who)


def test_a_first_frame_that_is_not_neutral_does_not_matter() -> None:
    who = person(8, 0.7)
    frown = face(who, {"browDownLeft": 0.9, "browDownRight": 0.9, "mouthFrownLeft": 0.8})
    rest = find_rest(tracked([frown, *[face(who, {}, pose(yaw=y)) for y in range(-7, 8)]]))
    assert off(rest, who) < 2.0


def test_eyes_rest_open_although_half_the_samples_are_blinks() -> None:
    who = person(9, 0.7)
    shut = {"eyeBlinkLeft": 0.9, "eyeBlinkRight": 0.9}
    rest = find_rest(tracked([face(who, shut if i % 2 else {}) for i in range(16)]))
    alone = find_rest(tracked([face(who)]), RestSettings(certainty=0.0))
    np.testing.assert_allclose(rest.aperture, alone.aperture, rtol=0.12)


def test_where_eyes_look_while_they_blink_says_nothing_of_their_rest() -> None:
    who = person(9, 0.7)
    down = {"eyeLookDownLeft": 0.9, "eyeLookDownRight": 0.9}
    shut = [{**down, "eyeBlinkLeft": x / 20, "eyeBlinkRight": x / 20} for x in range(10, 19)]
    often = find_rest(tracked([*[face(who, does) for does in shut], *[face(who)] * 7]))
    never = find_rest(tracked([face(who)] * 7))
    np.testing.assert_allclose(often.gaze, never.gaze, atol=1.0)


def test_an_eye_that_sits_aside_in_its_corners_rests_there_and_the_other_does_not() -> None:
    mesh, steps = face_model().neutral.copy(), np.zeros((2, 2))
    steps[0] = carried(np.array([[5.0, 0.0], [0.0, 0.0]]))[0]
    move_irises(mesh, steps)
    rest, usual = find_rest(tracked([face(mesh)] * 5)), read_gaze(face_model().neutral)
    left, right = rest.gaze[:, 0] - usual[:, 0]
    assert left - right == pytest.approx(5.0, abs=1.0)


@pytest.mark.parametrize("axis", [0, 1])
def test_where_eyes_look_all_the_time_is_taken_partly_for_the_face_and_partly_for_a_gaze(
    axis: int,
) -> None:
    mesh, aside = face_model().neutral.copy(), np.zeros((2, 2))
    aside[:, axis] = 8.0
    move_irises(mesh, carried(aside))
    rest, usual = find_rest(tracked([face(mesh)] * 5)), read_gaze(face_model().neutral)
    taken = (rest.gaze - usual)[:, axis] / 8.0
    assert taken.min() > 0.25
    assert taken.max() < 0.85


def test_lips_that_touch_once_in_a_while_are_known_to_touch_at_rest() -> None:
    who = person(5, 0.7)
    pressed = {"mouthPressLeft": 0.5, "mouthPressRight": 0.5}
    talking = [face(who, {"jawOpen": jaw / 20}) for jaw in range(4, 13)]
    assert find_rest(tracked([*[face(who, pressed)] * 2, *talking])).lip_gap < 0.002
    assert find_rest(tracked(talking)).lip_gap > 0.005


def test_a_few_calm_moments_say_more_of_the_rest_than_many_lively_ones() -> None:
    who = person(6, 0.5)
    lively = [
        face(who, {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "jawOpen": jaw / 10})
        for jaw in range(1, 9)
    ]
    alone, with_calm = (find_rest(tracked(f)) for f in (lively, [*lively, *[face(who)] * 3]))
    assert off(with_calm, who) < 0.6 * off(alone, who)


def looking(turns: Sequence[float], *, at_camera: bool) -> RestFace:
    """The average face whose head turns, its eyes on the camera or straight out of the head."""
    faces = []
    for yaw in turns:
        aside = yaw / GAZE_DEGREES["In"] if at_camera else 0.0  # a head to its left, eyes to right
        does = {"eyeLookInLeft": aside, "eyeLookOutRight": aside}
        faces.append(face(person(1, 0.0), does, pose(yaw=yaw)))
    return find_rest(tracked(faces))


@pytest.mark.parametrize("at_camera", [True, False])
def test_eyes_that_keep_to_the_camera_or_to_the_head_look_ahead_at_rest(at_camera: bool) -> None:
    """Whichever of the two a clip is: the head is turned aside most of the time."""
    ahead = read_gaze(face_model().neutral)[:, 0]
    rest = looking([0.0, 4.0, 8.0, 10.0, 11.0, 11.5, 12.0, 12.5, 13.0], at_camera=at_camera)
    np.testing.assert_allclose(rest.gaze[:, 0], ahead, atol=2.0)


def test_a_mouth_that_is_always_open_is_open_against_its_rest() -> None:
    who = person(5, 0.7)
    agape = [face(who, {"jawOpen": jaw}) for jaw in (0.4, 0.45, 0.5)]
    rest = find_rest(tracked(agape))
    measured = Fit(rest, FitSettings()).express(agape[0])[0].measured
    assert measured is not None
    assert measured.lip_gap > 0.08


def test_a_given_neutral_is_taken_as_it_is() -> None:
    who = person(3)
    smile = face(who, {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}, pose(yaw=5))
    rest = find_rest(tracked([smile]), RestSettings(certainty=0.0))
    moved = who + np.zeros(1)
    assert off(rest, moved) > 2.5  # the smile stayed in it


def test_samples_without_any_face_say_so() -> None:
    with pytest.raises(NoFaceFound, match="None of the 3 frames"):
        find_rest(tracked([None, None, None]))


@pytest.mark.parametrize(
    "does",
    [
        {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8},
        {"jawOpen": 0.7},
        {"mouthSmileLeft": 0.7, "mouthSmileRight": 0.7, "jawOpen": 0.25},
    ],
)
def test_a_photo_is_understood_with_and_without_its_expression(does: dict[str, float]) -> None:
    who = person(11, 0.5)
    seen = face(who, does)
    frame = VideoFrame(rgb=BLANK, index=0, at=Instant(0, Fraction(1, 30)))
    found = understand(frame, seen)
    itself = find_rest(tracked([seen]), RestSettings(certainty=0.0))
    assert off(found.rest, who) < 0.6 * off(itself, who)
    strongest = max(does, key=lambda name: does[name])
    named = found.expression.weights[blendshapes.index(strongest)]
    assert named > 0.4 * does[strongest]


@pytest.mark.parametrize(("yaw", "far"), [(-38.0, "Right"), (38.0, "Left")])
def test_a_corner_of_the_mouth_that_hangs_is_a_frown_unless_it_is_averted(
    yaw: float, far: str
) -> None:
    """That side is a guess; lifted out of a frown that is none, the corner would be a hook."""
    corner = {"Right": 61, "Left": 291}[far]
    frown = {f"mouthFrown{far}": 0.8}

    def rests(does: dict[str, float], turn: float) -> float:
        shown = face(person(11, 0.3), does, pose(yaw=turn))
        found = understand(VideoFrame(rgb=BLANK, index=0, at=Instant(0, Fraction(1, 30))), shown)
        return float(found.rest.head[corner, 1])

    def kept(turn: float) -> float:
        """The part of the frown that is taken for the face at rest."""
        down = face_model().displacement(blendshapes.weights(frown))[corner, 1]
        return float((rests(frown, turn) - rests({}, turn)) / down)

    assert kept(0.0) < 0.6
    assert kept(yaw) > 0.8


def test_a_photo_with_closed_eyes_has_eyes_that_open_at_rest() -> None:
    who = person(12, 0.5)
    shut = face(who, {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0})
    found = understand(VideoFrame(rgb=BLANK, index=0, at=Instant(0, Fraction(1, 30))), shut)
    assert found.rest.aperture.min() > 0.2
    assert found.expression.measured is not None
    assert found.expression.measured.aperture.max() < 0.1


def test_eyes_that_look_down_most_of_the_time_rest_as_open_as_when_they_look_ahead() -> None:
    mesh = person(3)
    down = {f"eye{what}{side}": 0.6 for what in ("LookDown", "Blink") for side in ("Left", "Right")}
    often = find_rest(tracked([face(mesh, down)] * 7 + [face(mesh)] * 5))
    ahead = find_rest(tracked([face(mesh)] * 5))
    np.testing.assert_allclose(often.aperture, ahead.aperture, rtol=0.12)


@pytest.mark.parametrize("who", [1, 2, 4])
def test_a_picture_that_is_named_for_its_expression_is_believed_to_show_one(who: int) -> None:
    frown = face(person(who), {"browDownLeft": 0.8, "browDownRight": 0.8})
    shown = VideoFrame(rgb=BLANK, index=0, at=Instant(0, Fraction(1, 30)))

    found = understand(shown, frown, RestSettings(certainty=6.0)).expression
    assert found.weights[blendshapes.index("browDownLeft")] > 0.5


@pytest.mark.parametrize("wide", [0.9, -0.5])
def test_eyes_in_a_picture_named_for_its_expression_are_wide_or_narrow_and_not_born_so(
    wide: float,
) -> None:
    does = {f"eye{'Wide' if wide > 0 else 'Blink'}{side}": abs(wide) for side in ("Left", "Right")}
    seen = face(person(3), does)
    shown = VideoFrame(rgb=BLANK, index=0, at=Instant(0, Fraction(1, 30)))

    alone, named = (
        understand(shown, seen, RestSettings(certainty=sure)).expression.measured
        for sure in (1.0, 6.0)
    )
    assert alone is not None
    assert named is not None
    away = np.sign(wide) * (named.aperture - 1)
    assert (away > 0.2).all()
    assert (away > 2 * np.sign(wide) * (alone.aperture - 1)).all()


def test_a_face_that_crosses_its_eyes_most_of_the_time_does_not_rest_with_them_crossed() -> None:
    who = person(2, 0.7)
    crossed = face(who, {"eyeLookInLeft": 0.8, "eyeLookInRight": 0.8})
    aside = [face(who, {"eyeLookOutLeft": x, "eyeLookInRight": x}) for x in (0.1, 0.3)]
    rest = find_rest(tracked([crossed] * 8 + aside))
    apart = np.diff(read_gaze(rest.head)[:, 0])
    usual, most = np.diff(read_gaze(who)[:, 0]), 2 * 0.8 * GAZE_DEGREES["In"]
    assert apart < usual + 0.5 * most


def test_eyes_that_always_look_aside_together_rest_looking_there() -> None:
    who = person(2, 0.7)
    aside = face(who, {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5})
    rest = find_rest(tracked([aside] * 6))
    seen = read_gaze(rest.head)[:, 0] - read_gaze(who)[:, 0]
    np.testing.assert_allclose(seen, 0.5 * GAZE_DEGREES["Out"], atol=3.0)


@pytest.mark.parametrize("who", range(4, 8))
def test_eyes_that_are_wide_all_through_a_clip_do_not_rest_so(who: int) -> None:
    wide = {"eyeWideLeft": 1.0, "eyeWideRight": 1.0}
    staring, calm = (
        find_rest(tracked([face(person(who, 0.7), does)] * 7)).aperture for does in (wide, {})
    )
    np.testing.assert_allclose(staring, calm, rtol=0.15)


def test_large_eyes_whose_lids_cover_the_rim_of_the_iris_rest_as_open_as_they_are() -> None:
    who = person(11, 0.7)
    rest = find_rest(tracked([face(who)] * 7))
    np.testing.assert_allclose(rest.aperture, measure.lid_opening(who), rtol=0.02)
