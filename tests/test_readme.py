"""What the README shows runs as it stands there."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from retarget.cli.parse import job_from
from retarget.jobs.look import Looker
from retarget.jobs.micro_set import read_set
from retarget.jobs.storyboard_file import read_storyboard
from retarget.language.words import shipped_words

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    """The words after `retarget` of every command that stands on lines of its own."""
    lines = (line.split("  #")[0] for line in re.findall(r"^    (.*)$", README, re.MULTILINE))
    calls = (call.strip() for line in lines for call in line.split("&&"))
    return [shlex.split(call)[1:] for call in calls if call.startswith("retarget ")]


def test_every_command_is_one_that_is_understood() -> None:
    assert len(commands()) > 15
    for words in commands():
        assert job_from(words) is not None, words


def test_the_files_it_shows_are_understood_as_they_stand(tmp_path: Path) -> None:
    shown = re.findall(r"```toml\n# (\S+)\n(.*?)```", README, re.DOTALL)
    for name, text in shown:
        (tmp_path / name).write_text(text, encoding="utf-8")
    for who in ("anna", "ben"):
        shutil.copy(ROOT / "samples" / "face.jpg", tmp_path / f"{who}.jpg")
    words, look = shipped_words(), Looker(tmp_path)
    board = read_storyboard(tmp_path / "story.toml", outside=False, words=words, look=look)
    assert [panel.caption for panel in board.panels] == ["Good morning."]
    whole = read_set(tmp_path / "stimuli.toml", outside=False, words=words, look=look)
    assert (len(whole.stimuli), whole.participants) == (8, 24)


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    for name in ("drive.mp4", "face.jpg"):
        shutil.copy(ROOT / "samples" / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    shown: dict[str, object] = {}
    code, cameras = re.subn(r"VideoCapture\(0\)", 'VideoCapture("drive.mp4")', code)
    assert cameras == 1
    exec(compile(code, "README.md", "exec"), shown)
    assert (tmp_path / "out.mp4").stat().st_size > 10_000
    finished = shown["finished"]
    assert finished.frame.rgb.shape[2] == 3  # type: ignore[attr-defined]
    live = shown["live"]
    assert live.request is not None  # type: ignore[attr-defined]
