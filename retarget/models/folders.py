"""The folders in which model files are searched, and into which they are fetched."""

from __future__ import annotations

import os
import sys
from pathlib import Path

VARIABLE = "RETARGET_MODELS"
"""The environment variable with a models folder."""


def in_home(path: str) -> Path:
    """A path below a home folder, "~/x" or "~anna/x"; unchanged where there is no such home.

    In a container, a user may be a number without a name and a home.
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111  (Path's raises)


def cache() -> Path:
    """The models folder in the user's cache."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or in_home("~/AppData/Local")
    elif sys.platform == "darwin":
        base = in_home("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or in_home("~/.cache")
    return Path(base) / "retarget" / "models"


def to_look_in(given: Path | None) -> list[Path]:
    """The folders to search, in order: the given one, the variable's, the cache."""
    named = os.environ.get(VARIABLE)
    found = [given, Path(named) if named else None, cache()]
    return list(dict.fromkeys(in_home(str(folder)) for folder in found if folder is not None))


def roots(folder: Path) -> list[Path]:
    """The roots for a named folder, which may be the models folder or its parent.

    Stable Diffusion's folder may also be beside it.
    """
    return [folder, folder / "models", folder.parent]
