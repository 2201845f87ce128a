"""What is behind a person who moves: it stays where it is.

A head that turns and nods would bend the lines of a room along with it, and so would the jaw and
the far cheek of a face that is seen from the side. So what the photo shows of the person is moved
and laid over what is behind them. The narrow rim around the person, in which single hairs lie, goes
with the head; what the head uncovers is filled in from around it, edges going on as they came
(Bertalmio, Bertozzi & Sapiro, "Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting", CVPR
2001).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from retarget.flow.arrays import Bools, Bytes, Floats
from retarget.flow.ease import eased
from retarget.generate.warp.paint import blurred, to_bytes

RIM, HELD_RIM = (0.035, 0.13), (0.0, 0.04)
"""How far around the person everything goes along with the head, and from which on nothing does,
in eye distances; around a head that is held skin moves, but no hair."""
SLACK = 0.006
"""Eye distances by which what is around a head that is held may go along with it, before what is
behind shows: that is not seen, and what is filled in would be."""
FILLED = 1.25
"""Width of what is filled in beside the person, in widths of the rim."""
SMALL = 256
"""Pixels of the longer side at which it is filled in: what is not known need not be sharp."""
REACH = 4
"""Pixels of that, around each, which tell its colour."""
GRAIN_SIZE, GRAIN_DEPTH = 0.05, 0.5
"""Eye distances: what is no coarser is grain, and how far in it is laid on what is filled in, which
without it would stand out from old film."""
GRAIN, MOST_GRAIN = 2.5, 30.0
"""How many times the usual grain, and how much (of 255), is none but a line of the room."""
BAND = 256
"""Rows worked on at a time: a large photo would take ten times its memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """A photo taken apart into a person and what is behind."""

    share: Bytes
    """(height, width) how much of each pixel goes with the person, 0..255."""
    behind: Bytes
    """(height, width, 3) the photo without them."""
    slack: float
    """Pixels about which something must move before that is shown; 0: it always is."""

    @classmethod
    def of(cls, photo: Bytes, person: Bytes, unit: float, *, held: bool = False) -> Backdrop:
        """Take a photo apart.

        Args:
            photo: (height, width, 3).
            person: (height, width) 255 where the person is.
            unit: pixels between the outer eye corners.
            held: whether the head is, and only the face moves.
        """
        away = cv2.distanceTransform((person < 128).astype(np.uint8), cv2.DIST_L2, 5)
        away = np.asarray(away, np.float32) / np.float32(unit)
        inner, outer = HELD_RIM if held else RIM
        share = 1 - eased(np.clip((away - inner) / (outer - inner), 0, 1))
        filled = FILLED * outer
        hole = away < filled
        fill, grain = _filled(photo, hole), _grain(photo, hole, unit)
        behind = np.empty_like(photo)
        for top in range(0, photo.shape[0], BAND):
            rows = slice(top, top + BAND)
            made = np.add(fill[rows], grain[rows], dtype=np.float32)
            known = eased(np.clip((away[rows] - outer) / (filled - outer), 0, 1))[..., None]
            behind[rows] = to_bytes(made + known * (photo[rows] - made))
        return cls(to_bytes(255 * share), behind, SLACK * unit if held else 0.0)


def _grain(photo: Bytes, hole: Bools, unit: float) -> npt.NDArray[np.int8]:
    """(height, width, 3) in a hole, the grain from as far outside of its nearest edge; else 0.

    Args:
        photo: (height, width, 3).
        hole: (height, width) what is to be filled in.
        unit: pixels between the outer eye corners.
    """
    out = np.zeros(photo.shape, np.int8)
    outside = np.flatnonzero(~hole)
    if not len(outside):
        return out
    depth, nearest = cv2.distanceTransformWithLabels(
        hole.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    height, width = hole.shape
    rows, columns = np.nonzero(hole & (depth < GRAIN_DEPTH * unit))
    edge = np.divmod(outside[nearest[rows, columns] - 1], width)
    from_row = np.clip(2 * edge[0] - rows, 0, height - 1)
    from_column = np.clip(2 * edge[1] - columns, 0, width - 1)
    broad = _broad(photo, (~hole).astype(np.float32), GRAIN_SIZE * unit)
    picture, mean = (x[from_row, from_column].astype(np.int16) for x in (photo, broad))
    found = picture - mean
    found[hole[from_row, from_column]] = 0
    limit = min(GRAIN * float(np.median(np.abs(found))), MOST_GRAIN) if len(found) else 0.0
    out[rows, columns] = np.clip(found, -limit, limit)
    return out


def _broad(photo: Bytes, seen: Floats, size: float) -> Bytes:
    """(height, width, 3) the photo without what is finer than `size` pixels.

    Args:
        photo: (height, width, 3).
        seen: (height, width) 0..1 how much each pixel counts.
        size: standard deviation in pixels.
    """
    height, width = photo.shape[:2]
    scale = min(1.0, 4.0 / size)
    small = max(1, round(width * scale)), max(1, round(height * scale))
    weight = cv2.resize(seen, small, interpolation=cv2.INTER_AREA)[..., None] + np.float32(1e-4)
    picture = cv2.resize(photo, small, interpolation=cv2.INTER_AREA)
    both = blurred(np.concatenate([picture * weight, weight], axis=2), size * scale)
    broad = to_bytes(both[..., :3] / both[..., 3:])
    return np.asarray(cv2.resize(broad, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _filled(photo: Bytes, hole: Bools) -> Bytes:
    """The photo with a hole (height, width) filled in from around it, soft there."""
    height, width = photo.shape[:2]
    scale = min(1.0, SMALL / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(hole.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    mask = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    found = cv2.inpaint(small, mask, REACH, cv2.INPAINT_NS)
    return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
