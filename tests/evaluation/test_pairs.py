from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from retarget.errors import UnreadableInput
from retarget.evaluation import in_time
from retarget.evaluation.catalog import Sheet
from retarget.evaluation.pairs import pair
from retarget.evaluation.values import Observed
from tests.evaluation.conftest import COUNT, RATE


def cut(seen: Observed, rows: slice) -> Observed:
    """The rows of a shorter or thinner clip, its clock begun anew."""
    names = ("mesh_shake", "ratios", "dlib_shake", "tremble", "background", "warping", "boxes")
    columns = {name: getattr(seen, name)[rows] for name in names}
    times = seen.times[rows]
    return replace(seen, times=times - times[0], **columns)


def test_frames_are_paired_by_time_not_by_number(seen: dict[str, Observed]) -> None:
    half_rate = cut(seen["driving"], slice(0, None, 2))
    pairs = pair(seen["driving"], half_rate)
    np.testing.assert_array_equal(pairs.driving, np.arange(0, COUNT, 2))
    np.testing.assert_array_equal(pairs.result, np.arange(COUNT // 2))


def test_a_longer_result_is_compared_as_far_as_both_go(seen: dict[str, Observed]) -> None:
    short = cut(seen["driving"], slice(0, 20))
    pairs = pair(short, seen["driving"])
    assert len(pairs) in (20, 21)  # the frame right after the end is a frame's time away at most
    sheet = Sheet()
    in_time.measure(short, seen["driving"], pairs, sheet)
    assert sheet.found["time.frames"][0] == COUNT - 20


def test_a_result_that_begins_later_is_laid_where_it_belongs(seen: dict[str, Observed]) -> None:
    late = cut(seen["driving"], slice(6, None))
    pairs = pair(seen["driving"], late, start=6 / RATE)
    np.testing.assert_array_equal(pairs.driving - pairs.result, 6)


@pytest.mark.parametrize(("end", "fewer"), [(20 / RATE, 0), (22 / RATE, -2), (None, 20 - COUNT)])
def test_a_result_of_a_piece_lacks_no_frame_outside_the_piece(
    seen: dict[str, Observed], end: float | None, fewer: int
) -> None:
    piece = cut(seen["driving"], slice(6, 20))
    sheet = Sheet()
    pairs = pair(seen["driving"], piece, start=6 / RATE)
    in_time.measure(seen["driving"], piece, pairs, sheet, start=6 / RATE, end=end)
    assert sheet.found["time.frames"][0] == fewer
    assert sheet.found["time.stamps"][0] == pytest.approx(0, abs=1e-6)


def test_a_delay_is_told_from_where_the_result_begins(seen: dict[str, Observed]) -> None:
    late = cut(seen["driving"], slice(6, None))
    assert in_time.delay(seen["driving"], late, start=6 / RATE) == pytest.approx(0, abs=1e-6)
    assert in_time.delay(seen["driving"], late, start=4 / RATE) == pytest.approx(-2 / RATE)


def test_a_delay_is_told_across_a_pause_of_hours_without_reading_through_it(
    seen: dict[str, Observed],
) -> None:
    times = seen["driving"].times.copy()
    times[COUNT // 2 :] += 30 * 3600
    driving = replace(seen["driving"], times=times)
    late = replace(driving, times=times + 2 / RATE)
    tracemalloc.start()
    assert in_time.delay(driving, late) == pytest.approx(2 / RATE)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_pieces_that_never_meet_are_refused(seen: dict[str, Observed]) -> None:
    with pytest.raises(UnreadableInput, match="shown together"):
        pair(seen["driving"], seen["driving"], start=100.0)


def test_time_stamps_that_drift_are_measured_in_milliseconds(seen: dict[str, Observed]) -> None:
    drifting = replace(seen["driving"], times=seen["driving"].times * 1.01)
    sheet = Sheet()
    in_time.measure(seen["driving"], drifting, pair(seen["driving"], drifting), sheet)
    last = (COUNT - 1) / RATE * 1000
    assert sheet.found["time.stamps"][0] == pytest.approx(last * 0.01, abs=0.5)


def test_a_lost_face_is_counted_where_the_driving_face_is_seen(seen: dict[str, Observed]) -> None:
    ratios = seen["driving"].ratios.copy()
    ratios[10:19] = np.nan
    gone = replace(seen["driving"], ratios=ratios)
    pairs = pair(seen["driving"], gone)
    assert in_time.lost(seen["driving"], gone, pairs) == pytest.approx(9 / COUNT)
    assert in_time.lost(gone, seen["driving"], pairs) == 0
