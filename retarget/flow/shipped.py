"""What ships with the package: arrays in `retarget/data`, and presets.

Presets are data that a person may read, copy and change. A wheel carries them as
`retarget/presets`; in a checkout they lie beside the package.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retarget.errors import UnreadableInput


def array(name: str) -> npt.NDArray[Any]:
    """The array in an .npy file."""
    with as_file(files("retarget") / "data" / name) as path:
        return np.asarray(np.load(path, allow_pickle=False))


def arrays(name: str) -> dict[str, npt.NDArray[Any]]:
    """The arrays in an .npz file, by name."""
    with (
        as_file(files("retarget") / "data" / name) as path,
        np.load(path, allow_pickle=False) as data,
    ):
        return dict(data)


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
