"""Fetch one file over https, resuming interrupted downloads, up to a maximum size.

A partial download is `<name>.part`, with the server's ETag beside it, so that the download starts
again if the file has changed since.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any

from retarget.errors import CannotWrite, MissingModel

Progress = Callable[[int, "int | None"], None]
"""Called with the bytes so far and the total (None: unknown)."""

SECONDS_WITHOUT_A_BYTE = 30.0
_BLOCK = 1 << 18
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What the server reports about a fetched file."""

    revision: str | None
    """The repository's commit, if the server sends it."""
    sha256: str | None
    """The server's digest, if it sends one."""


def fetch(url: str, part: Path, most: int, progress: Progress | None = None) -> Fetched:
    """Download `url` into `part`, continuing an earlier attempt.

    Args:
        url: https only, also after redirects (a server on this machine may be http).
        part: the file to write; its mark is kept in `<part>.etag`.
        most: the most bytes.
        progress: called with the progress.

    Raises:
        MissingModel: it cannot be fetched, or is too large.
        CannotWrite: the disk is full or the folder not writable.
    """
    _only_https(url)
    with _plain_errors(url, part):
        try:
            return _continued(url, part, most, progress)
        except urllib.error.HTTPError as refused:
            if refused.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or not part.exists():
                raise
            discard(part)  # the partial download is longer than the file
            return _continued(url, part, most, progress)


def discard(part: Path) -> None:
    """Delete a partial download."""
    part.unlink(missing_ok=True)
    _etag_of(part).unlink(missing_ok=True)


def _etag_of(part: Path) -> Path:
    """The file with the server's ETag."""
    return part.with_name(part.name + ".etag")


def _continued(url: str, part: Path, most: int, progress: Progress | None) -> Fetched:
    """Download the rest of `part`."""
    have, etag = _had(part)
    request = urllib.request.Request(url, headers={"User-Agent": "retarget"})  # noqa: S310
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", etag)
    hops = _Redirects()
    opener = urllib.request.build_opener(hops)
    with opener.open(request, timeout=SECONDS_WITHOUT_A_BYTE) as answer:
        hops.note(answer.headers)
        _refuse_page(answer, url)
        have = have if answer.status == http.client.PARTIAL_CONTENT else 0
        total = _total(answer.headers, have)
        _refuse_large(url, total, most)
        _etag_of(part).write_text(answer.headers.get("ETag") or "", encoding="utf-8")
        _receive(answer, part, have=have, total=total, most=most, progress=progress)
    return Fetched(revision=hops.revision, sha256=hops.sha256)


@contextmanager
def _plain_errors(url: str, part: Path) -> Iterator[None]:
    """Turn errors of the network and the disk into one sentence."""
    try:
        yield
    except urllib.error.HTTPError as refused:
        raise _unreachable(url, f"the server answered {refused.code}") from refused
    except urllib.error.URLError as absent:
        raise _unreachable(url, str(absent.reason)) from absent
    except (http.client.HTTPException, TimeoutError, ConnectionError) as broken:
        raise _unreachable(url, str(broken) or type(broken).__name__) from broken
    except OSError as full:
        raise CannotWrite(
            f"{part} cannot be written ({full.strerror or full}).",
            do="Make room, or name another folder with --models.",
        ) from full


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects to https only, and keep the hub's headers."""

    def __init__(self) -> None:
        self.revision: str | None = None
        self.sha256: str | None = None

    def redirect_request(  # noqa: PLR0917 — the base class's own signature
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str,
        headers: http.client.HTTPMessage, newurl: str,
    ) -> urllib.request.Request | None:  # fmt: skip
        """Refuse a redirect away from https."""
        self.note(headers)
        _only_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def note(self, headers: Message) -> None:
        """Read the commit and the digest from headers of the Hugging Face hub."""
        self.revision = headers.get("X-Repo-Commit") or self.revision
        mark = (headers.get("X-Linked-ETag") or "").strip('"')
        if len(mark) == 64:  # a git blob's ETag has 40 digits and is no SHA-256 of the file
            self.sha256 = mark.lower()


def _receive(
    answer: Any, part: Path, *, have: int, total: int | None, most: int, progress: Progress | None
) -> None:
    with part.open("ab" if have else "wb") as file:
        while block := answer.read(_BLOCK):
            file.write(block)
            have += len(block)
            if have > most:
                break
            if progress is not None:
                progress(have, total)
    if have > most:
        discard(part)  # else the next attempt would continue it
        raise _too_large(answer.url, have, most)
    if total is not None and have != total:
        raise http.client.IncompleteRead(b"", total - have)


def _had(part: Path) -> tuple[int, str]:
    """Bytes of an earlier attempt that may be continued, and its ETag."""
    mark = _etag_of(part)
    if not (part.is_file() and mark.is_file()):
        return 0, ""
    etag = mark.read_text(encoding="utf-8")
    if not etag or etag.startswith("W/"):  # a weak ETag does not guarantee equal bytes
        return 0, ""
    return part.stat().st_size, etag


def _total(headers: Message, have: int) -> int | None:
    length = headers.get("Content-Length", "")
    return have + int(length) if length.isdecimal() else None


def _refuse_page(answer: Any, url: str) -> None:
    if answer.headers.get_content_type() == "text/html":
        raise _unreachable(url, "the server sent a web page instead of the file")


def _refuse_large(url: str, total: int | None, most: int) -> None:
    if total is not None and total > most:
        raise _too_large(url, total, most)


def _only_https(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
        raise MissingModel(
            f"{url} is not an https address, so nothing is fetched from it.",
            do="Fetch the file by hand and put it into the models folder.",
        )


def _unreachable(url: str, why: str) -> MissingModel:
    return MissingModel(
        f"{url} could not be fetched: {why}.",
        do="Try again (what has come is kept), or fetch it by hand into the models folder.",
    )


def _too_large(url: str, size: int, most: int) -> MissingModel:
    return MissingModel(
        f"{url} holds {size / 1e6:.0f} MB, where at most {most / 1e6:.0f} MB were expected.",
        do="It is not the published file: fetch it by hand and look at it first.",
    )
