"""The command as a person uses it, with whatever model files the machine has."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retarget.cli.main import main
from retarget.errors import UnreadableInput
from retarget.evaluation.compare import compare
from retarget.evaluation.evaluate import evaluate
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.values import Observed
from tests.evaluation.conftest import Picture, write_clip

pytestmark = pytest.mark.usefixtures("estimators")


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, face: Picture, performed: list[Picture]
) -> Path:
    out = tmp_path_factory.mktemp("job")
    write_clip(out / "drive.mp4", performed[:6], sound_shift=0.0)
    Image.fromarray(face).save(out / "face.png")
    noise = np.random.default_rng(0).integers(0, 255, (6, 96, 96, 3)).astype(np.uint8)
    write_clip(out / "noise.mp4", list(noise))
    (out / "text.mp4").write_text("this is no video", "utf-8")
    return out


def words(folder: Path, result: str, *more: str) -> list[str]:
    told = ("--driving", str(folder / "drive.mp4"), "--identity", str(folder / "face.png"))
    return ["evaluate", str(folder / result), *told, "--faces", "2", *more]


def test_one_command_prints_a_table_and_writes_figures_and_page(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, page = tmp_path / "out.json", tmp_path / "out.html"
    assert main(words(folder, "drive.mp4", "--json", str(figures), "--page", str(page))) == 0
    assert "sound packets equal" in capsys.readouterr().out
    told = json.loads(figures.read_text("utf-8"))
    assert told["measures"]["expression.ratio_error"]["value"] == 0
    assert told["measures"]["sound.offset"]["value"] == 0
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_only_the_groups_that_were_asked_for_are_measured(folder: Path, tmp_path: Path) -> None:
    figures = tmp_path / "out.json"
    more = ("--json", str(figures), "--measure", "identity", "sound")
    assert main(words(folder, "drive.mp4", *more)) == 0
    keys = json.loads(figures.read_text("utf-8"))["measures"]
    assert {k.split(".")[0] for k in keys} == {"identity", "sound"}


def test_names_do_for_files_which_are_looked_for_before_any_is_read(folder: Path) -> None:
    drive, face = str(folder / "drive.mp4"), str(folder / "face.png")
    found = evaluate(drive, drive, face, EvaluateSettings(measure="sound"))
    assert (found.result, found.identity) == (folder / "drive.mp4", folder / "face.png")
    for measured in (evaluate, lambda result, *others: compare([result], *others)):
        with pytest.raises(UnreadableInput, match=r"no file absent\.mp4"):
            measured("absent.mp4", str(folder / "text.mp4"), face)


def test_what_was_not_asked_for_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def untouched(*_: object) -> None:
        raise AssertionError("MediaPipe was opened")

    monkeypatch.setattr("retarget.evaluation.observe.TasksEstimator", untouched)
    monkeypatch.setattr("retarget.evaluation.model_files.landmarker", lambda settings: folder / "b")
    assert main(words(folder, "drive.mp4", "--measure", "identity")) == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("noise.mp4",), "No face is seen"),
        (("text.mp4",), "text.mp4"),
        (("absent.mp4",), "absent.mp4"),
        (("drive.mp4", "--measure", "identitty"), "'identity'"),
        (("drive.mp4", "--faces", "0"), "--faces must be 1 or more"),
        (("drive.mp4", "--landmarker", "absent.task"), "absent.task"),
        (("drive.mp4", "--compare", "a.mp4"), "too much at once"),
        (("drive.mp4", "--start", "60"), "shown together"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence_and_leaves_no_file(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    given: tuple[str, ...],
    said: str,
) -> None:
    out = tmp_path / "out.json"
    assert main(words(folder, *given, "--json", str(out))) == 1
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert not list(tmp_path.iterdir())


def test_a_photo_without_a_face_is_refused_before_any_video_is_read(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(np.full((200, 200, 3), 120, np.uint8)).save(tmp_path / "wall.png")
    told = ["--driving", str(folder / "text.mp4"), "--identity", str(tmp_path / "wall.png")]
    assert main(["evaluate", str(folder / "drive.mp4"), *told]) == 1
    assert "sees no face in" in capsys.readouterr().err


def test_a_result_alone_asks_for_what_drove_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "x.mp4"]) == 1
    assert "--driving" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "idle"),
    [
        (("--stimuli", "set", "--page", "out.html"), "--page does not count beside --stimuli"),
        (("--suite", "s.toml", "--driving", "a.mp4"), "--driving does not count beside --suite"),
        (("a.mp4", "--folder", "results"), "--folder does not count beside a result"),
    ],
)
def test_an_option_that_would_not_count_is_refused(
    asked: tuple[str, ...], idle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *asked]) == 1
    assert idle in capsys.readouterr().err


def test_a_result_that_is_not_there_is_said_before_the_driving_video_is_read(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise AssertionError("the driving video was read")

    monkeypatch.setattr("retarget.evaluation.evaluate.evaluate", read)
    monkeypatch.setattr("retarget.evaluation.compare.compare", read)
    assert main(words(folder, "absent.mp4")) == 1
    given = words(folder, "absent.mp4")
    assert main([given[0], "--compare", *given[1:]]) == 1
    assert capsys.readouterr().err.count("There is no file") == 2


def test_a_performance_is_no_driving_video_to_measure_against(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "drive.npz"
    saved.write_bytes(b"weights")
    told = ["--driving", str(saved), "--identity", str(folder / "face.png")]
    assert main(["evaluate", str(folder / "drive.mp4"), *told]) == 1
    assert "drive.npz is a saved performance" in capsys.readouterr().err


def test_two_results_are_ranked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drive = str(folder / "drive.mp4")
    told = ["--driving", drive, "--identity", str(folder / "face.png"), "--faces", "1"]
    assert main(["evaluate", "--compare", drive, drive, *told]) == 0
    assert "2. drive.mp4" in capsys.readouterr().out


def test_what_is_kept_of_a_frame_is_about_a_kilobyte(seen: dict[str, Observed]) -> None:
    observed = seen["driving"]
    arrays = [getattr(observed, name) for name in observed.__slots__]
    kept = sum(a.nbytes for a in arrays if isinstance(a, np.ndarray))
    assert kept / len(observed) < 1500


@pytest.mark.parametrize("form", ["--json", "--page"])
@pytest.mark.parametrize("name", ["drive.mp4", "face.png", "none/out.x"])
def test_a_form_that_may_not_be_written_is_refused_before_anything_is_measured(
    folder: Path, form: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {p: p.read_bytes() for p in folder.iterdir()}
    assert main(words(folder, "text.mp4", form, str(folder / name))) == 1
    said = capsys.readouterr().err
    assert ("no folder" if name.startswith("none") else "also read") in said
    assert {p: p.read_bytes() for p in folder.iterdir()} == before
