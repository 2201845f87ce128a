"""A CSV in the Live Link Face layout is read as apps and tables write it."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from retarget.errors import UnreadableInput
from retarget.expression.live_link import HEADER
from retarget.expression.performance import open_performance
from retarget.expression.timecode import timecode
from retarget.flow import blendshapes


def live_link(rows: list[str], header: str = ",".join(HEADER)) -> str:
    return "\n".join([header, *rows]) + "\n"


def row(time: str, value: float = 0.1) -> str:
    return ",".join([time, "61", *[str(value)] * 61])


def test_a_recording_that_counts_its_day_at_thirty_frames_is_read_at_its_true_rate(
    tmp_path: Path,
) -> None:
    times = [f"23:59:{58 + i // 30:02d}:{i % 30:02d}.500" for i in range(60)]
    times += [f"00:00:{i // 30:02d}:{i % 30:02d}.500" for i in range(60)]
    path = tmp_path / "take.csv"
    path.write_text(live_link([row(t) for t in times]))
    frames = list(open_performance(path).frames())
    assert len(frames) == 120
    np.testing.assert_allclose(np.diff([f.at.seconds for f in frames]), 1 / 30, atol=1e-4)


@pytest.mark.parametrize(("counted", "left_out"), [(30, 2), (60, 4)])
def test_numbers_that_drop_frame_timecode_leaves_out_leave_no_gap(
    tmp_path: Path, counted: int, left_out: int
) -> None:
    """SMPTE 12M: the first numbers of a minute are not used, save those of every tenth one."""
    numbers = [
        f"00:{minute:02d}:{second:02d};{frame:02d}"
        for minute, second in [(8, 59), (9, 0), (9, 59), (10, 0)]
        for frame in range(left_out if (minute, second) == (9, 0) else 0, counted)
    ]
    path = tmp_path / "take.csv"
    for piece in (numbers[: 2 * counted - left_out], numbers[2 * counted - left_out :]):
        path.write_text(live_link([row(t) for t in piece]))
        at = [f.at.seconds for f in open_performance(path).frames()]
        np.testing.assert_allclose(np.diff(at), 1.001 / counted, atol=1e-4)


@pytest.mark.parametrize(("counted", "step"), [(24, 1), (30, 1), (60, 1), (60, 2.4), (60, 12)])
def test_a_few_seconds_tell_the_rate_at_which_their_timecode_counts(
    tmp_path: Path, counted: int, step: float
) -> None:
    ticks = [12 + i * step for i in range(round(1.5 * counted / step))]
    path = tmp_path / "take.csv"
    times = [f"{'11:00:00' if t >= counted else '10:59:59'}:{t % counted:06.3f}" for t in ticks]
    path.write_text(live_link([row(t) for t in times]))
    at = [f.at.seconds for f in open_performance(path).frames()]
    np.testing.assert_allclose(np.diff(at), step / counted, atol=1e-4)


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)])
def test_frames_at_a_broadcast_rate_come_back_at_their_exact_times(
    tmp_path: Path, rate: Fraction
) -> None:
    """A thousandth of a timecode frame does not divide the time of one at 24000/1001."""
    path = tmp_path / "take.csv"
    path.write_text(live_link([row(timecode(i / rate)) for i in range(40)]))
    frames = list(open_performance(path).frames())
    assert [f.at.exact for f in frames] == [i / rate for i in range(40)]
    assert {f.duration for f in frames} == {1 / rate}
    assert open_performance(path).info.rate == rate


@pytest.mark.parametrize("cut", [slice(10, 28), slice(16, 20), slice(10, 44)])
def test_rows_that_were_taken_out_change_no_other_time(tmp_path: Path, cut: slice) -> None:
    rows = [row(timecode(Fraction(60 + i, 30))) for i in range(12, 72)]
    whole, part = tmp_path / "whole.csv", tmp_path / "part.csv"
    whole.write_text(live_link(rows))
    at = [frame.at.exact for frame in open_performance(whole).frames()]
    assert np.diff(at).tolist() == [Fraction(1, 30)] * (len(at) - 1)
    del rows[cut], at[cut]
    part.write_text(live_link(rows))
    assert [frame.at.exact for frame in open_performance(part).frames()] == at


def test_the_last_row_lasts_as_long_as_the_one_before_it(tmp_path: Path) -> None:
    path = tmp_path / "take.csv"
    path.write_text(live_link([row(f"00:00:00:{2 * i:02d}.000") for i in range(3)]))
    take = open_performance(path)
    assert [f.duration for f in take.frames()] == [Fraction(1, 30)] * 3
    assert take.info.duration == Fraction(1, 10)


def test_a_single_row_lasts_one_frame_of_its_timecode(tmp_path: Path) -> None:
    path = tmp_path / "take.csv"
    path.write_text(live_link([row("00:00:00:00.000")]))
    (frame,) = open_performance(path).frames()
    assert frame.duration == Fraction(1, 60)


def test_columns_are_found_by_name_in_any_order_and_case(tmp_path: Path) -> None:
    names = [HEADER[0], HEADER[1], *reversed(HEADER[2:54])]
    values = ["00:00:00:00.000", "61", *["0"] * 52]
    values[names.index("JawOpen")] = "0.75"
    path = tmp_path / "take.csv"
    path.write_text(live_link([",".join(values)], ",".join(names).lower()))
    (frame,) = open_performance(path).frames()
    assert frame.expression is not None
    assert blendshapes.named(frame.expression.weights) == {"jawOpen": pytest.approx(0.75)}


def test_a_tool_that_knows_no_tongue_is_read_with_the_tongue_in(tmp_path: Path) -> None:
    path = tmp_path / "take.csv"
    known = [name for name in HEADER if name != "TongueOut"]
    fields = ["00:00:00:00", "60", *["0.25"] * 60]
    path.write_text(live_link([",".join(fields)], ",".join(known)))
    (frame,) = open_performance(path).frames()
    assert frame.expression is not None
    weights = frame.expression.weights
    assert weights[blendshapes.INDEX["tongueOut"]] == 0.0
    assert weights[blendshapes.INDEX["noseSneerRight"]] == 0.25


def test_what_a_european_spreadsheet_saved_is_read(tmp_path: Path) -> None:
    lines = live_link([row("00:00:00:00.500", 0.25), row("00:00:00:01.500", 0.5)])
    path = tmp_path / "take.csv"
    path.write_text(lines.replace(",", ";").replace(".", ","))
    shown = [f.expression for f in open_performance(path).frames()]
    assert [e and e.weights[0] for e in shown] == [0.25, 0.5]


def test_a_table_program_may_quote_what_it_likes_and_leave_empty_rows(tmp_path: Path) -> None:
    rows = [row("00:00:00:00.000", 0.25), row("00:00:00:01.000", 0.5)]
    named, *frames = csv.reader([live_link([]).strip(), *rows])
    path = tmp_path / "take.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file, quoting=csv.QUOTE_ALL)
        out.writerow([*named, "Remark"])
        out.writerows([*frame, 'said "no", twice'] for frame in frames)
        csv.writer(file).writerow([""] * (len(named) + 1))
    shown = [f.expression for f in open_performance(path).frames()]
    assert [e and e.weights[0] for e in shown] == [0.25, 0.5]


def test_unicode_text_of_excel_is_read_and_a_count_of_nought_however_written(
    tmp_path: Path,
) -> None:
    away = row("00:00:00:01.000").replace(",61,", ",0.00,")
    text = live_link([row("00:00:00:00.000", 0.25), away])
    path = tmp_path / "take.csv"
    path.write_text(text.replace(",", "\t"), encoding="utf-16")
    shown = [f.expression for f in open_performance(path).frames()]
    assert [e and e.weights[0] for e in shown] == [0.25, None]


def test_what_is_counted_within_one_second_lies_within_it_however_fast_the_app_counts(
    tmp_path: Path,
) -> None:
    path = tmp_path / "take.csv"
    path.write_text(live_link([row(f"00:00:00:{count:02}.000") for count in (0, 40, 90)]))
    times = [frame.at.seconds for frame in open_performance(path).frames()]
    assert times[0] == 0 < times[1] < times[2] < 1


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_decimal_comma_is_read_beside_either_mark(tmp_path: Path, mark: str) -> None:
    fields = [[field.replace(".", ",") for field in row("00:00:00:00.500", 0.25).split(",")]]
    path = tmp_path / "take.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=mark).writerows([HEADER, *fields])
    (frame,) = open_performance(path).frames()
    assert frame.expression is not None and frame.expression.weights[0] == 0.25


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Line 1 .* names no column 'Timecode'"),
        (live_link([]), "Line 1 .* no frames"),
        (live_link([row("00:00:00:00.000"), "00:00:00:01.000,61,0.5"]), "Line 3 .* has 3 columns"),
        (
            live_link([row("00:00:00:00.000").replace("0.1", "much", 1)]),
            "Line 2 .* 'much' under EyeBlinkLeft",
        ),
        (live_link([row("00:00:00:00.000").replace("0.1", "nan", 1)]), "Line 2 .* not finite"),
        (live_link([row("00:00:00:00.000").replace("0.1", "1e308", 1)]), "Line 2 .* 1e\\+308"),
        (live_link([row("00:00:00:00.000", 45)]), "Line 2 .* weight 45, not one of 0 to 1"),
        (live_link([row("00:00:00:00.000")[:-35] + "12" + ",0" * 8]), "Line 2 .* radians"),
        (live_link([row("00:00:61:00.000")]), "Line 2 .* impossible timecode"),
        (live_link([row("noon")]), "Line 2 .* no timecode"),
        (live_link([row("00:00:01:00.000"), row("00:00:00:30.000")]), "Line 3 .* not later"),
    ],
)
def test_a_malformed_row_is_named_by_its_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "take.csv"
    path.write_text(text)
    with pytest.raises(UnreadableInput, match=says):
        list(open_performance(path).frames())


def test_a_timecode_counts_sixty_frames_a_second() -> None:
    assert timecode(Fraction(3723) + Fraction(61, 120)) == "01:02:03:30.500"
