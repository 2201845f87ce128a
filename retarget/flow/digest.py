"""SHA-256 digests, in hexadecimal, to tell whether files, pictures or settings have changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from retarget.flow.arrays import Picture

_BLOCK = 1 << 20


def of_file(path: Path) -> str:
    """Digest of a file's bytes, read in blocks."""
    return of_files([path])


def of_files(paths: Iterable[Path]) -> str:
    """Digest of the bytes of several files in a row."""
    sha = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                sha.update(block)
    return sha.hexdigest()


def of_picture(rgb: Picture) -> str:
    """Digest of a picture's pixels (height, width, 3)."""
    return hashlib.sha256(rgb.tobytes()).hexdigest()


def of_parts(parts: Mapping[str, Any]) -> str:
    """Digest of named plain values and paths, whatever their order."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
