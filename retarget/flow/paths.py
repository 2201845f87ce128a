"""Whether paths exist; a name too long, or one in a folder that is locked, counts as absent."""

from __future__ import annotations

import os
from pathlib import Path

from retarget.errors import UnreadableInput

STREAM = "-"
"""The conventional name of standard input or output."""


def is_there(path: str | Path) -> bool:
    """Whether a file or folder exists."""
    return os.path.exists(path)  # noqa: PTH110  (Path's raises on such names)


def is_file(path: Path) -> bool:
    """Whether a path is an existing file."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Whether a path is an existing folder."""
    return os.path.isdir(path)  # noqa: PTH112


def check_no_stream(name: str | Path) -> None:
    """Refuse "-" as an input.

    Raises:
        UnreadableInput: the name is "-", and no such file exists.
    """
    if str(name) == STREAM and not is_there(STREAM):
        raise UnreadableInput(
            "What is read comes from a file, a folder or an address, and not from a stream.",
            do="Name it; what comes down a pipe can be written into a file first.",
        )
