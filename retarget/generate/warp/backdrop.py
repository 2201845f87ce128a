"""What is behind a person whose head moves: it stays where it is.

A head that turns and nods would bend the lines of a room along with it. So what the photo shows of
the person is moved and laid over what is behind them. The narrow rim around the person, in which
single hairs lie, goes with the head; what the head uncovers is filled in from around it (Telea,
"An Image Inpainting Technique Based on the Fast Marching Method", Journal of Graphics Tools 9(1),
2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retarget.generate.warp.mesh import Bools, Bytes, Floats
from retarget.generate.warp.paint import blurred, to_bytes

RIM = (0.035, 0.13)
"""How far around the person everything goes along with the head, and from which on nothing does,
in eye distances."""
FILLED = 1.25
"""Width of what is filled in beside the person, in widths of the rim."""
SMALL = 256
"""Pixels of the longer side at which it is filled in: what is not known need not be sharp."""
REACH = 4
"""Pixels of that, around each, which tell its colour."""
GRAIN, GRAIN_SIZE = 12, 0.05
"""Grain (of 255, and in eye distances) that the rim keeps; hairs differ more from what is
behind."""


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """A photo taken apart into a person and what is behind."""

    share: Bytes
    """(height, width) how much of each pixel goes with the person, 0..255."""
    behind: Bytes
    """(height, width, 3) the photo without them."""

    @classmethod
    def of(cls, photo: Bytes, person: Bytes, unit: float) -> Backdrop:
        """Take a photo apart.

        Args:
            photo: (height, width, 3).
            person: (height, width) 255 where the person is.
            unit: pixels between the outer eye corners.
        """
        away = cv2.distanceTransform((person < 128).astype(np.uint8), cv2.DIST_L2, 5) / unit
        away = np.asarray(away, np.float32)
        inner, outer = RIM
        share = 1 - _smooth((away - inner) / (outer - inner))
        filled = FILLED * outer
        fill = _filled(photo, away < filled).astype(np.float32)
        fill += _grain(photo, _smooth((away - inner / 2) / inner), GRAIN_SIZE * unit)
        known = _smooth((away - outer) / (filled - outer))[..., None]
        behind = fill + known * (photo - fill)
        return cls(to_bytes(255 * share), to_bytes(behind))


def _smooth(x: Floats) -> Floats:
    """0 below 0, 1 above 1, smooth between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _grain(photo: Bytes, share: Floats, size: float) -> Floats:
    """(height, width, 3) what is finer than `size` pixels and faint, as much as a share says.

    Args:
        photo: (height, width, 3).
        share: (height, width) 0..1; where it is 0 nothing is looked at, either.
        size: standard deviation in pixels.
    """
    weight = share[..., None] + np.float32(1e-4)
    both = blurred(np.concatenate([photo * weight, weight], axis=2), size)
    grain = photo - both[..., :3] / both[..., 3:]
    return np.asarray(share[..., None] * np.clip(grain, -GRAIN, GRAIN), np.float32)


def _filled(photo: Bytes, hole: Bools) -> Bytes:
    """The photo with a hole (height, width) filled in from around it, soft there."""
    height, width = photo.shape[:2]
    scale = min(1.0, SMALL / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(hole.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    mask = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    found = cv2.inpaint(small, mask, REACH, cv2.INPAINT_TELEA)
    return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
