"""Each measure on cases whose answer is known must move the way it should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retarget.evaluation import expression, in_time
from retarget.evaluation.catalog import Sheet
from retarget.evaluation.pairs import pair
from retarget.evaluation.values import Observed


def sheet_of(seen: dict[str, Observed], name: str) -> Sheet:
    driving, result, sheet = seen["driving"], seen[name], Sheet()
    pairs = pair(driving, result)
    expression.measure(driving, result, pairs, 0.05, sheet)
    in_time.measure(driving, result, pairs, sheet)
    return sheet


def value(sheet: Sheet, key: str) -> float:
    found = sheet.found[key][0]
    assert found is not None, sheet.found[key][1]
    return found


def test_a_clip_that_is_the_driving_clip_is_perfect(seen: dict[str, Observed]) -> None:
    sheet = sheet_of(seen, "driving")
    assert value(sheet, "expression.ratio_error") == 0
    ones = ("expression.ratio_correlation", "expression.mouth_gain")
    for key in (*ones, "time.jitter_dlib", "time.tremble"):
        assert value(sheet, key) == pytest.approx(1)
    for key in ("time.delay", "time.frames", "time.stamps", "time.lost"):
        assert value(sheet, key) == 0


def test_a_frozen_picture_follows_nothing(seen: dict[str, Observed]) -> None:
    sheet = sheet_of(seen, "frozen")
    assert abs(value(sheet, "expression.ratio_correlation")) < 0.35
    assert abs(value(sheet, "expression.mouth_gain")) < 0.1
    assert value(sheet, "expression.ratio_error") > 0.01
    assert value(sheet, "time.jitter_dlib") < 0.5


def test_shuffled_frames_do_not_follow_and_shake(seen: dict[str, Observed]) -> None:
    sheet = sheet_of(seen, "shuffled")
    assert value(sheet, "expression.ratio_correlation") < 0.4
    assert value(sheet, "time.jitter_dlib") > 1.3
    assert value(sheet, "time.frames") == 0


def test_a_delayed_clip_is_late_by_its_delay(seen: dict[str, Observed]) -> None:
    sheet = sheet_of(seen, "delayed")
    assert value(sheet, "time.delay") == pytest.approx(4 / 24 * 1000, abs=1)
    assert value(sheet, "expression.ratio_correlation") < 0.8


def test_the_driving_clip_is_early_against_a_delayed_one(seen: dict[str, Observed]) -> None:
    late = in_time.delay(seen["delayed"], seen["driving"])
    assert late == pytest.approx(-4 / 24, abs=0.001)


def test_added_jitter_is_seen(seen: dict[str, Observed]) -> None:
    sheet = sheet_of(seen, "shaken")
    assert value(sheet, "time.jitter_dlib") > 2
    assert value(sheet, "time.flicker") > 3
    assert value(sheet, "expression.ratio_correlation") > 0.7


def test_a_mouth_that_opens_half_as_far_has_half_the_gain(seen: dict[str, Observed]) -> None:
    assert value(sheet_of(seen, "half"), "expression.mouth_gain") == pytest.approx(0.5, abs=0.15)


def test_nothing_changes_outside_a_face_that_only_warps(seen: dict[str, Observed]) -> None:
    sheet = sheet_of(seen, "frozen")
    assert value(sheet, "time.flicker") < 0.3
    assert value(sheet, "time.warping") < 0.3


def test_a_head_that_moves_does_not_hide_that_its_face_trembles() -> None:
    from retarget.evaluation.steadiness import Tremble

    rng = np.random.default_rng(0)
    face = rng.normal(100, 30, (68, 2))

    def trembling(head: float, noise: float) -> float:
        measured, rng = Tremble(), np.random.default_rng(1)
        values = []
        for i in range(40):
            turn, grow = head * 0.1 * np.sin(i * 1.3), 1 + head * 0.1 * np.sin(i * 0.9)
            spin = grow * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            points = (face + rng.normal(0, noise, face.shape)) @ spin.T + head * 9 * np.sin(i)
            values.append(measured(points, 50.0 * grow))
        return float(np.nanmean(values))

    assert trembling(head=1.0, noise=0.0) == pytest.approx(0, abs=1e-6)
    assert trembling(head=0.0, noise=0.5) > 1
    assert trembling(head=1.0, noise=0.5) == pytest.approx(trembling(head=0.0, noise=0.5), rel=0.1)


def test_a_picture_full_of_face_has_no_outside_to_flicker(seen: dict[str, Observed]) -> None:
    near = replace(seen["driving"], background=np.full(len(seen["driving"]), np.nan))
    sheet = Sheet()
    in_time.measure(near, near, pair(near, near), sheet)
    value, why = sheet.found["time.flicker"]
    assert value is None
    assert "fill the picture" in why


def test_brightness_that_pumps_shows_as_warping_error_and_not_as_expression() -> None:
    rng = np.random.default_rng(0)
    from retarget.evaluation.steadiness import Flicker

    picture = rng.integers(60, 180, (200, 200, 3)).astype(np.uint8)
    points = np.array([[70.0, 70.0], [130.0, 130.0]])
    flicker = Flicker()
    flicker(picture, points)
    _, still = flicker(picture, points)
    _, pumped = flicker(picture + np.uint8(20), points)
    assert still == 0
    assert pumped == pytest.approx(20, abs=2)


def test_an_evenly_moving_face_does_not_tremble_and_a_jolt_has_its_size() -> None:
    from retarget.evaluation.steadiness import Shake

    points = np.random.default_rng(0).normal(100, 30, (68, 2))
    shake = Shake()
    even = [shake(points + 3.0 * i, 50.0) for i in range(5)]
    assert np.isnan(even[:2]).all()
    np.testing.assert_allclose(even[2:], 0, atol=1e-9)
    # one pixel off the straight path, of an eye distance of 50 pixels: 2 %
    assert shake(points + [3.0 * 5 + 1.0, 3.0 * 5], 50.0) == pytest.approx(2.0)
    assert np.isnan(shake(None, 50.0))
    assert np.isnan(shake(points, 50.0))  # two frames after a gap say nothing yet
