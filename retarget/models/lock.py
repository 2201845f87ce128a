"""A lock file: digest and revision of each fetched file, recorded once and checked from then on.

The lock is in the models folder. Where the catalogue pins no digest, the first pull records it
here; a file that differs later, fetched again or changed on the disk, is refused. Size and time of
a verified file are kept as well, so that gigabytes are not read on every start.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from retarget.errors import MissingModel
from retarget.flow.atomic_files import becoming

NAME = "models.lock.json"
_VERSION = 1
_MOST_BYTES = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Locked:
    """One file of the lock."""

    sha256: str
    revision: str | None = None
    """The repository's commit, if there is one."""
    url: str | None = None
    size: int | None = None
    """Bytes when it was last verified."""
    time: int | None = None
    """Its modification time then, in nanoseconds."""


class Lock:
    """The lock file of one folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.files: dict[str, Locked] = {}
        self._closed = False
        try:
            self.files = _load(self.path)
        except PermissionError:  # another user's in a shared folder: digests are computed instead
            self._closed = True

    def keep(self, path: str, entry: Locked) -> None:
        """Record a file and write the lock, if the folder can be written."""
        self.files[path] = entry
        if self._closed:
            return  # rewritten, it would lose its other entries
        text = json.dumps(
            {"version": _VERSION, "files": {k: asdict(v) for k, v in sorted(self.files.items())}},
            indent=1,
        )
        with contextlib.suppress(OSError):
            replace_with(self.path, text.encode())


def replace_with(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, with the permissions of the umask."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with becoming(path) as hidden:
        hidden.write_bytes(content)


def _load(path: Path) -> dict[str, Locked]:
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("too large")
        held = json.loads(path.read_text(encoding="utf-8"))
        if held["version"] != _VERSION:
            raise ValueError("another version")
        return {name: _entry(fields) for name, fields in held["files"].items()}
    except PermissionError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise MissingModel(
            f"The lock file {path} cannot be read ({wrong}).",
            do="Restore it, or delete it to accept the files beside it as they are.",
        ) from wrong


def _entry(fields: dict[str, object]) -> Locked:
    sha, size, time = fields["sha256"], fields.get("size"), fields.get("time")
    revision, url = fields.get("revision"), fields.get("url")
    if not (isinstance(sha, str) and len(sha) == 64):
        raise ValueError("a digest is not one")
    return Locked(
        sha256=sha,
        revision=revision if isinstance(revision, str) else None,
        url=url if isinstance(url, str) else None,
        size=size if isinstance(size, int) else None,
        time=time if isinstance(time, int) else None,
    )
