"""The help teaches: examples that run, whole lines, options as they are written."""

from __future__ import annotations

import re

import pytest

from retarget.cli.commands import COMMANDS
from retarget.cli.main import main
from retarget.cli.overview import overview
from retarget.cli.parse import job_from
from retarget.jobs.micro_set import ENTRIES as SET_ENTRIES
from retarget.jobs.storyboard_file import (
    CHARACTER_ENTRIES,
    FRAMINGS,
    LAYOUTS,
    PANEL_ENTRIES,
    STORY_ENTRIES,
)
from retarget.language.steps import STEP_ENTRIES


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_shows_examples_and_every_command(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "retarget drive.mp4 --identity face.jpg" in said
    assert all(re.search(rf"^  {name} ", said, re.MULTILINE) for name in COMMANDS)


def test_every_option_of_the_examples_is_one_that_its_command_takes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for line in overview().splitlines():
        for call in re.findall(r"^  retarget (.*)|&& retarget (.*)", line):
            words = "".join(call).split("&&")[0].split()
            command = words[0] if words[0] in COMMANDS else "video"
            with pytest.raises(SystemExit):
                main([command, "--help"])
            taken = capsys.readouterr().out
            for option in (w for w in words if w.startswith("-") and w != "--help"):
                assert re.search(rf"(^|[\s,]){re.escape(option)}\b", taken), (command, option)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert not end.value.code
    assert "--help" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("story", {*STORY_ENTRIES, *CHARACTER_ENTRIES, *PANEL_ENTRIES, *FRAMINGS, *LAYOUTS}),
        ("micro", {*SET_ENTRIES, *STEP_ENTRIES}),
    ],
)
def test_help_names_every_entry_of_the_files_that_a_command_reads(
    name: str,
    entries: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    with pytest.raises(SystemExit):
        main([name, "--help"])
    told = set(re.findall(r"[\w-]+", capsys.readouterr().out))
    assert {entry for entry in entries if entry not in told} == set()


def test_help_breaks_a_line_only_where_it_is_full(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    with pytest.raises(SystemExit):
        main(["drive.mp4", "--help"])
    said = capsys.readouterr().out.splitlines()
    told = next(line for line in said if "Whose face: a photo, or a clip" in line)
    assert "whose own blinks are left out." in told


def test_help_tells_an_option_that_may_be_left_out_by_what_it_takes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["drive.mp4", "--help"])
    told = capsys.readouterr().out
    assert "-o PATH, --output PATH" in told
    assert "None" not in told
    job = job_from(["drive.mp4", "--identity", "face.jpg", "--preset", "natural", "--end", "None"])
    assert job.source.end is None


@pytest.mark.parametrize("name", COMMANDS)
def test_help_gives_no_default_that_cannot_be_read(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([name, "--help"])
    told = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "(default: )" not in told


def test_help_may_come_before_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["help", "fit"])
    assert not end.value.code
    assert "retarget fit drive.mp4" in capsys.readouterr().out
