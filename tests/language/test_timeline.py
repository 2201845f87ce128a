"""Expressions over time: written, laid out, sampled."""

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers

from retarget.errors import RetargetError
from retarget.flow import blendshapes
from retarget.language import profile
from retarget.language.say import say
from retarget.language.settings import BlinkSettings, PaceSettings
from retarget.language.steps import steps_from_text, steps_from_toml
from retarget.language.timeline import Timeline

LINE = "neutral 0.5s > fear:0.2 120ms/80ms/200ms > neutral 1s"
BROW = blendshapes.INDEX["browInnerUp"]


def timeline(text: str, **pace: float) -> Timeline:
    return Timeline(steps_from_text(text), PaceSettings(**pace))


def heights(line: Timeline, rate: int) -> np.ndarray:
    return np.array([m.said.weights[BROW] for m in line.moments(Fraction(rate))])


def test_the_number_of_a_unit_is_no_time() -> None:
    (step,) = steps_from_text("AU 1 + au 4")
    assert step.said.units == {"AU1": 1.0, "AU4": 1.0}
    assert step.times == ()


def test_a_line_lasts_as_long_as_its_parts() -> None:
    assert timeline(LINE).duration == Fraction(19, 10)


@pytest.mark.parametrize("rate", [25, 30, 60, 100, 120, 200, 240])
def test_the_largest_frame_is_the_announced_apex(rate: int) -> None:
    line = timeline(LINE)
    onset, apex, offset = line.events[0].frames(Fraction(rate))
    height = heights(line, rate)
    assert abs(int(height.argmax()) - apex) <= 1
    assert height[apex] == pytest.approx(height.max(), rel=0.05)
    assert (height[:onset] == 0).all()
    assert (height[onset : offset + 1] > 0).all()
    assert (height[offset + 1 :] == 0).all()


def test_a_broadcast_rate_keeps_its_exact_times() -> None:
    rate = Fraction(60000, 1001)
    moments = list(timeline(LINE).moments(rate))
    assert moments[59].at.exact == 59 / rate
    assert len(moments) == round(Fraction(19, 10) * rate)


