"""A small server of model files on this machine."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from retarget.models import folders
from retarget.models.catalog import ModelFile

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
