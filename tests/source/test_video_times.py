"""Rates and time stamps of a video: kept exactly, and repaired where they make no sense."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from clips import heard, make_clip, number_in, read, times
from hypothesis import given
from hypothesis import strategies as st

from retarget.source.open import open_source
from retarget.source.timing import in_time

MS = Fraction(1, 1000)


def test_a_television_rate_is_kept_exactly(tmp_path: Path) -> None:
    rate = Fraction(30_000, 1001)
    clip = make_clip(tmp_path / "tv.mp4", rate=rate)
    with open_source(clip) as source:
        assert source.info.rate == rate
        assert source.info.count == 30
        assert source.info.duration == 30 / rate
    assert times(clip) == [i / rate for i in range(30)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_variable_rate_is_kept_by_its_time_stamps(tmp_path: Path, suffix: str) -> None:
    stamps, lengths = [0, 40, 50, 200, 260], [40, 10, 150, 60, 33]
    clip = make_clip(tmp_path / f"v{suffix}", stamps=stamps, time_base=MS, lengths=lengths)
    frames = read(clip)
    assert [frame.at.exact for frame in frames] == [s * MS for s in stamps]
    assert [frame.duration for frame in frames[:4]] == [s * MS for s in lengths[:4]]
    assert [number_in(frame.rgb) for frame in frames] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_pictures_that_begin_late_keep_their_start(tmp_path: Path, suffix: str) -> None:
    """Only a broadcast's clock counts from anywhere."""
    stamps = [500, 540, 580, 620]
    clip = make_clip(tmp_path / f"late{suffix}", stamps=stamps, time_base=MS)
    assert times(clip) == [s * MS for s in stamps]


def test_a_rate_that_whole_milliseconds_blur_is_the_one_that_was_meant(tmp_path: Path) -> None:
    rate = Fraction(30_000, 1001)
    stamps = [round(i / rate / MS) for i in range(59)]
    rounded = make_clip(tmp_path / "a.mp4", rate=rate, stamps=stamps, time_base=MS)
    with open_source(rounded) as source:
        assert source.info.rate == rate


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_a_file_that_says_no_times_of_showing_shows_its_frames_evenly(
    tmp_path: Path, codec: str
) -> None:
    options = {"g": "12", "bf": "2", "b_strategy": "0"}
    frames = read(make_clip(tmp_path / "a.avi", codec=codec, options=options))
    assert [number_in(frame.rgb) for frame in frames] == list(range(30))
    at = [frame.at.exact for frame in frames]
    assert {b - a for a, b in pairwise(at)} == {Fraction(1, 25)}
    assert 0 <= at[0] <= Fraction(2, 25)


def test_a_broadcast_clock_begins_at_its_first_moment(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "c.ts", sound="aac")
    first = times(clip)[0]
    assert min(first, heard(clip)[0][0]) == 0
    assert 0 <= first < Fraction(1, 20)


@pytest.mark.parametrize("suffix", [".ts", ".mpg"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_broadcast_of_hardly_a_frame_begins_at_zero(
    tmp_path: Path, suffix: str, count: int
) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (64, 96, 3), np.uint8)
    clip = make_clip(
        tmp_path / f"c{suffix}", count=count, codec="mpeg2video", picture=lambda i: noise
    )
    assert times(clip) == [0, Fraction(1, 25)][:count]


@given(
    st.lists(st.tuples(st.one_of(st.none(), st.integers(-5, 60)), st.integers(0, 5)), max_size=20),
    st.integers(1, 6),
)
def test_repaired_time_stamps_rise_and_none_is_lost(
    stamps: list[tuple[int | None, int]], usual: int
) -> None:
    frames = [(i, stamp, length) for i, (stamp, length) in enumerate(stamps)]
    repaired = list(in_time(iter(frames), usual=usual))
    assert [value for value, _, _ in repaired] == list(range(len(stamps)))
    at = [stamp for _, stamp, _ in repaired]
    assert all(later > earlier for earlier, later in pairwise(at))
    assert all(ticks > 0 for _, _, ticks in repaired)


@given(st.lists(st.integers(-1000, 1000), unique=True, min_size=1).map(sorted))
def test_time_stamps_in_order_are_left_alone(stamps: list[int]) -> None:
    repaired = list(in_time(((s, s, 0) for s in stamps), usual=40))
    assert [stamp for _, stamp, _ in repaired] == stamps


def test_a_doubled_time_stamp_goes_midway_to_the_next() -> None:
    frames = [("a", 0, 40), ("b", 40, 40), ("c", 40, 40), ("d", 120, 40), ("e", None, 40)]
    repaired = list(in_time(iter(frames), usual=40))
    assert repaired == [
        ("a", 0, 40),
        ("b", 40, 40),
        ("c", 80, 40),
        ("d", 120, 40),
        ("e", 160, 40),
    ]


@pytest.mark.parametrize(
    ("end", "lasts"),
    [(None, 40), (170, 50), (121, 1), (120, 40), (60, 40), (520, 400), (521, 40), (9000, 40)],
)
def test_the_last_frame_lasts_to_the_end_of_the_file_where_that_is_near(
    end: int | None, lasts: int
) -> None:
    """A file that is cut, or whose sound goes on, ends elsewhere than its pictures."""
    *_, last = in_time(((s, s, 0) for s in (0, 40, 120)), usual=40, end=end)
    assert last == (120, 120, lasts)


@pytest.mark.parametrize(("count", "suffix"), [(41, ".mp4"), (34, ".mov"), (40, ".mp4")])
def test_the_last_frame_lasts_as_long_as_the_others_where_the_file_rounds_its_end(
    tmp_path: Path, count: int, suffix: str
) -> None:
    """An edit list counts in the film's coarse ticks, so 41 frames of 1001/30000 s end early."""
    rate = Fraction(30_000, 1001)
    frames = read(make_clip(tmp_path / f"tv{suffix}", count=count, rate=rate))
    assert {frame.duration for frame in frames} == {1 / rate}


def test_frames_without_any_stamp_follow_one_another_from_where_they_begin() -> None:
    frames = list(in_time(((i, None, 0) for i in range(3)), usual=40, first=7))
    assert frames == [(0, 7, 40), (1, 47, 40), (2, 87, 40)]
