"""What a text means, and what is said about one that means nothing."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, sampled_from

from retarget.errors import RetargetError, UnknownWord
from retarget.flow import blendshapes
from retarget.flow.gaze import GAZE_DEGREES
from retarget.flow.values import ExpressedFrame, Expression, Instant
from retarget.language.problems import NotUnderstood
from retarget.language.say import say
from retarget.language.words import shipped_words

LABELS = sorted(shipped_words().labels)


def weights(text: str) -> dict[str, float]:
    return blendshapes.named(say(text).expression.weights)


def test_a_blendshape_is_itself() -> None:
    assert weights("mouthSmileLeft=0.6") == {"mouthSmileLeft": pytest.approx(0.6)}


def test_a_name_without_its_side_means_both_sides() -> None:
    assert weights("browDown=0.5") == {"browDownLeft": 0.5, "browDownRight": 0.5}


def test_the_letters_of_an_action_unit_grow_from_a_to_e() -> None:
    heights = [say(f"AU12{letter}").expression.weights.max() for letter in "ABCDE"]
    assert heights == sorted(heights)
    assert len(set(heights)) == 5
    assert heights[-1] == 1.0


@pytest.mark.parametrize("text", ["AU4=0.4", "4=0.4", "0.4*AU4", "AU4:0.4", "au4=0.4"])
def test_an_action_unit_at_a_number_can_be_written_in_several_ways(text: str) -> None:
    assert weights(text) == {
        "browDownLeft": pytest.approx(0.4),
        "browDownRight": pytest.approx(0.4),
    }


@pytest.mark.parametrize(
    ("text", "side"),
    [("R12A", "Right"), ("L14", "Left"), ("RAU12C", "Right"), ("AU14L=0.4", "Left")],
)
def test_a_one_sided_unit_leaves_the_other_side_alone(text: str, side: str) -> None:
    moved = weights(text)
    assert moved
    assert all(name.endswith(side) for name in moved)


@pytest.mark.parametrize("text", ["AU 1 + AU 4C + AU 15", "AU 1+4C+15", "au1+au4c+au15"])
def test_units_may_be_written_as_papers_write_them(text: str) -> None:
    assert say(text).units == {"AU1": 1.0, "AU4": 0.5, "AU15": 1.0}


def test_units_read_as_they_are_written_into_tables() -> None:
    said = say("contempt + 0.3*AU4C")
    told = "+".join(f"{name}={value:.4f}" for name, value in said.units.items())
    assert say(told).units == pytest.approx(said.units)


def test_basic_surprise_is_its_emfacs_units() -> None:
    assert set(say("AU1+AU2+AU5B+AU26").units) == {"AU1", "AU2", "AU5", "AU26"}
    assert say("AU1+AU2+AU5B+AU26").units["AU5"] == pytest.approx(0.25)
    assert {"AU1", "AU2", "AU5", "AU26"} <= set(say("surprise").units)


@given(first=sampled_from(LABELS), second=sampled_from(LABELS), share=floats(0, 1))
def test_a_mixture_is_the_sum_of_its_parts(first: str, second: str, share: float) -> None:
    mixed = say(f"{share:.4f}*{first} + {1 - share:.4f}*{second}")
    one, two = say(first), say(second)
    expected = round(share, 4) * one.weights + round(1 - share, 4) * two.weights
    np.testing.assert_allclose(mixed.weights, expected, atol=2e-4)


def test_scaling_a_label_scales_all_that_it_does() -> None:
    np.testing.assert_allclose(say("fear:0.3").weights, 0.3 * say("fear").weights, rtol=1e-6)


@pytest.mark.parametrize("text", ["AU6+AU7+AU12", "AU25+AU27", "2*joy", *LABELS])
def test_half_of_an_expression_is_half_of_what_the_whole_shows(text: str) -> None:
    """So steps of intensity are equal, and an onset runs its course, where units add up."""
    half = (say(text) * 0.5).expression.weights
    np.testing.assert_allclose(half, 0.5 * say(text).expression.weights, atol=1e-6)


@pytest.mark.parametrize("label", LABELS)
def test_half_of_a_word_is_half_of_what_the_word_shows(label: str) -> None:
    half = say(f"0.5*{label}").expression.weights
    np.testing.assert_allclose(half, 0.5 * say(label).expression.weights, atol=1e-6)


def test_parentheses_share_a_factor() -> None:
    np.testing.assert_allclose(
        say("0.5*(joy + fear)").weights, say("0.5*joy + 0.5*fear").weights, atol=1e-6
    )


def test_weights_never_leave_zero_to_one_however_much_is_asked() -> None:
    shown = say("3*rage + 3*joy").expression.weights
    assert shown.min() >= 0
    assert shown.max() == 1


def test_neutral_does_nothing() -> None:
    assert weights("neutral") == {}


def test_gaze_turns_the_eyes_of_the_face_model_by_its_degrees() -> None:
    shown = weights("gaze(left=16, down=5)")
    assert shown["eyeLookOutLeft"] * GAZE_DEGREES["Out"] == pytest.approx(16)
    assert shown["eyeLookDownRight"] * GAZE_DEGREES["Down"] == pytest.approx(5)


def test_gaze_to_the_left_turns_both_eyes_to_the_persons_left() -> None:
    assert set(weights("gaze(left=10)")) == {"eyeLookOutLeft", "eyeLookInRight"}
    assert set(weights("gaze(10, -5)")) == {
        "eyeLookOutLeft",
        "eyeLookInRight",
        "eyeLookDownLeft",
        "eyeLookDownRight",
    }


@pytest.mark.parametrize(
    "same",
    [
        ("gaze(left=10, up=5)", "gaze(10, 5)", "gaze(yaw=10, pitch=5)", "gaze(right=-10, down=-5)"),
        (
            "head(left=10, up=5, lean_left=3)", "head(10, 5, 3)", "head(yaw=10, pitch=5, roll=3)",
            "head(roll=3, right=-10, down=-5)", "head(10, 5, lean_right=-3)",
        ),
    ],
)  # fmt: skip
def test_a_direction_may_be_said_in_several_ways(same: tuple[str, ...]) -> None:
    first, *others = map(say, same)
    for other in others:
        assert other.head == first.head
        np.testing.assert_array_equal(other.weights, first.weights)


def test_a_head_turn_is_in_degrees_and_moves_no_blendshape() -> None:
    said = say("joy + head(right=8, up=3)")
    assert said.head == (-8.0, 3.0, 0.0)
    np.testing.assert_array_equal(said.weights, say("joy").weights)


def frown(path: str, seconds: float | None) -> ExpressedFrame:
    del path
    return ExpressedFrame(
        index=0,
        at=Instant(round((seconds or 0) * 1000), Fraction(1, 1000)),
        duration=Fraction(0),
        expression=Expression(weights=blendshapes.weights({"browDownLeft": 0.8})),
        pose=None,
    )


@pytest.mark.parametrize(
    ("text", "path", "seconds"),
    [
        ("from:angry.png", "angry.png", None),
        ('from:"my clip.mp4"@1.2s', "my clip.mp4", 1.2),
        ("from:clip.mp4@250ms", "clip.mp4", 0.25),
        ("0.5*from:a/b-c.png + 0.2*joy", "a/b-c.png", None),
        ("from:angry.png:0.5", "angry.png", None),
        ("from:clip.mp4@1:02", "clip.mp4", 62.0),
        ("from:clip.mp4@1:02.5:0.5", "clip.mp4", 62.5),
        ("from:clip.mp4@1s:0.5", "clip.mp4", 1.0),
    ],
)
def test_a_picture_is_looked_at_where_it_is_named(
    text: str, path: str, seconds: float | None
) -> None:
    asked: list[tuple[str, float | None]] = []

    def look(name: str, at: float | None) -> ExpressedFrame:
        asked.append((name, at))
        return frown(name, at)

    said = say(text, look=look)
    assert asked == [(path, seconds)]
    assert said.template is not None
    assert said.expression.weights[blendshapes.INDEX["browDownLeft"]] >= 0.4


def test_the_picture_with_the_largest_share_lends_its_pixels() -> None:
    said = say("0.2*from:a.png@1s + 0.7*from:b.png@2s", look=frown)
    assert said.template is not None
    assert said.template.at.seconds == 2


def test_a_picture_without_a_face_is_refused() -> None:
    def nobody(path: str, seconds: float | None) -> ExpressedFrame:
        seen = frown(path, seconds)
        return ExpressedFrame(
            index=0, at=seen.at, duration=seen.duration, expression=None, pose=None
        )

    with pytest.raises(NotUnderstood, match=r"No face was found in 'wall\.png'"):
        say("from:wall.png", look=nobody)


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("jyo", "joy"),
        ("0.4*surprize", "surprise"),
        ("mouthSmleLeft=0.4", "mouthSmileLeft"),
        ("crying", "cry"),
        ("smiling", "smile"),
        ("hopeless", "hopelessness"),
        ("eager", "eagerness"),
        ("Freude", None),
        ("angriest", "angry"),
        ("happily", "happy"),
        ("cried", "cry"),
        ("scarier", "scared"),
        ("Envious", "envy"),
        ("depressed", "depression"),
        ("horrified", "horror"),
        ("open_mouth", "mouth_open"),
        ("nager", "anger"),
        ("fer", "fear"),
        ("amus", "amused"),
        *((word, None) for word in ("curious", "merry", "serious", "upset", "singing")),
    ],
)
def test_a_mistyped_word_offers_the_nearest_one(text: str, offered: str | None) -> None:
    with pytest.raises(UnknownWord) as problem:
        say(text)
    assert problem.value.nearest == offered


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("0.5*joy+*fear", 9),
        ("joy - fear", 5),
        ("(joy", 1),
        ("joy + 5*fear", 7),
        ("joy:", 5),
        ("", 1),
        ("joy + R1", 7),
        ("joy + AU30", 7),
        ("joy + AU21", 7),
        ("joy=0.4", 1),
        ("mouthSmileLeft=1.5", 16),
        ("joy + gaze(up=90)", 7),
        ("joy + gaze(left=5, right=5)", 7),
        ("gaze(left=2,5)", 13),
        ("joy + head(1, 2, 3, 4)", 7),
        ("from:", 6),
        ("nan*joy", 4),
    ],
)
def test_a_mistake_names_its_place(text: str, character: int) -> None:
    with pytest.raises(RetargetError, match=f"at character {character} of"):
        say(text)


@pytest.mark.parametrize(
    ("text", "named", "offered"),
    [
        ("eyes closed", "'closed'", "'eyes_closed'"),
        ("closed eyes", "'eyes'", "'eyes_closed'"),
        ("0.5*(Raised eyebrow)", "'eyebrow'", "'eyebrows_raised'"),
        ("eyes-closed:0.5", "'-'", "'eyes_closed'"),
        ("open mouth", "'mouth'", "'mouth_open'"),
        ("left wink", "'wink'", "'left_wink'"),
        ("slight smile", "'smile'", "'slight_smile'"),
        ("a big smile", "'big'", "smile:0.5"),
        ("Joy fear", "'fear'", "'+'"),
        ("AU6 AU12", "'AU12'", "'+'"),
        ("joy and fear", "'and'", "'+'"),
        ("jawOpen smile", "'smile'", "'+'"),
        ("look away", "'away'", "gaze(left=10)"),
        ("joy + looking left", "'left'", "gaze(left=10)"),
        ("head turned right", "'turned'", "head(left=10)"),
        ("smile with closed lids", "'with'", "'+'"),
    ],
)
def test_words_side_by_side_are_named_whole_and_one_word_is_offered(
    text: str, named: str, offered: str
) -> None:
    with pytest.raises(NotUnderstood) as problem:
        say(text)
    assert problem.value.what.startswith(f"{named} does not belong here, at character ")
    assert offered in problem.value.do


def test_a_direction_without_degrees_is_told_how_it_is_written() -> None:
    with pytest.raises(NotUnderstood, match="'=' was expected behind 'left'") as problem:
        say("gaze(left)")
    assert "gaze(left=10, up=5)" in problem.value.do


@pytest.mark.parametrize("text", ["joy*0.5", "0.3*joy + AU12 * 0.5"])
def test_a_factor_behind_what_it_scales_is_answered_with_where_it_stands(text: str) -> None:
    with pytest.raises(NotUnderstood, match=r"'\*' does not belong here") as problem:
        say(text)
    assert "before what it scales: 0.5*joy" in problem.value.do


@pytest.mark.parametrize("text", ["smile:50%", "50%*smile", "50% smile", "smile 50%", "AU12=50%"])
def test_a_percentage_is_told_how_it_is_written(text: str) -> None:
    with pytest.raises(NotUnderstood) as problem:
        say(text)
    assert "Write 50% as 0.5" in problem.value.do


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("joy:0,5", "0.5"),
        ("0,7*joy", "with a point"),
        ("0.7 joy", "0.7*joy"),
        ("2 joy", "*"),
        ("from:clip.mp4@1s#left", "clip.mp4#left@"),
    ],
)
def test_a_number_is_told_how_it_is_written(text: str, remedy: str) -> None:
    with pytest.raises(RetargetError) as problem:
        say(text)
    assert remedy in problem.value.do


@pytest.mark.parametrize("text", ["angry.png", "from:my face.jpg", "0.5*joy + at the sea.HEIC"])
def test_a_picture_s_bare_name_is_told_how_it_is_written(text: str) -> None:
    with pytest.raises(NotUnderstood, match="does not belong here") as problem:
        say(text, look=frown)
    assert 'from:"my face.png"' in problem.value.do


@pytest.mark.parametrize("text", ["from:a.png joy", "joy from:a.png"])
def test_a_picture_beside_a_word_is_told_how_both_are_joined(text: str) -> None:
    with pytest.raises(NotUnderstood, match="does not belong here") as problem:
        say(text, look=frown)
    assert "'+'" in problem.value.do


@pytest.mark.parametrize("text", ["AU12F", "AU155", "joy + R144A", "au12=AU1"])
def test_what_looks_like_an_action_unit_is_told_how_one_is_written(text: str) -> None:
    with pytest.raises(RetargetError) as problem:
        say(text)
    assert "adoration" not in problem.value.do


def test_the_unit_of_a_neutral_face_is_told_by_its_word() -> None:
    with pytest.raises(NotUnderstood) as problem:
        say("AU0")
    assert "neutral" in problem.value.do


def test_a_text_far_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(NotUnderstood, match="at most 2000 characters"):
        say("joy+" * 1000 + "joy")


def test_parentheses_without_end_are_refused() -> None:
    with pytest.raises(NotUnderstood, match="deep"):
        say("(" * 500 + "joy" + ")" * 500)
