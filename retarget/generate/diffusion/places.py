"""Where model files are asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Locate = Callable[[str], Path]
"""Where a part lies: its name (unet, encoder, smirk, …) → a file or folder.

Raises:
    MissingModel: it is nowhere to be found.
"""
