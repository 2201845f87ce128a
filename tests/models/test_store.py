"""Models found, fetched and verified, against a small server on this machine."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from retarget.errors import CannotWrite, MissingModel, UnknownWord
from retarget.models import catalog, folders, parts
from retarget.models.catalog import ModelFile
from retarget.models.lock import NAME
from retarget.models.store import Store

CONTENT = bytes(range(256)) * 4096  # 1 MiB


@dataclass
class Server:
    """What the server serves, and what it was asked for."""

    address: str = ""
    content: bytes = CONTENT
    etag: str = '"first"'
    breaks_after: int | None = None
    """Bytes after which the connection is cut, once."""
    headers: dict[str, str] = field(default_factory=dict)
    tells_length: bool = True
    redirect: str | None = None
    status: int = 200
    ranges: list[str | None] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    serving = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            serving.ranges.append(self.headers.get("Range"))
            if serving.redirect or serving.status != 200:
                self.send_response(302 if serving.redirect else serving.status)
                self.send_header("Location", serving.redirect or "")
                self.end_headers()
                return
            start = 0
            unchanged = self.headers.get("If-Range", serving.etag) == serving.etag
            if unchanged and self.headers.get("Range"):
                start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if start >= len(serving.content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if serving.tells_length:
                self.send_header("Content-Length", str(len(serving.content) - start))
            self.send_header("ETag", serving.etag)
            for name, value in serving.headers.items():
                self.send_header(name, value)
            self.end_headers()
            until, serving.breaks_after = serving.breaks_after, None
            with contextlib.suppress(ConnectionError):  # a client may hang up
                self.wfile.write(serving.content[start:until])

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        serving.address = f"http://127.0.0.1:{running.server_address[1]}"
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield serving
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_other_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(folders.VARIABLE, raising=False)
    monkeypatch.setattr(folders, "cache", lambda: tmp_path / "cache")


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def model(server: Server | None = None, **changes: object) -> ModelFile:
    address = server.address if server else "https://example.invalid"
    file = ModelFile(
        name="thing", serves="a test", group="tests", path="things/thing.bin",
        url=address + "/{revision}/thing.bin", megabytes=1, licence="MIT", commercial=True,
        sha256=sha(CONTENT),
    )  # fmt: skip
    return replace(file, **changes)  # type: ignore[arg-type]


def refused(*_: object, **__: object) -> str:
    raise PermissionError(13, "Permission denied")


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


def test_a_tampered_file_is_refused_and_not_kept(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT[:-1] + b"!"
    with pytest.raises(MissingModel, match="not the file it should be"):
        Store(tmp_path).pull([model(server)])
    assert left_over(tmp_path) == []


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


def test_a_folder_that_is_a_file_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(CannotWrite):
        Store(tmp_path / "models").pull([model(server)])


def test_a_broken_lock_is_said_not_ignored(server: Server, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("{")
    with pytest.raises(MissingModel, match="lock file"):
        Store(tmp_path).pull([model(server)])


def test_progress_ends_at_the_whole_file(server: Server, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    Store(tmp_path).pull(
        [model(server)], progress=lambda _, done, total: told.append((done, total))
    )
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_status_lists_every_file_and_what_is_here(tmp_path: Path) -> None:
    path = tmp_path / catalog.TAESD_CONFIG.path
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    rows = Store(tmp_path).status()
    assert [row.file for row in rows] == list(catalog.FILES)
    assert [row.file.name for row in rows if row.found] == ["taesd-config"]


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("models", "models/lcm_lora/pytorch_lora_weights.safetensors"),
        ("models", "lcm-lora-sdv1-5/pytorch_lora_weights.safetensors"),
        (".", "models/lcm-lora-sdv1-5/pytorch_lora_weights.safetensors"),
    ],
)
def test_a_file_in_any_place_of_the_published_layout_is_found_and_held_to_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, place: str
) -> None:
    (tmp_path / "models").mkdir()
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(CONTENT)
    right = replace(catalog.LCM_LORA, sha256=sha(CONTENT))
    monkeypatch.setattr(catalog, "FILES", (right,))
    store = Store(tmp_path / given)
    assert [row.found for row in store.status()] == [path]
    assert store.part("lcm-lora") == path
    monkeypatch.setattr(catalog, "FILES", (catalog.LCM_LORA,))
    with pytest.raises(MissingModel, match="SHA-256 differs"):
        Store(tmp_path / given).part("lcm-lora")


def test_a_folder_of_the_published_repository_is_verified_file_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = "stable-diffusion-v1-5/stable-diffusion-v1-5/vae/diffusion_pytorch_model.safetensors"
    path = tmp_path / inner
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    monkeypatch.setattr(catalog, "FILES", (replace(catalog.VAE, sha256=sha(CONTENT)),))
    assert Store(tmp_path).part("vae") == path.parent
    path.write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(MissingModel, match="SHA-256 differs"):
        Store(tmp_path).part("vae")


@pytest.mark.parametrize(
    ("part", "pulled"),
    [("unet", "diffusion"), ("tcd-lora", "tcd-lora"), ("flame-map", "flame-map")],
)
def test_a_missing_part_says_where_it_was_looked_for_and_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, pulled: str
) -> None:
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path / "named"))
    with pytest.raises(MissingModel) as told:
        Store(tmp_path / "given").part(part)
    assert all(str(tmp_path / name) in told.value.what for name in ("given", "named", "cache"))
    assert f"retarget models pull {pulled}`" in told.value.do
    assert any(parts.within(part, file.path) is not None for file in catalog.named([pulled]))


def test_every_part_of_the_generator_is_in_the_catalogue() -> None:
    for part in parts.PARTS:
        assert any(parts.within(part, file.path) is not None for file in catalog.FILES), part


def test_names_and_groups_stand_for_files_once() -> None:
    assert catalog.named(["taesd", "taesd"]) == [catalog.TAESD]
    assert catalog.TAESD in catalog.named(["diffusion"])
    with pytest.raises(UnknownWord, match="taesd"):
        catalog.named(["taessd"])


def test_the_catalogue_is_sound() -> None:
    assert len({file.name for file in catalog.FILES}) == len(catalog.FILES)
    assert len({file.path for file in catalog.FILES}) == len(catalog.FILES)
    for file in catalog.FILES:
        assert file.url.startswith("https://"), file.name
        assert file.sha256 is None or len(bytes.fromhex(file.sha256)) == 32, file.name
        assert not Path(file.path).is_absolute() and ".." not in file.path, file.name
