"""Where model files are looked for, and where fetched ones go."""

from __future__ import annotations

import os
import sys
from pathlib import Path

VARIABLE = "RETARGET_MODELS"
"""An environment variable that names a models folder."""


def cache() -> Path:
    """The user's own models folder: in the cache, where the system keeps it."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "retarget" / "models"


def to_look_in(given: Path | None) -> list[Path]:
    """Folders in the order they are looked in: the given one, the variable's, the cache."""
    named = os.environ.get(VARIABLE)
    found = [given, Path(named) if named else None, cache()]
    return list(dict.fromkeys(folder.expanduser() for folder in found if folder is not None))


def roots(folder: Path) -> list[Path]:
    """Where a named folder's files may lie: it may be the models folder or hold it.

    Stable Diffusion's own folder may lie beside it.
    """
    return [folder, folder / "models", folder.parent]
