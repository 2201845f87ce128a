"""A remote video, read as it comes, or a remote picture."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from retarget.errors import UnreadableInput
from retarget.flow.arrays import Bytes
from retarget.flow.report import Warn
from retarget.source.animation import picture_file
from retarget.source.place import Place
from retarget.source.settings import SourceSettings
from retarget.source.source import Source
from retarget.source.stills import SUFFIXES
from retarget.source.video_file import VideoFile

_MOST_BYTES = 64_000_000  # of a remote picture


def open_url(
    url: str, scheme: str, settings: SourceSettings, background: Bytes, warn: Warn
) -> Source:
    """The video or picture at `url`.

    Raises:
        UnreadableInput: the scheme is neither http nor https, or nothing usable answers.
    """
    if scheme not in ("http", "https") or not _host(url):
        raise UnreadableInput(
            f"{url} is neither a file that exists nor an address that is read.",
            do="Give a path, or an address that begins with https:// or http://.",
        )
    if _is_picture(url, settings.patience):
        return picture_file(_fetched(url, settings.patience), url, settings, background, warn)
    address = scheme + url[len(scheme) :]  # FFmpeg knows no HTTP://
    place = Place(name=url, address=address, remote=True, patience=settings.patience)
    return VideoFile(place, settings, background, warn)


def _host(url: str) -> str | None:
    """The host of an address; None where it is not an address."""
    try:
        return urlsplit(url).hostname
    except ValueError:  # an unmatched bracket
        return None


def _is_picture(url: str, patience: float) -> bool:
    """Whether it is a picture, by the suffix of its path, or without one by the server's answer."""
    suffix = PurePosixPath(urlsplit(url).path).suffix.lower()
    if suffix:
        return suffix in SUFFIXES
    try:
        with urllib.request.build_opener(_WebOnly).open(url, timeout=patience) as answer:
            return str(answer.headers.get_content_maintype()) == "image"
    except (OSError, ValueError, http.client.HTTPException):
        return False  # reported when it is opened


def _fetched(url: str, patience: float) -> bytes:
    opener = urllib.request.build_opener(_WebOnly)
    try:
        with opener.open(url, timeout=patience) as answer:
            data: bytes = answer.read(_MOST_BYTES + 1)
    except (OSError, ValueError, http.client.HTTPException) as cause:
        raise UnreadableInput(
            f"{url} cannot be fetched ({getattr(cause, 'reason', cause)}).",
            do="Check the address and the connection.",
        ) from cause
    if len(data) > _MOST_BYTES:
        raise UnreadableInput(
            f"{url} is larger than {_MOST_BYTES // 1_000_000} MB.", do="Download it, and shrink it."
        )
    return data


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follow a redirection only to another web address."""

    def redirect_request(self, *answer: Any) -> urllib.request.Request | None:
        """Refuse other schemes; the new address is the last argument."""
        if urlsplit(answer[-1]).scheme not in ("http", "https"):
            raise urllib.error.URLError(f"it redirects to {answer[-1]}")
        return super().redirect_request(*answer)
