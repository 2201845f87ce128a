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
    """Of a file's bytes, however many."""
    return of_files([path])


def of_files(paths: Iterable[Path]) -> str:
    """Of the bytes of one file after the other."""
    sha = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                sha.update(block)
    return sha.hexdigest()


def of_picture(rgb: Picture) -> str:
    """Of the pixels (height, width, 3)."""
    return hashlib.sha256(rgb.tobytes()).hexdigest()


def of_parts(parts: Mapping[str, Any]) -> str:
    """Of plain values and paths by name, in whatever order these stand."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
