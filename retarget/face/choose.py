"""Choose one of several faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retarget.face.region import Reading
from retarget.face.settings import Choice
from retarget.flow.arrays import Doubles


def choose(faces: Sequence[Reading], choice: Choice) -> Reading | None:
    """The chosen face; None where there are fewer faces than its number."""
    if not faces:
        return None
    if isinstance(choice, tuple):
        point = np.array(choice)
        return min(faces, key=lambda f: float(np.linalg.norm(_centre(f) - point)))
    across = sorted(faces, key=lambda f: float(_centre(f)[0]))
    if isinstance(choice, int):
        return across[choice] if choice < len(across) else None
    if choice == "largest":
        return max(faces, key=lambda f: f.region.side)
    return across[0] if choice == "left" else across[-1]


def _centre(face: Reading) -> Doubles:
    return np.array([face.region.x, face.region.y])
