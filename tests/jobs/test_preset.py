"""Presets: what they may say, and what is said where they may not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from retarget.errors import RetargetError, UnknownWord
from retarget.jobs.preset import preset_names
from retarget.jobs.video import VideoJob


def mine(folder: Path, text: str) -> VideoJob:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return VideoJob.from_preset(str(path))


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
        "[source]\nend = true",
        '[diffusion]\nsteps = "few"',
        "[diffusion]\nsteps = 2.5",
        '[diffusion]\nloras = "a.safetensors"',
        "[diffusion]\nphotos = [1]",
        "transfer = 1",
        "[transfer.gain]\njaw = 99",
        "not TOML",
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(RetargetError, match=r"preset|gain"):
        mine(tmp_path, text)


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
