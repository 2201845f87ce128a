"""A person who looks on sees at any time that something is being done."""

from __future__ import annotations

import io

import pytest

from retarget.cli.main import summary
from retarget.cli.progress import TerminalBar
from retarget.flow.report import Report


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def look_on(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal, from now on: pytest puts its own stream in place once fixtures are made."""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return screen


def test_the_bar_is_there_before_the_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = look_on(monkeypatch)
    with TerminalBar() as bar:
        bar.look()
    assert "looking it over" in terminal.getvalue()


def test_the_bar_says_when_only_the_file_is_left_to_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = look_on(monkeypatch)
    with TerminalBar() as bar:
        for _ in Report(bar=bar).watch(iter(range(2)), 2):
            assert "finishing" not in terminal.getvalue()
    shown = terminal.getvalue()
    assert "2/2" in shown
    assert "finishing" in shown


def test_nothing_moves_where_nobody_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    with TerminalBar() as bar:
        bar.look()
        bar.advance(1, 1)
        bar.warn("No sound.")
    assert log.getvalue() == "note: No sound.\n"


def test_one_picture_has_no_rate() -> None:
    one, two = Report(), Report()
    list(one.watch(iter(range(1)), 1))
    list(two.watch(iter(range(2)), 2))
    assert summary(one) == "1 frame, a face in each"
    assert summary(two).startswith("2 frames, a face in each, ")
    assert summary(two).endswith(" frames/s with start-up")
