"""Rotate a stored picture for display.

Phones store the sensor's picture with a display matrix: 3x3 in 16.16 fixed point (ISO 14496-12,
tkhd), of which quarter turns and mirrors are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame as Decoded

from retarget.flow.arrays import Picture
from retarget.source.filter import PictureFilter


@dataclass(frozen=True, slots=True)
class Turn:
    """Swap the axes, then mirror: every quarter turn with and without a mirror is one of these."""

    transposed: bool = False
    left_right: bool = False
    top_bottom: bool = False

    def __call__(self, rgb: Picture) -> Picture:
        """Turn a picture (height, width, channels)."""
        if self.transposed:
            rgb = cv2.transpose(rgb)  # type: ignore[assignment]
        if self.left_right or self.top_bottom:
            code = -1 if self.left_right and self.top_bottom else int(self.left_right)
            rgb = cv2.flip(rgb, code)  # type: ignore[assignment]
        return rgb


_QUARTERS = {
    1: Turn(transposed=True, top_bottom=True),
    -1: Turn(transposed=True, left_right=True),
    2: Turn(left_right=True, top_bottom=True),
    -2: Turn(left_right=True, top_bottom=True),
}
"""By counterclockwise quarter turns."""
_ANY_COLOURS = "colorspace=bt709:color_primaries=bt709:color_trc=bt709"


def turn_of(frame: Decoded) -> Turn:
    """How to turn `frame`, to the nearest quarter."""
    # Reading side data creates a reference cycle, which keeps the frame and its decoder's pictures
    # until garbage collection; so a small copy with the same side data is read. Its colours do not
    # matter, and FFmpeg cannot scale some kinds, such as those that a file calls reserved.
    small = PictureFilter(("setparams", _ANY_COLOURS), ("scale", "2:2"))(frame)
    try:
        matrix: Any = small.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV fails on side data of unknown kinds, such as EXIF
        return _QUARTERS.get(round(frame.rotation / 90), Turn())
    return Turn() if matrix is None else turn_from_matrix(np.frombuffer(matrix, np.int32))


def turn_from_matrix(matrix: npt.NDArray[np.int32]) -> Turn:
    """The rotation of a display matrix: x' = a·x + c·y, y' = b·x + d·y.

    Args:
        matrix: (9,) a, b, u, c, d, v, x, y, w.
    """
    a, b, c, d = (int(matrix[i]) for i in (0, 1, 3, 4))
    if max(abs(a), abs(d)) >= max(abs(b), abs(c)):
        return Turn(left_right=a < 0, top_bottom=d < 0)
    return Turn(transposed=True, left_right=c < 0, top_bottom=b < 0)
