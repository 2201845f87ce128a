"""A saved performance is the performance."""

from __future__ import annotations

import csv
import errno
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
from retarget.expression.live_link import HEADER
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
    np.testing.assert_allclose(one.detail, two.detail, atol=2e-4)


@pytest.mark.parametrize("name", ["a.npz", "a.csv"])
def test_a_string_names_a_performance_as_a_path_does(
    tmp_path: Path, shown: tuple[RestFace, list[ExpressedFrame]], name: str
) -> None:
    rest, frames = shown
    saved = save_performance(str(tmp_path / name), iter(frames), rest, INFO)
    back = open_performance(str(saved))
    assert back.path == tmp_path / name
    assert back.info.count == len(frames)


@pytest.mark.parametrize("name", ["a.npz", "a.csv"])
def test_what_could_not_be_read_again_is_not_written(
    tmp_path: Path, shown: tuple[RestFace, list[ExpressedFrame]], name: str
) -> None:
    rest, frames = shown
    lost = replace(frames[0].pose, rotation=np.full((3, 3), np.nan))
    for wrong in ([], [frames[0], frames[0]], [replace(frames[0], pose=lost)]):
        with pytest.raises(CannotWrite, match=name):
            save_performance(tmp_path / name, iter(wrong), rest, INFO)
    assert list(tmp_path.iterdir()) == []


def test_times_too_fine_for_a_table_are_refused_for_it_alone(
    tmp_path: Path, shown: tuple[RestFace, list[ExpressedFrame]]
) -> None:
    rest, frames = shown
    close = [frames[0], replace(frames[1], at=Instant(1, Fraction(1, 1_000_000)))]
    save_performance(tmp_path / "a.npz", iter(close), rest, INFO)
    with pytest.raises(CannotWrite, match=r"Line 3 of a\.csv has a time that is not later"):
        save_performance(tmp_path / "a.csv", iter(close), rest, INFO)


@pytest.mark.parametrize("name", ["a.npz", "a.csv"])
def test_what_fails_in_reading_is_not_told_of_as_writing(
    tmp_path: Path, shown: tuple[RestFace, list[ExpressedFrame]], name: str
) -> None:
    rest, frames = shown

    def broken() -> Iterator[ExpressedFrame]:
        yield frames[0]
        raise TimeoutError("the camera's")

    with pytest.raises(TimeoutError, match="the camera's"):
        save_performance(tmp_path / name, broken(), rest, INFO)
    assert list(tmp_path.iterdir()) == []


def test_while_one_saves_to_a_place_no_other_does(
    tmp_path: Path, shown: tuple[RestFace, list[ExpressedFrame]]
) -> None:
    rest, frames = shown

    def while_another_saves() -> Iterator[ExpressedFrame]:
        yield frames[0]
        with pytest.raises(CannotWrite, match="another run"):
            save_performance(tmp_path / "a.npz", iter(frames), rest, INFO)
        yield frames[1]

    save_performance(tmp_path / "a.npz", while_another_saves(), rest, INFO)
    back = open_performance(tmp_path / "a.npz")
    assert len(list(back.frames())) == 2


