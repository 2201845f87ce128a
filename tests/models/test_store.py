"""Models found, fetched and verified, against a small server on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from retarget.errors import CannotWrite, MissingModel
from retarget.models import catalog, folders
from retarget.models.lock import NAME
from retarget.models.store import Store
from tests.models.conftest import CONTENT, Server, model


def left_over(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file() and p.name != NAME)


def test_a_pulled_file_lies_whole_at_its_place(server: Server, tmp_path: Path) -> None:
    (path,) = Store(tmp_path / "m").pull([model(server)])
    assert path == tmp_path / "m" / "things" / "thing.bin"
    assert path.read_bytes() == CONTENT
    assert left_over(tmp_path / "m") == ["thing.bin"]


def test_a_file_that_is_here_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        Store(tmp_path).pull([model(server)])
    assert len(server.ranges) == 1


def test_a_tampered_file_is_refused_and_not_kept(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT[:-1] + b"!"
    with pytest.raises(MissingModel, match="not the file it should be"):
        Store(tmp_path).pull([model(server)])
    assert left_over(tmp_path) == []


def test_a_folder_that_cannot_be_looked_into_holds_nothing() -> None:
    store = Store(Path("m" * 300))
    assert not any(row.found for row in store.status())
    with pytest.raises(MissingModel, match="is not here"):
        store.need(catalog.LANDMARKER)
    with pytest.raises(MissingModel, match="is missing"):
        store.part("unet")


def test_a_file_changed_on_the_disk_is_refused_when_it_is_needed(
    server: Server, tmp_path: Path
) -> None:
    (path,) = Store(tmp_path).pull([model(server)])
    assert Store(tmp_path).need(model(server)) == path
    path.write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(MissingModel, match="SHA-256 differs"):
        Store(tmp_path).need(model(server))


def test_a_file_laid_there_by_its_user_is_taken_as_it_is(tmp_path: Path) -> None:
    unpinned = model(sha256=None, elsewhere=("thing.bin",))
    (tmp_path / "thing.bin").write_bytes(b"mine")
    assert Store(tmp_path).need(unpinned) == tmp_path / "thing.bin"


def test_a_missing_file_says_which_and_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path / "named"))
    with pytest.raises(MissingModel) as told:
        Store(tmp_path / "given").need(model())
    for folder in ("given", "named", "cache"):
        assert str(tmp_path / folder / "things" / "thing.bin") in told.value.what
    assert "retarget models pull thing" in told.value.do


def test_folders_are_looked_in_from_the_given_one_to_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path / "named"))
    store = Store(tmp_path / "given")
    for name in ("cache", "named", "given"):
        path = tmp_path / name / "things" / "thing.bin"
        path.parent.mkdir(parents=True)
        path.write_bytes(CONTENT)
        assert store.find(model()) == path


def test_a_licence_that_forbids_commercial_use_is_asked_about_before_anything_is_fetched(
    server: Server, tmp_path: Path
) -> None:
    strict = model(server, commercial=False, licence="research only")
    with pytest.raises(MissingModel, match="research only"):
        Store(tmp_path).pull([strict])
    with pytest.raises(MissingModel, match="research only"):
        Store(tmp_path).pull([strict], confirm=lambda _: False)
    assert server.ranges == []
    assert Store(tmp_path).pull([strict], confirm=lambda _: True)


def test_an_accepted_licence_is_not_asked_about(server: Server, tmp_path: Path) -> None:
    strict = model(server, commercial=False)
    assert Store(tmp_path).pull([strict], accept_licence=True)


def test_a_folder_that_is_a_file_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(CannotWrite):
        Store(tmp_path / "models").pull([model(server)])


def test_status_lists_every_file_and_what_is_here(tmp_path: Path) -> None:
    path = tmp_path / catalog.TAESD_CONFIG.path
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    rows = Store(tmp_path).status()
    assert [row.file for row in rows] == list(catalog.FILES)
    assert [row.file.name for row in rows if row.found] == ["taesd-config"]