@pytest.mark.parametrize("rate", [30, 60, 120, 240])
@pytest.mark.parametrize("still", ["100ms", "300ms", "500ms"])
def test_phases_of_equal_length_are_told_of_as_many_frames(rate: int, still: str) -> None:
    line = timeline(f"neutral {still} > fear 100ms/100ms/100ms > neutral 300ms")
    told = [m.phase for m in line.moments(Fraction(rate))]
    assert [told.count(p) for p in ("onset", "apex", "offset")] == [rate // 10] * 3


def test_a_micro_expression_rises_faster_than_it_falls() -> None:
    line = timeline("neutral 0.2s > fear 120ms/80ms/200ms > neutral 0.2s")
    height = heights(line, 240)
    half = np.flatnonzero(height > height.max() / 2)
    peak = height.argmax()
    assert peak - half[0] < half[-1] - peak


@pytest.mark.parametrize("times", ["120ms/80ms/200ms", "200ms/30ms/300ms", "70ms/200ms/100ms"])
def test_a_micro_expression_does_not_halt_before_nor_after_its_apex(times: str) -> None:
    rate = 240
    height = heights(timeline(f"neutral 0.2s > AU1 {times} > neutral 0.2s"), rate)
    top = int(height.argmax())
    for way in (height[: top + 1], height[: top - 1 : -1]):
        speed = np.diff(way)
        fastest, hardly = int(speed.argmax()), 0.02 * speed.max()
        assert (np.diff(speed[: fastest + 1]) > -hardly).all()
        assert (np.diff(speed[fastest:]) < hardly).all()


def test_an_apex_that_no_offset_follows_stays() -> None:
    height = heights(timeline("AU1 100ms/200ms > neutral 1s"), 240)
    assert (height[48:72] == height.max()).all()


def test_nothing_jumps_between_two_frames() -> None:
    line = timeline("joy 1s > fear 100ms/60ms/160ms > anger 300ms/200ms > grief 1s > neutral 1s")
    frames = np.stack([m.said.weights for m in line.moments(Fraction(240))])
    # The fastest movement here is full height in 100 ms; its speed is at most about 2.2 of that.
    assert np.abs(np.diff(frames, axis=0)).max() < 2.2 / 0.1 / 240


def test_an_expression_can_follow_any_other() -> None:
    line = timeline("joy 1s > contempt 120ms/80ms/200ms > joy 1s")
    smile = blendshapes.INDEX["mouthSmileLeft"]
    frames = [m.said.weights[smile] for m in line.moments(Fraction(60))]
    assert frames[0] == frames[-1] == say("joy").weights[smile]
    assert min(frames) < 0.2 * frames[0]


def test_a_single_time_holds_the_change_and_the_stay() -> None:
    line = timeline("neutral 1s > joy 2s", travel_ms=400)
    frames = heights(timeline("neutral 1s > fear 2s", travel_ms=400), 60)
    assert line.duration == 3
    assert frames[60] == 0
    assert frames[60 + 25 :].min() == frames.max()


def test_the_left_side_may_lag() -> None:
    line = timeline(LINE, lag_ms=20.0)
    pair = ("browDownLeft", "browDownRight")
    left, right = (
        [m.said.weights[blendshapes.INDEX[n]] for m in line.moments(Fraction(200))] for n in pair
    )
    np.testing.assert_allclose(left[4:], right[:-4], atol=1e-6)


def test_the_commanded_action_units_go_with_the_face() -> None:
    line = timeline("neutral 0.5s > AU12C 200ms/100ms/300ms > neutral 0.5s")
    for moment in line.moments(Fraction(100)):
        smile = moment.said.weights[blendshapes.INDEX["mouthSmileLeft"]]
        assert moment.said.units.get("AU12", 0.0) == pytest.approx(float(smile), abs=1e-6)


@pytest.mark.parametrize("bend", [profile.onset, lambda u: 1 - profile.offset(u)])
def test_a_profile_starts_and_ends_at_rest(bend) -> None:
    way = [bend(u / 1000) for u in range(1001)]
    assert way[0] == 0
    assert way[-1] == 1
    assert min(np.diff(way)) >= 0
    assert way[1] < 1e-3
    assert 1 - way[-2] < 1e-3


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("neutral 0.5s > fear:0.2 12/80/200", "'12/80/200' is no time .* character 25"),
        ("neutral 0.5s > fear:0.2 120ms/80ms/200", "is no time .* character 25"),
        ("neutral 0.5s > fear:0.2 120/80/200ms", "'120/80/200ms' is no time .* character 25"),
        ("neutral 0.5s > fear:0.2 120 / 80 / 200ms", "is no time .* character 25"),
        ("joy 0,5s", "'0,5s' is no time .* character 5"),
        ("joy 1sec", "'1sec' is no time"),
        ("joy 1s 2s", "'1s' is no time"),
        ("neutral 0.5s > fear -12ms/80ms/200ms", "not above 0, at character 21"),
        ("neutral 0.5s > fear 0ms/80ms/200ms", "not above 0"),
        ("joy 1s >", "Step 2 has no expression"),
        ("1s", "Step 1 has no expression"),
        ("joy 1s/1s/1s/1s", "4 times"),
        ("joy 2h", "is no time"),
        ("joy 9999s", "3600 are the most"),
        ("jyo 1s", "joy"),
        ("neutral 1s > jyo 1s", "Step 2: There is no expression 'jyo'"),
    ],
)
def test_an_impossible_line_is_refused_and_the_place_named(text: str, about: str) -> None:
    with pytest.raises(RetargetError, match=about):
        timeline(text)


def test_a_phase_shorter_than_a_frame_is_refused_with_the_rate_that_would_do() -> None:
    line = timeline("neutral 1s > joy 10ms/80ms/200ms > neutral 1s")
    with pytest.raises(RetargetError, match=r"onset of 'joy' \(step 2\).* 100 frames per second"):
        list(line.moments(Fraction(25)))
    assert list(line.moments(Fraction(100)))


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30), Fraction(48)])
def test_the_time_that_is_advised_for_a_phase_is_long_enough(rate: Fraction) -> None:
    with pytest.raises(RetargetError) as problem:
        timeline("joy 10ms/80ms/200ms").check(rate)
    advised = re.search(r"at least ([\d.]+) ms", problem.value.do)
    assert advised is not None
    timeline(f"joy {advised[1]}ms/80ms/200ms").check(rate)


@pytest.mark.parametrize("rate", [0, 241, 100000])
def test_a_rate_that_cannot_be_is_refused(rate: int) -> None:
    with pytest.raises(RetargetError, match="frames per second"):
        next(timeline(LINE).moments(Fraction(rate)))


def test_too_many_steps_are_refused() -> None:
    with pytest.raises(RetargetError, match="1 to 2000 steps"):
        timeline(">".join(["joy 1ms"] * 2001))


