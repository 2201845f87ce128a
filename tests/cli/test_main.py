"""The command line teaches, and says in one sentence what is wrong."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from retarget.cli.main import main
from retarget.cli.parse import WrongWords, job_from
from retarget.errors import UnknownWord
from retarget.jobs.video import VideoJob

SAMPLES = Path(__file__).parents[2] / "samples"


def test_the_first_word_may_be_the_driving_video() -> None:
    job = job_from(["drive.mp4", "--identity", "face.jpg", "--motion", "full", "--gain.mouth", "2"])
    assert isinstance(job, VideoJob)
    assert (job.driving, job.identity) == ("drive.mp4", "face.jpg")
    assert job.transfer.motion == "full"
    assert job.transfer.gain.mouth == 2.0


@pytest.mark.parametrize("named", [["--driving", "drive.mp4"], ["--driving=drive.mp4"]])
@pytest.mark.parametrize("last", [False, True])
def test_the_driving_video_may_be_named_as_in_python(named: list[str], last: bool) -> None:
    identity = ["--identity", "face.jpg"]
    job = job_from([*identity, *named] if last else [*named, *identity])
    assert isinstance(job, VideoJob)
    assert (job.driving, job.identity) == ("drive.mp4", "face.jpg")


def test_a_mistyped_option_is_one_sentence_that_offers_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["drive.mp4", "--identity", "face.jpg", "--motin", "full"]) == 1
    said = capsys.readouterr().err
    assert "--motin" in said
    assert "Did you mean --motion?" in said
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 2


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("--brows", "--gain.brows"), ("--creases=0", "--warp.creases"), ("--gian.jaw", "--gain.jaw")],
)
def test_an_option_without_its_prefix_is_offered_with_it(typed: str, meant: str) -> None:
    with pytest.raises(WrongWords, match=f"Did you mean {meant}[?]"):
        job_from(["drive.mp4", "--identity", "face.jpg", typed, "1"])


@pytest.mark.parametrize(
    "words",
    [
        ["drive.mp4"],
        ["drive.mp4", "--identity", "face.jpg", "--motion", "sideways"],
        ["drive.mp4", "--identity", "face.jpg", "--strength", "much"],
        ["drive.mp4", "other.mp4", "--identity", "face.jpg"],
    ],
)
def test_words_that_make_no_job_are_refused(words: list[str]) -> None:
    with pytest.raises(WrongWords):
        job_from(words)


_BOTH = ["a.mp4", "--identity", "b.jpg"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.mp4"], ["--identity (whose face", "for example: retarget drive.mp4 --identity"]),
        (["fit"], ["the first word (whose expressions", "retarget fit drive.mp4"]),
        ([*_BOTH, "--start", "100ms"], ["--start needs a time, not '100ms'", "1:02.5"]),
        ([*_BOTH, "--end", "1,2"], ["--end needs a time, not '1,2'"]),
        ([*_BOTH, "--quality", "high"], ["--quality needs a whole number, not 'high'"]),
        ([*_BOTH, "--longest-side", "9.5"], ["--longest-side needs a whole number, not '9.5'"]),
        (
            ["still", "--identity", "a.jpg", "--expression", "joy", "--intensity", "0.2", "50%"],
            ["--intensity needs numbers, not '0.2', '50%'"],
        ),
        ([*_BOTH, "--lost", "hol"], ["--lost cannot be 'hol'", "Did you mean 'hold'?"]),
        ([*_BOTH, "--codec", "mpeg4"], ["--codec cannot be 'mpeg4'"]),
        ([*_BOTH, "--diffusion.scheduler", "euler"], ["Known: ddim, dpm, lcm, tcd."]),
        (["-", "-"], ["--identity (whose face"]),
        (["still", "-"], ["--identity (whose face"]),
        (["still", "---"], ["--identity (whose face"]),
        ([*_BOTH, "--motion"], ["--motion needs a value"]),
        ([*_BOTH, "--prevew"], ["Did you mean --preview?"]),
        ([*_BOTH, "--gian.mouth", "2", "--lots", "ease"], ["--gain.mouth", "--lost"]),
        ([*_BOTH, "--smooth.reach", "-1"], ["--smooth.reach must lie in"]),
        ([*_BOTH, "-o", ""], ["-o was given an empty value", "variable"]),
        ([*_BOTH, "--report="], ["--report was given an empty value"]),
        (["", "--identity", "b.jpg"], ["One of the words is empty"]),
        ([*_BOTH, "--out", "c.mp4"], ["no option --out.", "Did you mean --output?"]),
        (["--hlep"], ["no option --hlep.", "Did you mean --help?"]),
        (["--identity", "b.jpg", "--moton", "full"], ["no option --moton.", "mean --motion?"]),
        (["--identity", "b.jpg"], ["the first word"]),
        (["vresion"], ["no command 'vresion'"]),
        (["evalute", "a.mp4", "--driving", "b.mp4"], ["Did you mean 'evaluate'?"]),
    ],
)
def test_what_tyro_refuses_is_said_as_a_person_would(
    words: list[str], said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    told = capsys.readouterr().err
    assert all(part in told for part in said), told
    assert not re.search(r"float|int\(\)|NoneType|STR|PATH|\(required\)|1 values|parse", told)
    assert len(told.strip().splitlines()) == 2


def test_a_file_whose_name_begins_as_an_option_does_is_told_how_to_be_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["a.mp4", "--identity", "-me.jpg"]
    assert main(words) == 1
    assert "Did you mean" not in capsys.readouterr().err
    Path("-me.jpg").touch()
    assert main(words) == 1
    assert "Did you mean --identity=-me.jpg?" in capsys.readouterr().err
    assert main(["-me.jpg", "--identity", "b.jpg"]) == 1
    assert "Did you mean ./-me.jpg?" in capsys.readouterr().err


def test_an_option_that_is_missing_because_it_was_mistyped_is_told_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["still", "--identity", "face.jpg", "--expresion", "joy"]) == 1
    said = capsys.readouterr().err
    assert "Still missing: --expression" in said
    assert "Did you mean --expression?" in said
    assert main(["still"]) == 1
    assert re.search("--identity.*--expression", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["drive.mp4", "face.jpg"], "Did you mean --identity face.jpg?"),
        (["still", "my face.jpg", "--expression", "joy"], "Did you mean --identity 'my face.jpg'?"),
        (["a.mp4", "b.mp4", "--identity", "face.jpg"], "b.mp4 is one word too many"),
        (["a.mp4", "--identity", "b.jpg", "--moton", "full"], "There is no option --moton."),
        (["a.mp4", "b.mp4", "c.mp4", "--identity", "face.jpg"], "b.mp4 is one word too many"),
    ],
)
def test_a_word_that_fits_nowhere_is_called_what_it_is(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    told = capsys.readouterr().err
    assert said in told
    assert "nrecognized" not in told
    assert len(told.strip().splitlines()) == 2


def test_a_mistyped_command_is_offered_the_nearest() -> None:
    with pytest.raises(UnknownWord, match="story"):
        job_from(["stroy"])


def test_a_preset_sets_values_and_options_go_before_it() -> None:
    words = ["drive.mp4", "--identity", "face.jpg", "--preset", "natural"]
    assert job_from(words).transfer.motion == "full"
    job = job_from([*words, "--motion", "expression"])
    assert job.transfer.motion == "expression"
    assert job.transfer.gain.head == pytest.approx(0.6)


def test_an_unknown_preset_is_offered_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drive.mp4", "--identity", "face.jpg", "--preset", "naturel"]) == 1
    assert "Did you mean 'natural'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "No space left on device"),
        (errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
    ],
)
def test_no_room_for_temporary_files_is_one_sentence(
    number: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, said)

    monkeypatch.setattr(VideoJob, "run", full)
    assert main(_BOTH) == 1
    assert capsys.readouterr().err == (
        f"retarget: A temporary file cannot be written: {said}.\n"
        "  Free some space, or name another folder in the environment variable TMPDIR.\n"
    )


@pytest.mark.parametrize("library", ["numpy", "opencv"])
def test_too_little_memory_is_one_sentence(
    library: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def greedy(*_: object) -> None:
        if library == "numpy":
            np.zeros(1 << 56)
        dot = np.zeros((1, 1), np.uint8)
        cv2.copyMakeBorder(dot, 0, 1 << 29, 0, 1 << 29, cv2.BORDER_CONSTANT)

    monkeypatch.setattr(VideoJob, "run", greedy)
    assert main(_BOTH) == 1
    assert "not enough memory" in capsys.readouterr().err


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(VideoJob, "run", wrong)
    with pytest.raises(ZeroDivisionError):
        main(_BOTH)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--warp.creases", "5"),
        ("--smooth.reach", "50"),
        ("--diffusion.expression-scale", "7"),
        ("--track.certainty", "99"),
        ("--certainty", "99"),
        ("--strength", "-1"),
        ("--gain.jaw", "99"),
        ("--quality", "101"),
        ("--picture-rate", "0"),
        ("--longest-side", "1"),
    ],
)
def test_a_setting_out_of_its_range_is_named_once_as_it_was_typed(option: str, value: str) -> None:
    with pytest.raises(WrongWords) as refused:
        job_from(["drive.mp4", "--identity", "face.jpg", option, value])
    assert refused.value.what.startswith(f"{option} must lie in ")


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("still --identity a.jpg --expression joy --tile 8", "--tile"),
        ("still --identity a.jpg --expression joy --intensity 2", "--intensity"),
        ("micro --identity a.jpg --apex-ms 0", "--apex-ms"),
        ("expressions joy --columns 0", "--columns"),
        ("bench --runs 0", "--runs"),
    ],
)
def test_a_job_s_own_ranges_are_told_in_the_same_words(words: str, option: str) -> None:
    with pytest.raises(WrongWords) as refused:
        job_from(words.split())
    assert refused.value.what.startswith(f"{option} must ")
    assert "--help lists every option" in refused.value.do


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, ["mine.toml cannot be read: No such file"]),
        ("strength = = 2", ["mine.toml is not TOML", "line 1"]),
        ("[transfer]\nstrenght = 2.0", ["setting 'strenght' in preset", "[transfer]"]),
        ("[transfer]\nstrength = 'big'", ["must be a number, got 'big'"]),
        ("[transfer]\nlost = 'hol'", ["'hol'", "Did you mean 'hold'?"]),
    ],
)
def test_what_is_wrong_in_a_preset_is_said(
    written: str | None, said: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.toml"
    if written is not None:
        mine.write_text(written, "utf-8")
    assert main([*_BOTH, "--preset", str(mine)]) == 1
    told = capsys.readouterr().err
    assert all(part in told for part in said), told
    assert "Errno" not in told


def test_an_unknown_word_in_a_preset_is_offered_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[transfer]\nstrenght = 2.0\n", "utf-8")
    assert main(["drive.mp4", "--identity", "face.jpg", "--preset", str(mine)]) == 1
    assert "Did you mean 'strength'?" in capsys.readouterr().err


def test_a_missing_file_is_exit_code_1_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "gone.mp4"), "--identity", str(tmp_path / "face.jpg")]) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert said.startswith("retarget: ")


def test_start_and_end_are_seconds_or_times() -> None:
    words = ["drive.mp4", "--identity", "face.jpg"]
    job = job_from([*words, "--start", "3.5s", "--end=1:02.5"])
    assert (job.source.start, job.source.end) == (3.5, 62.5)
    assert job_from([*words, "--end", "4"]).source.end == 4.0
