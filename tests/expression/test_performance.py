"""A saved performance is the performance."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from retarget.errors import CannotWrite, UnknownWord, UnreadableInput
from retarget.expression.fit import Fit
from retarget.expression.live_link import HEADER, timecode
from retarget.expression.performance import open_performance, save_performance
from retarget.expression.rest import find_rest
from retarget.expression.settings import FitSettings
from retarget.flow import blendshapes
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import ExpressedFrame, Expression, Instant, Measurement, RestFace
from tests.expression.acting import acted, face, person, pose, tracked

INFO = SourceInfo(
    name="clip.mp4", size=(640, 360), time_base=Fraction(1, 30000), rate=Fraction(30000, 1001)
)


@pytest.fixture(scope="module")
def shown() -> tuple[RestFace, list[ExpressedFrame]]:
    """A short performance in which the face is away for a moment."""
    mesh = person(1)
    wink = {"eyeLookUpLeft": 0.2, "eyeBlinkRight": 0.8}
    faces = [face(mesh, {"jawOpen": i / 20, **(wink if i % 3 == 2 else {})}) for i in range(12)]
    frames = tracked([*faces[:6], None, *faces[6:]])
    rest = find_rest(frames)
    return rest, list(Fit(rest, FitSettings())(iter(frames)))


def same(a: ExpressedFrame, b: ExpressedFrame) -> None:
    assert (a.index, a.at, a.duration, a.cut) == (b.index, b.at, b.duration, b.cut)
    assert (a.expression is None, a.pose is None) == (b.expression is None, b.pose is None)
    if a.expression is None or b.expression is None or a.pose is None or b.pose is None:
        return
    np.testing.assert_array_equal(a.expression.weights, b.expression.weights)
    np.testing.assert_array_equal(a.pose.rotation, b.pose.rotation)
    np.testing.assert_array_equal(a.pose.translation, b.pose.translation)
    assert a.pose.scale == b.pose.scale
    one, two = a.expression.measured, b.expression.measured
    assert one is not None and two is not None
    np.testing.assert_array_equal(one.gaze, two.gaze)
    np.testing.assert_array_equal(one.aperture, two.aperture)
    assert one.lip_gap == pytest.approx(two.lip_gap, abs=1e-6)
    assert one.detail is not None and two.detail is not None
    np.testing.assert_allclose(one.detail, two.detail, atol=2e-4)


@pytest.mark.parametrize("name", ["a.npz", "a.csv"])
def test_a_string_names_a_performance_as_a_path_does(
    tmp_path: Path, shown: tuple[RestFace, list[ExpressedFrame]], name: str
) -> None:
    rest, frames = shown
    saved = save_performance(str(tmp_path / name), iter(frames), rest, INFO)
    with open_performance(str(saved)) as back:
        assert back.path == tmp_path / name
        assert back.info.count == len(frames)


def test_two_that_save_to_one_place_at_once_do_not_mix(
    tmp_path: Path, shown: tuple[RestFace, list[ExpressedFrame]]
) -> None:
    rest, frames = shown

    def while_another_saves() -> Iterator[ExpressedFrame]:
        yield frames[0]
        save_performance(tmp_path / "a.npz", iter(frames), rest, INFO)
        yield frames[1]

    save_performance(tmp_path / "a.npz", while_another_saves(), rest, INFO)
    with open_performance(tmp_path / "a.npz") as back:
        assert len(list(back.frames())) == 2


def test_an_npz_gives_back_all_that_was_put_in(
    tmp_path: Path, shown: tuple[RestFace, list[ExpressedFrame]]
) -> None:
    rest, frames = shown
    path = save_performance(tmp_path / "a.npz", iter(frames), rest, INFO)
    with open_performance(path) as back:
        assert back.info.count == len(frames)
        assert (back.info.rate, back.info.size) == (INFO.rate, INFO.size)
        for part in ("head", "aperture", "gaze"):
            np.testing.assert_array_equal(getattr(back.rest, part), getattr(rest, part))
        assert back.rest.lip_gap == pytest.approx(rest.lip_gap)
        assert back.rest.found == rest.found
        for _ in range(2):  # every call begins anew
            for a, b in zip(frames, back.frames(), strict=True):
                same(a, b)


def test_a_long_npz_forgets_nothing_and_makes_nothing_up(
    tmp_path: Path, shown: tuple[RestFace, list[ExpressedFrame]]
) -> None:
    rest, brief = shown
    away = next(i for i, frame in enumerate(brief) if frame.expression is None)
    frames = [
        replace(
            brief[away if i in (150, 290) else i % away], index=i, at=Instant(i, Fraction(1, 30))
        )
        for i in range(300)
    ]
    path = save_performance(tmp_path / "a.npz", iter(frames), rest, INFO)
    with open_performance(path) as back:
        for a, b in zip(frames, back.frames(), strict=True):
            same(a, b)


def test_equal_performances_are_equal_files_and_hold_no_pickle(
    tmp_path: Path, shown: tuple[RestFace, list[ExpressedFrame]]
) -> None:
    rest, frames = shown
    one, two = (
        save_performance(tmp_path / n, iter(frames), rest, INFO) for n in ("1.npz", "2.npz")
    )
    assert one.read_bytes() == two.read_bytes()
    with np.load(one, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays)


def test_a_csv_keeps_weights_angles_and_times(
    tmp_path: Path, shown: tuple[RestFace, list[ExpressedFrame]]
) -> None:
    rest, frames = shown
    path = save_performance(tmp_path / "a.csv", iter(frames), rest, INFO)
    first = path.read_text().splitlines()[0]
    assert first.startswith("Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft")
    assert first.endswith("TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,"
                          "LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll")  # fmt: skip
    assert len(HEADER) == 63
    for a, b in zip(frames, open_performance(path).frames(), strict=True):
        assert abs(a.at.exact - b.at.exact) < Fraction(1, 50_000)
        assert (a.expression is None) == (b.expression is None)
        if a.expression is not None and b.expression is not None:
            np.testing.assert_allclose(b.expression.weights, a.expression.weights, atol=1e-6)
            assert a.pose is not None and b.pose is not None
            np.testing.assert_allclose(b.pose.angles, a.pose.angles, atol=1e-3)


def test_a_csv_that_is_saved_anew_turns_its_eyes_as_before(tmp_path: Path) -> None:
    mesh = person(1)
    left = {"eyeLookOutLeft": 0.6, "eyeLookInRight": 0.6}
    up = {"eyeLookUpLeft": 0.5, "eyeLookUpRight": 0.5}
    right_and_down = {"eyeLookInLeft": 0.5, "eyeLookOutRight": 0.5, "eyeLookDownLeft": 0.4,
                      "eyeLookDownRight": 0.4}  # fmt: skip
    seen = tracked([face(mesh), *(face(mesh, does) for does in (left, up, right_and_down))])
    rest = find_rest(seen[:1])
    filmed = Fit(rest, FitSettings())(iter(seen))
    first = save_performance(tmp_path / "first.csv", filmed, rest, INFO)
    read = open_performance(first)
    second = save_performance(tmp_path / "second.csv", read.frames(), read.rest, read.info)
    angles = [
        np.degrees(np.loadtxt(path, delimiter=",", skiprows=1, usecols=range(57, 63)))
        for path in (first, second)
    ]
    assert np.ptp(angles[0], axis=0)[[0, 1, 3, 4]].min() > 15
    np.testing.assert_allclose(*angles, atol=3)


def test_a_csv_says_each_weight_by_its_name_and_angles_in_radians(tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    weights = random.uniform(0.01, 1, blendshapes.COUNT).astype(np.float32)
    gaze = random.uniform(-20, 20, (2, 2)).astype(np.float32)
    looking = Measurement(gaze=gaze, aperture=np.ones(2, np.float32), lip_gap=0.0)
    frame = replace(
        acted(np.zeros((1, blendshapes.COUNT)))[0],
        expression=Expression(weights=weights, measured=looking),
        pose=pose(yaw=12, pitch=-7, roll=3),
    )
    rest = find_rest(tracked([face(person(1))]))
    path = save_performance(tmp_path / "a.csv", iter([frame]), rest, INFO)
    (read,) = open_performance(path).frames()
    assert read.expression is not None
    np.testing.assert_allclose(read.expression.weights, weights, atol=1e-6)
    (line,) = csv.DictReader(path.read_text().splitlines())
    for name, weight in zip(blendshapes.NAMES, weights, strict=True):
        assert float(line[name[0].upper() + name[1:]]) == pytest.approx(weight, abs=1e-5)
    angles = {"Head": (12, -7, 3), "LeftEye": (*gaze[0], 0), "RightEye": (*gaze[1], 0)}
    for whose, degrees in angles.items():
        said = [float(line[f"{whose}{axis}"]) for axis in ("Yaw", "Pitch", "Roll")]
        assert np.degrees(said) == pytest.approx(degrees, abs=1e-3)


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
        (live_link([row("00:00:00:00.000").replace("0.1", "much", 1)]), "Line 2 .* not a number"),
        (live_link([row("00:00:00:00.000").replace("0.1", "nan", 1)]), "Line 2 .* not finite"),
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


def rewritten(path: Path, name: str, data: bytes) -> Path:
    out = path.with_name(f"broken {zlib.crc32(data)}.npz")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, data if member == name else old.read(member))
    return out


def npy(array: np.ndarray) -> bytes:
    held = io.BytesIO()
    np.save(held, array)
    return held.getvalue()


def test_broken_files_say_what_is_wrong(
    tmp_path: Path, shown: tuple[RestFace, list[ExpressedFrame]]
) -> None:
    rest, frames = shown
    whole = save_performance(tmp_path / "a.npz", iter(frames), rest, INFO)
    with np.load(whole) as arrays:
        header = json.loads(arrays["header"].tobytes())
        chunk = arrays["frames_00000"].copy()
    newer = npy(np.frombuffer(json.dumps({**header, "version": 99}).encode(), np.uint8))

    def changed(field: str, value: object) -> bytes:
        other = chunk.copy()
        other[field][3] = value
        return npy(other)

    bomb = npy(np.zeros(40_000_000, np.uint8))
    cut = tmp_path / "cut.npz"
    cut.write_bytes(whole.read_bytes()[:-200])
    for path, says in [
        (tmp_path / "none.npz", "There is no file"),
        (cut, "not a zip archive"),
        (rewritten(whole, "header.npy", newer), "version 99"),
        (rewritten(whole, "frames_00000.npy", changed("weights", np.nan)), "NaN"),
        (rewritten(whole, "frames_00000.npy", changed("scale", 0.0)), "no size"),
        (rewritten(whole, "frames_00000.npy", changed("pts", -5)), "not later"),
        (rewritten(whole, "frames_00000.npy", changed("duration", (-1, 25))), "negative"),
        (rewritten(whole, "frames_00000.npy", changed("time_base", (0, 25))), "not later"),
        (rewritten(whole, "frames_00000.npy", bomb), "too large"),
        (rewritten(whole, "rest.npy", b"nonsense"), "rest.npy is damaged"),
    ]:
        with pytest.raises(UnreadableInput, match=says):
            list(open_performance(path).frames())


def test_nothing_is_left_behind_when_frames_fail(tmp_path: Path) -> None:
    def failing() -> Iterator[ExpressedFrame]:
        yield from acted(np.zeros((3, blendshapes.COUNT)))
        raise RuntimeError("camera unplugged")

    rest = find_rest(tracked([face(person(1))]))
    for name in ("a.npz", "a.csv"):
        with pytest.raises(RuntimeError, match="unplugged"):
            save_performance(tmp_path / name, failing(), rest, INFO)
    assert list(tmp_path.iterdir()) == []


def test_an_impossible_place_or_name_is_said(tmp_path: Path) -> None:
    rest = find_rest(tracked([face(person(1))]))
    with pytest.raises(CannotWrite, match="Cannot write"):
        save_performance(tmp_path / "no" / "a.npz", iter([]), rest, INFO)
    with pytest.raises(UnknownWord, match=r"\.npy"):
        save_performance(tmp_path / "a.npy", iter([]), rest, INFO)


def test_memory_does_not_grow_with_the_length(
    tmp_path: Path, shown: tuple[RestFace, list[ExpressedFrame]]
) -> None:
    rest, frames = shown

    def long(times: int) -> Iterator[ExpressedFrame]:
        base, each = frames[0].at.time_base, frames[-1].at.pts + 1
        for n in range(times):
            yield from (replace(f, at=Instant(n * each + f.at.pts, base)) for f in frames)

    def peak(times: int) -> int:
        tracemalloc.start()
        path = tmp_path / f"{times}.npz"
        save_performance(path, long(times), rest, INFO)
        for _ in open_performance(path).frames():
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(1)
    assert peak(80) < 1.15 * peak(20)