def test_an_npz_gives_back_all_that_was_put_in(
    tmp_path: Path, shown: tuple[RestFace, list[ExpressedFrame]]
) -> None:
    rest, frames = shown
    path = save_performance(tmp_path / "a.npz", iter(frames), rest, INFO)
    back = open_performance(path)
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
    back = open_performance(path)
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
        chunk, nowhere = arrays["frames_00000"].copy(), arrays["rest"].copy()
    nowhere["head"][0, 3] = np.nan
    staring = nowhere.copy()
    staring["head"][0, 3], staring["gaze"] = 0.0, 1e30
    mirrored = np.diag([-1.0, 1.0, 1.0])
    flat = nowhere.copy()
    flat["head"] = 0
    timeless = {**header, "info": {**header["info"], "time_base": "0"}}
    endless = {**header, "info": {**header["info"], "rate": "1e18"}}
    longest = {**header, "info": {**header["info"], "duration": "1e9999999999"}}
    restless = {name: said for name, said in header.items() if name != "rest"}

    def headed(said: dict[str, object]) -> bytes:
        return npy(np.frombuffer(json.dumps(said).encode(), np.uint8))

    def changed(field: str, value: object) -> bytes:
        other = chunk.copy()
        other[field][3] = value
        return npy(other)

    bomb = npy(np.zeros(40_000_000, np.uint8))
    cut = tmp_path / "cut.npz"
    cut.write_bytes(whole.read_bytes()[:-200])
    newer, data = tmp_path / "newer.npz", bytearray(whole.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 6] = 255  # the version of zip that is needed to read it
    newer.write_bytes(data)
    for path, says in [
        (tmp_path / "none.npz", "There is no file"),
        (cut, "not a zip archive"),
        (newer, "not a zip archive"),
        (rewritten(whole, "header.npy", headed({**header, "version": 99})), "version 99"),
        (rewritten(whole, "header.npy", headed({**header, "blendshapes": 5})), "are others"),
        (rewritten(whole, "header.npy", headed(timeless)), "its header is damaged"),
        (rewritten(whole, "header.npy", headed(endless)), "its header is damaged"),
        (rewritten(whole, "header.npy", headed(longest)), "its header is damaged"),
        (rewritten(whole, "header.npy", headed(restless)), "its header is damaged"),
        (rewritten(whole, "header.npy", npy(np.frombuffer(b"[" * 9000, np.uint8))), "damaged"),
        (rewritten(whole, "rest.npy", npy(flat)), "its rest is damaged"),
        (rewritten(whole, "frames_00000.npy", changed("weights", np.nan)), "NaN"),
        (rewritten(whole, "frames_00000.npy", changed("scale", 0.0)), "no size"),
        (rewritten(whole, "frames_00000.npy", changed("weights", -3e38)), "weights beyond"),
        (rewritten(whole, "frames_00000.npy", changed("gaze", 1e30)), "gaze beyond"),
        (rewritten(whole, "frames_00000.npy", changed("rotation", 1e30)), "rotation beyond"),
        (rewritten(whole, "frames_00000.npy", changed("rotation", 0.0)), "not turned but bent"),
        (rewritten(whole, "frames_00000.npy", changed("rotation", mirrored)), "not turned"),
        (rewritten(whole, "frames_00000.npy", changed("pts", -5)), "not later"),
        (rewritten(whole, "frames_00000.npy", changed("duration", (-1, 25))), "negative"),
        (rewritten(whole, "frames_00000.npy", changed("time_base", (0, 25))), "not later"),
        (rewritten(whole, "frames_00000.npy", bomb), "too large"),
        (rewritten(whole, "frames_00000.npy", npy(np.zeros(5))), "holds something else"),
        (rewritten(whole, "rest.npy", b"nonsense"), "rest.npy is damaged"),
        (rewritten(whole, "rest.npy", npy(nowhere)), "its rest is damaged"),
        (rewritten(whole, "rest.npy", npy(nowhere[:0])), "its rest is damaged"),
        (rewritten(whole, "rest.npy", npy(staring)), "its rest is damaged"),
    ]:
        with pytest.raises(UnreadableInput, match=says):
            list(open_performance(path).frames())


@pytest.mark.parametrize("name", ["a.npz", "a.csv"])
def test_a_locked_file_is_not_called_damaged(
    name: str,
    tmp_path: Path,
    shown: tuple[RestFace, list[ExpressedFrame]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rest, frames = shown
    path = save_performance(tmp_path / name, iter(frames), rest, INFO)

    def locked(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", locked)
    monkeypatch.setattr(zipfile, "ZipFile", locked)
    with pytest.raises(UnreadableInput, match="may not be read by you"):
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