def test_a_file_says_the_same_as_a_line(tmp_path: Path) -> None:
    path = tmp_path / "line.toml"
    path.write_text(
        '[[step]]\nexpression = "neutral"\nhold_ms = 500\n'
        '[[step]]\nexpression = "fear:0.2"\nonset_ms = 120\napex_ms = 80\noffset_ms = 200\n'
        '[[step]]\nexpression = "neutral"\nhold_ms = 1000\n'
    )
    from_file = Timeline(steps_from_toml(path))
    np.testing.assert_array_equal(heights(from_file, 60), heights(timeline(LINE), 60))


@pytest.mark.parametrize(
    ("body", "line", "about"),
    [
        ('expression = "jyo"', 5, "joy"),
        ('expression = "joy"\nonset_ms = -5\napex_ms = 8', 6, "from 0.001 to"),
        ('expression = "joy"\nhold_ms = 5\nonset_ms = 5\napex_ms = 8', 6, "not both"),
        ('expression = "joy"\napex_ms = 5', 6, "needs an apex"),
        ('expression = "joy"\nhold = 5', 6, "hold_ms"),
        ("hold_ms = 5", 4, "no expression"),
    ],
)
def test_a_wrong_step_in_a_file_names_its_line(
    tmp_path: Path, body: str, line: int, about: str
) -> None:
    path = tmp_path / "line.toml"
    path.write_text(f'[[step]]\nexpression = "neutral"\n\n[[step]]\n{body}\n')
    with pytest.raises(RetargetError, match=rf"line\.toml, line {line}: .*{about}"):
        steps_from_toml(path)


def test_steps_that_are_no_tables_are_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "line.toml"
    path.write_text("step = [1]\n")
    with pytest.raises(RetargetError, match=r"line\.toml, line 1: step 1: This is no table"):
        steps_from_toml(path)


def blinking(seconds: int, seed: int = 0) -> Timeline:
    return Timeline(
        steps_from_text(f"neutral {seconds}s"),
        blinking=BlinkSettings(blinks=True, seed=seed),
    )


def test_blinks_come_as_often_as_people_blink() -> None:
    count = sum(len(blinking(600, seed).blinks) for seed in range(10))
    assert 14 < count / 100 < 20


def test_about_half_of_the_blinks_are_partial() -> None:
    blinks = [b for seed in range(10) for b in blinking(600, seed).blinks]
    assert 0.45 < np.mean([b.height < 1 for b in blinks]) < 0.6


@given(seed=integers(0, 1000))
@settings(max_examples=20)
def test_a_blink_closes_faster_than_it_opens_and_lasts_as_measured(seed: int) -> None:
    for blink in blinking(120, seed).blinks:
        assert 0.53 <= blink.closing / blink.opening <= 0.6
        assert 0.1 <= blink.end - blink.start <= 0.4


def test_the_same_seed_blinks_at_the_same_moments_and_another_does_not() -> None:
    assert blinking(60).blinks == blinking(60).blinks
    assert blinking(60).blinks != blinking(60, seed=1).blinks


def test_a_full_blink_shuts_the_eyes_in_some_frame() -> None:
    line = blinking(60)
    lids = [m.said.weights[blendshapes.INDEX["eyeBlinkLeft"]] for m in line.moments(Fraction(60))]
    assert any(b.height == 1 for b in line.blinks)
    assert max(lids) > 0.95
    assert lids[0] == 0


def test_no_blink_falls_into_a_micro_expression() -> None:
    text = " > ".join(["neutral 0.3s", *["fear 300ms/200ms/300ms > neutral 0.5s"] * 40])
    line = Timeline(steps_from_text(text), blinking=BlinkSettings(blinks=True, per_minute=30))
    assert line.blinks
    for blink in line.blinks:
        assert not any(e.onset < blink.end and blink.start < e.offset for e in line.events)


@pytest.mark.parametrize("between", [", ", " -> ", "; ", " | ", " / ", " → ", " "])
def test_steps_that_are_joined_otherwise_are_told_how_to_join_them(between: str) -> None:
    with pytest.raises(RetargetError) as caught:
        steps_from_text(f"joy 0.5s{between}fear 1s")
    assert "'>'" in caught.value.do


def test_a_time_in_a_file_s_name_ends_no_step(tmp_path: Path) -> None:
    with pytest.raises(RetargetError, match="A picture"):
        steps_from_text(f'from:"{tmp_path}/take 2s late.png" 1s')
