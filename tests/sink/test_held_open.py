"""Results and other files that another program has open, as Windows refuses to rename them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from retarget.errors import CannotWrite
from retarget.flow import atomic_files
from tests.sink.conftest import NAMES, Save, no_links


def opened(monkeypatch: pytest.MonkeyPatch, times: int) -> Iterator[int]:
    """Refuse to rename as Windows does while another program has a file open.

    Returns:
        one number for each time that is left.
    """
    left, replace = iter(range(times)), Path.replace

    def refuse(file: Path, to: Path) -> Path:
        if next(left, None) is None:
            return replace(file, to)
        error = PermissionError(errno.EACCES, "Access is denied", str(file))
        error.winerror = 5  # type: ignore[attr-defined]
        raise error

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(atomic_files, "_WAITS", (0.0, 0.0))
    return left


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_result_that_a_virus_scanner_looks_at_for_a_moment_is_kept(
    save: Save, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, again: bool
) -> None:
    if again:
        save(name, count=1)
    monkeypatch.setattr(os, "link", no_links)
    left = opened(monkeypatch, times=2)
    save(name, count=1, overwrite=again)
    assert list(left) == []
    assert not list(tmp_path.glob(".*"))


def test_a_result_that_a_player_has_open_is_told_and_stays(
    save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = save("a.mp4", count=1).read_bytes()
    opened(monkeypatch, times=9)
    with pytest.raises(CannotWrite, match=r"a\.mp4 cannot be replaced: another program may"):
        save("a.mp4", count=1, overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_bytes() == before


def test_a_result_stays_that_cannot_be_taken_its_hidden_name(
    save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scanner on Windows may still have it open under that name."""

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "in use", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert save("a.png", count=1).stat().st_size > 100
