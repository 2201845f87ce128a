"""What a server sends, and how much of it is believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from retarget.errors import MissingModel
from retarget.models.lock import NAME
from retarget.models.store import Store
from tests.models.conftest import CONTENT, Server, model, sha


def left_over(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file() and p.name != NAME)


def test_a_cut_connection_keeps_what_came_and_the_next_pull_goes_on_from_there(
    server: Server, tmp_path: Path
) -> None:
    server.breaks_after = 300_000
    with pytest.raises(MissingModel, match="could not be fetched"):
        Store(tmp_path).pull([model(server)])
    assert Store(tmp_path).find(model(server)) is None
    have = (tmp_path / "things" / "thing.bin.part").stat().st_size
    assert 0 < have <= 300_000
    (path,) = Store(tmp_path).pull([model(server)])
    assert server.ranges == [None, f"bytes={have}-"]
    assert path.read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_begun_anew(server: Server, tmp_path: Path) -> None:
    server.breaks_after = 300_000
    with pytest.raises(MissingModel):
        Store(tmp_path).pull([model(server)])
    server.content, server.etag = CONTENT[::-1], '"second"'
    (path,) = Store(tmp_path).pull([model(server, sha256=sha(CONTENT[::-1]))])
    assert path.read_bytes() == CONTENT[::-1]


def test_what_came_whole_but_was_never_verified_is_begun_anew(
    server: Server, tmp_path: Path
) -> None:
    part = tmp_path / "things" / "thing.bin.part"
    part.parent.mkdir()
    part.write_bytes(CONTENT)
    part.with_name(part.name + ".etag").write_text(server.etag)
    (path,) = Store(tmp_path).pull([model(server)])
    assert server.ranges == [f"bytes={len(CONTENT)}-", None]
    assert path.read_bytes() == CONTENT


def test_what_came_under_a_mark_that_does_not_promise_equal_bytes_is_begun_anew(
    server: Server, tmp_path: Path
) -> None:
    server.etag, server.breaks_after = 'W/"first"', 400_000
    with pytest.raises(MissingModel):
        Store(tmp_path).pull([model(server)])
    (path,) = Store(tmp_path).pull([model(server)])
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None, None]


def test_a_redirect_away_from_https_is_refused(server: Server, tmp_path: Path) -> None:
    server.redirect = "http://example.invalid/thing.bin"
    with pytest.raises(MissingModel, match="not an https address"):
        Store(tmp_path).pull([model(server)])


def test_a_local_file_is_no_address(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(CONTENT)
    with pytest.raises(MissingModel, match="not an https address"):
        Store(tmp_path / "m").pull([model(url=(tmp_path / "x").as_uri())])


def test_far_more_than_was_expected_is_not_taken(server: Server, tmp_path: Path) -> None:
    server.content = bytes(21_000_000)
    with pytest.raises(MissingModel, match="21 MB"):
        Store(tmp_path).pull([model(server)])
    assert left_over(tmp_path) == []


def test_far_more_than_was_expected_is_not_taken_of_a_server_that_does_not_say_how_much(
    server: Server, tmp_path: Path
) -> None:
    server.content, server.tells_length = bytes(30_000_000), False
    with pytest.raises(MissingModel, match="were expected"):
        Store(tmp_path).pull([model(server)])
    assert left_over(tmp_path) == []


def test_a_web_page_in_place_of_the_file_is_refused(server: Server, tmp_path: Path) -> None:
    server.headers = {"Content-Type": "text/html; charset=utf-8"}
    with pytest.raises(MissingModel, match="web page"):
        Store(tmp_path).pull([model(server, sha256=None)])


@pytest.mark.parametrize("status", [401, 404, 503])
def test_a_refusal_of_the_server_is_one_sentence(
    server: Server, tmp_path: Path, status: int
) -> None:
    server.status = status
    with pytest.raises(MissingModel, match=str(status)):
        Store(tmp_path).pull([model(server)])


def test_no_server_at_all_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MissingModel, match="could not be fetched"):
        Store(tmp_path).pull([model(url="http://127.0.0.1:9/thing.bin")])


def test_progress_ends_at_the_whole_file(server: Server, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    Store(tmp_path).pull(
        [model(server)], progress=lambda _, done, total: told.append((done, total))
    )
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
