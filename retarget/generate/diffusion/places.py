"""The type of functions that find model files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Locate = Callable[[str], Path]
"""From the name of a part (unet, encoder, smirk, …) to its file or folder.

Raises:
    MissingModel: it is missing.
"""
