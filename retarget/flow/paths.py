"""Whether paths exist; a name too long, or one in a folder that is locked, counts as absent."""

from __future__ import annotations

import os
from pathlib import Path

from retarget.errors import UnreadableInput

STREAM = "-"
"""What many programs take as the name of their own input or output."""


def is_there(path: str | Path) -> bool:
    """Whether a file or folder is."""
    return os.path.exists(path)  # noqa: PTH110  (Path's own raises what the system says)


def is_file(path: Path) -> bool:
    """Whether a file is."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Whether a folder is."""
    return os.path.isdir(path)  # noqa: PTH112


def check_no_stream(name: str | Path) -> None:
    """Refuse what is to be read and is no file.

    Raises:
        UnreadableInput: it is "-", and no file of that name lies here.
    """
    if str(name) == STREAM and not is_there(STREAM):
        raise UnreadableInput(
            "What is read comes from a file, a folder or an address, and not from a stream.",
            do="Name it; what comes down a pipe can be written into a file first.",
        )
