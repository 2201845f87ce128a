"""What is known to be there; of a name too long for one, or a place that is locked, nothing is."""

from __future__ import annotations

import os
from pathlib import Path


def is_there(path: str | Path) -> bool:
    """Whether a file or folder is."""
    return os.path.exists(path)  # noqa: PTH110  (Path's own raises what the system says)


def is_file(path: Path) -> bool:
    """Whether a file is."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Whether a folder is."""
    return os.path.isdir(path)  # noqa: PTH112
