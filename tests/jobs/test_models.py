"""Model files as commands: what is listed, what is said of a licence, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from retarget.cli.main import main
from retarget.models import catalog, folders

RESEARCH, FREE = catalog.ARCFACE, catalog.TAESD_CONFIG
NOWHERE = "http://127.0.0.1:9/a/long/way/to/a/file/that/no/terminal/shows/whole/in/its/last/column"


@pytest.fixture(autouse=True)
def only_two_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(folders.VARIABLE, raising=False)
    monkeypatch.setattr(folders, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(catalog, "FILES", tuple(replace(f, url=NOWHERE) for f in (RESEARCH, FREE)))


def lay(folder: Path, file: catalog.ModelFile) -> Path:
    path = folder / file.path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{}")
    return path


def test_the_list_tells_of_each_file_its_purpose_size_licence_source_and_whether_it_is_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lay(tmp_path, FREE)
    assert main(["models", "--models", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    for file, here in ((RESEARCH, "no"), (FREE, "yes")):
        (row,) = [line for line in lines if line.startswith(file.name + " ")]
        assert {here, str(file.megabytes)} <= set(row.split())
        assert file.licence in row and file.serves in row
        assert row.count("*") == (0 if file.commercial else 1)
        assert lines[lines.index(row) + 1].strip() == NOWHERE  # whole, to be copied


def test_what_is_pulled_is_said_with_its_licence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lay(tmp_path, RESEARCH)
    assert main(["models", "pull", RESEARCH.name, "--models", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert str(path) in said and RESEARCH.licence in said and "WebFace42M" in said


def test_a_licence_against_commercial_use_is_not_accepted_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No terminal, nobody to ask: nothing is fetched, not even the file whose licence is free."""
    words = ["models", "pull", "diffusion", "--models", str(tmp_path)]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert RESEARCH.licence in said and "--accept-licence" in said
    assert main([*words, "--accept-licence"]) == 1  # the server is not there
    assert "could not be fetched" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.onnx"))


@pytest.mark.parametrize(
    ("words", "said"),
    [(["push"], "pull"), (["pull"], "what to fetch"), (["pull", "difusion"], "diffusion")],
)
def test_words_that_name_nothing_are_answered_with_the_right_ones(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", *words]) == 1
    assert said in capsys.readouterr().err
