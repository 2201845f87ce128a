"""Blinks come as often, last as long and close as far as people's do."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers

from retarget.language.blinks import Blink, plan
from retarget.language.settings import BlinkSettings

HOUR = 3600.0
USUAL = BlinkSettings(blinks=True)
ONE = Blink(start=2.0, closing=0.08, closed=0.04, opening=0.14, height=0.7)


def test_lids_go_down_stay_down_and_come_up_within_the_time_of_a_blink() -> None:
    times = np.linspace(1.9, 2.4, 5001)
    lids = np.array([ONE.at(t) for t in times])
    closing, closed = times <= 2.08, (times >= 2.08) & (times <= 2.12)
    assert (lids[(times <= 2.0) | (times >= ONE.end)] == 0).all()
    assert (lids[(times > 2.001) & (times < ONE.end - 0.001)] > 0).all()
    np.testing.assert_allclose(lids[closed], 0.7, atol=1e-3)
    assert (np.diff(lids[closing]) >= 0).all()
    assert (np.diff(lids[times >= 2.12]) <= 0).all()
    assert np.abs(np.diff(lids)).max() < 0.01  # no jump
    assert ONE.end == pytest.approx(2.26)


@pytest.mark.parametrize("per_minute", [5.0, 17.0, 40.0])
def test_blinks_come_as_often_as_asked_in_the_long_run(per_minute: float) -> None:
    blinks = plan(HOUR, replace(USUAL, per_minute=per_minute))
    assert len(blinks) / 60 == pytest.approx(per_minute, rel=0.15)
    pauses = [b.start - a.end for a, b in pairwise(blinks)]
    assert min(pauses) > 0.3
    assert np.mean(pauses) > 1.15 * np.median(pauses)  # a long wait now and then


@pytest.mark.parametrize("partial", [0.0, 0.52, 1.0])
def test_as_many_blinks_as_asked_leave_the_eye_a_little_open(partial: float) -> None:
    heights = np.array([b.height for b in plan(HOUR, replace(USUAL, partial=partial))])
    assert (heights < 1).mean() == pytest.approx(partial, abs=0.06)
    assert 0.4 < heights.min() <= heights.max() <= 1


def test_a_blink_lasts_as_long_as_a_persons_and_closes_faster_than_it_opens() -> None:
    for blink in plan(HOUR, USUAL):
        assert 0.1 < blink.end - blink.start < 0.4
        assert 0.53 < blink.closing / blink.opening < 0.6  # 40 to 47 % less


@given(seed=integers(0, 99))
def test_no_blink_is_cut_off_or_lies_where_none_may_be(seed: int) -> None:
    busy = [(1.0, 3.0), (10.0, 14.0)]
    settings = replace(USUAL, per_minute=60, seed=seed)
    blinks = plan(20.0, settings, busy)
    assert blinks == plan(20.0, settings, busy)
    assert blinks != plan(20.0, replace(settings, seed=seed + 1), busy)
    assert all(blink.start > 0 and blink.end < 20 for blink in blinks)
    assert not any(a < blink.end and blink.start < b for blink in blinks for a, b in busy)


@pytest.mark.parametrize("never", [{"blinks": False}, {"per_minute": 0.0}])
def test_eyes_that_should_not_blink_do_not(never: dict[str, float]) -> None:
    assert plan(HOUR, replace(USUAL, **never)) == ()  # type: ignore[arg-type]
