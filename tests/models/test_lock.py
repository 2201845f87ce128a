"""What a folder remembers of the files that were fetched into it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from retarget.errors import MissingModel
from retarget.models.lock import NAME
from retarget.models.store import Store
from tests.models.conftest import CONTENT, Server, model, sha


def refused(*_: object, **__: object) -> str:
    raise PermissionError(13, "Permission denied")


def test_an_unpinned_file_is_recorded_and_held_to_ever_after(
    server: Server, tmp_path: Path
) -> None:
    unpinned = model(server, sha256=None)
    server.headers = {"X-Repo-Commit": "c0ffee"}
    (path,) = Store(tmp_path).pull([unpinned])
    entry = json.loads((tmp_path / NAME).read_text())["files"]["things/thing.bin"]
    assert (entry["sha256"], entry["revision"]) == (sha(CONTENT), "c0ffee")
    path.unlink()
    server.content = CONTENT + b"newer"
    with pytest.raises(MissingModel, match="recorded in the lock"):
        Store(tmp_path).pull([unpinned])


def test_a_locked_revision_is_the_one_asked_for_again(server: Server, tmp_path: Path) -> None:
    asked: list[str] = []
    unpinned = model(server, sha256=None)
    server.headers = {"X-Repo-Commit": "c0ffee"}
    (path,) = Store(tmp_path).pull([unpinned])
    path.unlink()
    Store(tmp_path).pull([unpinned], progress=lambda *_: asked.append("told"))
    entry = json.loads((tmp_path / NAME).read_text())["files"]["things/thing.bin"]
    assert entry["url"].endswith("/c0ffee/thing.bin")
    assert asked


def test_a_digest_named_by_the_hub_is_held_to(server: Server, tmp_path: Path) -> None:
    server.headers = {"X-Linked-ETag": f'"{sha(b"something else")}"'}
    with pytest.raises(MissingModel, match="named by its server"):
        Store(tmp_path).pull([model(server, sha256=None)])


def test_a_lock_can_be_read_by_whom_the_umask_lets(server: Server, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        Store(tmp_path).pull([model(server)])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o640


def test_a_lock_that_another_user_keeps_closed_is_left_alone_and_the_digest_asked(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = Store(tmp_path).pull([model(server)])
    before = (tmp_path / NAME).read_bytes()
    monkeypatch.setattr(Path, "read_text", refused)  # which root, too, would not be
    assert Store(tmp_path).need(model(server)) == path
    path.write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(MissingModel, match="SHA-256 differs"):
        Store(tmp_path).need(model(server))
    assert (tmp_path / NAME).read_bytes() == before


def test_a_broken_lock_is_said_not_ignored(server: Server, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("{")
    with pytest.raises(MissingModel, match="lock file"):
        Store(tmp_path).pull([model(server)])
