"""Presets: what they may say, and what is said where they may not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from retarget.errors import RetargetError, UnknownWord
from retarget.expression.settings import SmoothSettings
from retarget.flow.lay_over import lay_over
from retarget.jobs.micro import MicroJob
from retarget.jobs.preset import preset_names
from retarget.jobs.still import StillJob
from retarget.jobs.video import VideoJob
from retarget.transfer.settings import TransferSettings


def mine(folder: Path, text: str) -> VideoJob:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return VideoJob.from_preset(path)


@pytest.mark.parametrize("name", preset_names())
def test_every_shipped_preset_is_one(name: str) -> None:
    plain = VideoJob(driving="drive.mp4", identity="face.jpg")
    job = replace(VideoJob.from_preset(name), driving="drive.mp4", identity="face.jpg")
    assert replace(job, preset=None) != plain


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ('[transfer]\nlost = "holdd"', "Did you mean 'hold'"),
        ('generator = "difusion"', "Did you mean 'diffusion'"),
        ('[diffusion]\ndevice = "kuda"', "Did you mean 'cuda'"),
    ],
)
def test_a_word_that_is_no_choice_is_offered_the_nearest(
    tmp_path: Path, text: str, about: str
) -> None:
    with pytest.raises(UnknownWord, match=about):
        mine(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "output = 3",
        '[source]\nend = "late"',
        '[source]\npicture_rate = "1:02"',
        "[source]\nend = true",
        '[diffusion]\nsteps = "few"',
        "[diffusion]\nsteps = 2.5",
        "[diffusion]\nloras = 3",
        "[diffusion]\nphotos = [1]",
        "transfer = 1",
        "[transfer]\nstrength = 99",
        "[transfer.gain]\njaw = 99",
        "not TOML",
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(RetargetError, match=r"preset"):
        mine(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "do"),
    [
        ('motion = "full"', r"Write it under \[transfer\]\."),
        ("[gain]\njaw = 1.2", r"Write it under \[transfer\.gain\]\."),
        ("jaw = 1.2", r"Write it under \[transfer\.gain\]\."),
        ("[transfer]\ngain = 1.2", r"Write \[transfer\.gain\] and its settings"),
        ("[transfer]\njaw = 1.2", r"Write it under \[transfer\.gain\]\."),
        ("[transfer]\nmoton = 1", "Did you mean 'motion'"),
        ("quality = 95", r"Write it under \[sink\]\."),  # as --quality
        ("patience = 5", r"Write it under \[source\]\."),
        ("[output]\nquality = 95", r"Write quality under \[sink\]\."),
        ("[encode]\nquality = 95\ncodec = 'av1'", r"Write quality and codec under \[sink\]\."),
        (
            "[head]\njaw = 1\nmotion = 'full'",
            r"Known: diffusion, .*transfer, transfer\.gain, warp\.",
        ),
        ("[smoth]\nreach = 1", r"Write reach under \[smooth\]\."),
        ("[smoth]\nrange = 1", "Did you mean 'smooth'"),
    ],
)
def test_a_setting_in_the_wrong_table_is_told_its_own(tmp_path: Path, text: str, do: str) -> None:
    with pytest.raises(RetargetError, match=do):
        mine(tmp_path, text)


def test_an_option_named_as_python_s_own_word_is_written_as_on_the_command_line(
    tmp_path: Path,
) -> None:
    path = tmp_path / "change.toml"
    path.write_text('from = "calm.jpg"\nto = "laughing.jpg"', "utf-8")
    assert MicroJob.from_preset(path).from_ == "calm.jpg"
    path.write_text('form = "calm.jpg"', "utf-8")
    with pytest.raises(UnknownWord, match="Did you mean 'from'"):
        MicroJob.from_preset(path)


def test_in_python_a_preset_fills_in_what_is_as_usual(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[transfer]\nmotion = "full"\nstrength = 0.5\n[smooth]\nreach = 0.4\n')
    job = VideoJob(
        driving="drive.mp4", identity="face.jpg", preset=str(path),
        transfer=TransferSettings(strength=0.7), smooth=SmoothSettings(live=True),
    )  # fmt: skip
    assert (job.transfer.motion, job.transfer.strength) == ("full", 0.7)
    assert job.smooth == SmoothSettings(live=True, reach=0.4)
    later = replace(job, transfer=TransferSettings(motion="expression"))
    assert later.transfer.motion == "expression"


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_for_videos_is_told_to_be_one_where_no_video_is_made(name: str) -> None:
    for job in (StillJob, MicroJob):
        with pytest.raises(RetargetError, match=f"preset {name} sets '.*', which only a video has"):
            job.from_preset(name)


def test_in_python_an_unknown_preset_is_refused() -> None:
    with pytest.raises(UnknownWord, match="'natural'"):
        VideoJob(driving="drive.mp4", identity="face.jpg", preset="naturall")


def test_a_preset_does_not_start_from_another(tmp_path: Path) -> None:
    with pytest.raises(RetargetError, match="another preset"):
        mine(tmp_path, 'preset = "natural"')


def test_values_become_what_their_setting_keeps(tmp_path: Path) -> None:
    job = mine(
        tmp_path,
        'output = "out.mp4"\n[source]\nend = 3\n[track]\nbundle = "face.task"\n'
        '[diffusion]\nsteps = 2\nloras = ["a.safetensors", "b.safetensors"]\n',
    )
    assert job.output == Path("out.mp4")
    assert job.source.end == 3.0
    assert job.track.bundle == Path("face.task")
    assert job.diffusion.steps == 2
    assert job.diffusion.loras == (Path("a.safetensors"), Path("b.safetensors"))


def test_a_time_may_be_written_as_on_the_command_line(tmp_path: Path) -> None:
    job = mine(tmp_path, '[source]\nstart = "3.5s"\nend = "1:02"\n')
    assert (job.source.start, job.source.end) == (3.5, 62.0)


def test_values_are_checked_for_a_job_of_anybody_s_own() -> None:
    @dataclass(frozen=True)
    class Copy:
        output: Path = Path("out.mp4")
        rate: float = 25.0

    laid = lay_over(Copy(), {"output": "new.mp4", "rate": 30}, where="mine.toml")
    assert (laid.output, laid.rate) == (Path("new.mp4"), 30.0)
    with pytest.raises(RetargetError, match=r"mine\.toml: rate must be a number"):
        lay_over(Copy(), {"rate": "fast"}, where="mine.toml")


def test_a_job_that_is_nothing_but_a_preset_says_what_it_lacks() -> None:
    empty = VideoJob.from_preset("natural")
    with pytest.raises(RetargetError, match="no driving and no identity"):
        empty.run()
    with pytest.raises(RetargetError, match=r"no identity.*identity=…\)"):
        next(replace(empty, driving="drive.mp4").frames())


def test_a_preset_s_file_may_end_in_large_letters(tmp_path: Path) -> None:
    path = tmp_path / "MINE.TOML"
    path.write_text("preview = true", "utf-8")
    assert VideoJob(driving="drive.mp4", identity="face.jpg", preset=path).preview
