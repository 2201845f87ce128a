"""The background behind a person who moves: it stays in place.

A warped head that turns or nods would bend the straight lines of a room with it, and so would the
jaw and the far cheek of a face seen from the side. So the person's pixels are moved and composited
over the background. The narrow rim around the person, which contains single hairs, moves with the
head; uncovered background is inpainted from its surroundings, with edges continued
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
"""Distance outside the person, in eye distances, between which pixels stop moving with the head;
HELD_RIM for a head that stays still, where skin moves but no hair."""
SLACK = 0.006
"""Eye distances the surroundings of a still head may move with it before the inpainted background
is shown: so small a movement is not noticed, inpainting would be."""
FILLED = 1.25
"""Width of the inpainted band around the person, relative to the outer rim distance."""
SMALL = 256
"""Longer side in pixels at which the background is inpainted: it need not be sharp."""
REACH = 4
"""Inpainting radius in pixels of that smaller picture."""
GRAIN_SIZE, GRAIN_DEPTH = 0.05, 0.5
"""In eye distances: the coarsest scale of film grain, and how deep into the inpainted band grain is
added, without which the band would stand out in an old photo."""
GRAIN, MOST_GRAIN = 2.5, 30.0
"""Most grain, as a multiple of its median and out of 255: beyond, it is an edge of the room."""
BAND = 256
"""Rows processed at a time: a whole large photo would take ten times its memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """A photo split into person and background."""

    share: Bytes
    """(height, width) share of each pixel that moves with the person, 0..255."""
    behind: Bytes
    """(height, width, 3) the photo with the person inpainted."""
    slack: float
    """Pixels of movement before the inpainted background is shown; 0: it always is."""

    @classmethod
    def of(cls, photo: Bytes, person: Bytes, unit: float, *, held: bool = False) -> Backdrop:
        """Split a photo into person and background.

        Args:
            photo: (height, width, 3).
            person: (height, width) 255 where the person is.
            unit: pixels between the outer eye corners.
            held: whether the head stays still and only the face moves.
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
    """(height, width, 3) film grain: in a hole mirrored across its nearest edge, elsewhere 0.

    Args:
        photo: (height, width, 3).
        hole: (height, width) what is to be inpainted.
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
    """(height, width, 3) the photo blurred to remove detail finer than `size` pixels.

    Args:
        photo: (height, width, 3).
        seen: (height, width) weight of each pixel, 0..1.
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
    """The photo with a hole (height, width) inpainted; the whole picture comes out soft."""
    height, width = photo.shape[:2]
    scale = min(1.0, SMALL / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(hole.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    mask = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    found = cv2.inpaint(small, mask, REACH, cv2.INPAINT_NS)
    return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
