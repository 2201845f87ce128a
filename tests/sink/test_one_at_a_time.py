"""Two runs, or another program, at one place: nothing of either is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from clips import finished, info_for
from programs import run

from retarget.errors import CannotWrite
from retarget.sink.open import open_sink
from retarget.sink.partial import filling
from retarget.sink.settings import SinkSettings
from tests.sink.conftest import NAMES, later, no_links


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("again", [False, True])
def test_what_one_run_writes_no_other_does_until_it_is_there(
    tmp_path: Path, name: str, again: bool
) -> None:
    settings = SinkSettings(overwrite=again)
    with open_sink(tmp_path / name, settings, info=info_for()) as sink:
        sink.write(finished(0))
        with (
            pytest.raises(CannotWrite, match="written by another run"),
            open_sink(tmp_path / name, settings, info=info_for()) as other,
        ):
            other.write(finished(0))
        told = run(later(tmp_path, name)).stderr
        assert "CannotWrite" in told
        assert "written by another run" in told
    run(later(tmp_path, "b.png"))
    assert not list(tmp_path.rglob(".*"))
    if again:
        with open_sink(tmp_path / name, settings, info=info_for()) as sink:
            sink.write(finished(0))


def put(target: Path) -> Path:
    """Make something where a result is to go, as another program might; the file that is made."""
    if not target.suffix:
        target.mkdir()
        target = target / "frame_00000.png"
    file = target.with_name(target.name.replace("%03d", "000"))
    file.write_bytes(b"theirs")
    return file


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_what_another_program_puts_there_meanwhile_stays_and_the_result_is_kept_beside_it(
    tmp_path: Path, name: str, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    said: list[str] = []
    target = tmp_path / name
    place = target.with_name(f"{target.stem}_3{target.suffix}")
    second = target.with_name(f"{target.stem}_2{target.suffix}")
    with open_sink(target, info=info_for(), warn=said.append) as sink:
        sink.write(finished(0))
        made = [put(target), put(second)]
        assert sink.target == target
    assert [file.read_bytes() for file in made] == [b"theirs"] * 2
    assert sink.target == place
    assert said == [f"Another program made {target} meanwhile, so the result is {place}."]
    ours = place.with_name(place.name.replace("%03d", "000"))
    ours = ours if ours.suffix else ours / "frame_00000.png"
    assert ours.stat().st_size > len(b"theirs")
    assert not list(tmp_path.rglob(".*"))


def test_what_may_be_replaced_is_replaced_whenever_it_came(tmp_path: Path) -> None:
    settings = SinkSettings(overwrite=True)
    with open_sink(tmp_path / "a.mp4", settings, info=info_for()) as sink:
        sink.write(finished(0))
        put(tmp_path / "a.mp4")
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_bytes() != b"theirs"


def test_a_folder_is_filled_by_one_run_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "set"
    with filling(place), pytest.raises(CannotWrite, match="another run"), filling(place):
        pass
    with filling(place) as folder:
        assert list(folder.iterdir()) == []
    monkeypatch.chdir(place)
    with filling(Path()) as folder:
        assert list(folder.iterdir()) == []
        with pytest.raises(CannotWrite, match="another run"), filling(place):
            pass
