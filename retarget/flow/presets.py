"""Where the shipped presets are: data that a person may read, copy and change.

A wheel carries them as `retarget/presets`; in a checkout they lie beside the package.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from retarget.errors import UnreadableInput


@cache
def presets_folder() -> Path:
    """The folder of the shipped presets.

    Raises:
        UnreadableInput: the installation is incomplete.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "presets", package.parent / "presets"):
        if (folder / "expressions").is_dir():
            return folder
    raise UnreadableInput(
        f"The presets that belong to this installation are not in {package / 'presets'}.",
        do="Install the package again.",
    )
