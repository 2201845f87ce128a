"""The tips of long upper lashes, which lie on the skin above the fold while an eye is open.

They move down with the lid and would otherwise hang in the air above a shut one. Thin dark lines
are found by a black top-hat (Meyer 1979).
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Floats, Ints
from retarget.generate.warp.paint import blurred, box_of, fill
from retarget.generate.warp.palette import luma
from retarget.generate.warp.rims import Rims

_REACH = 0.6
"""Share of the distance from fold to brow in which they lie."""
_ABOVE = [0, 0, 0, 1, 2, 3, 4, 4, 4]
"""Index of the brow's point above each point of the fold."""
_THICK, _DARKER = 0.04, 0.04
"""The most of half their thickness in eye widths, and their least darkening relative to what is
beside them, as a share of the skin's light."""
_SEEN, _FINE = 0.012, 40.0
"""Mean share of the skin's light that lashes must take in that area to count, and the least width
of an eye in pixels."""


class LashTips:
    """The tips of the lashes of one eye of a photo.

    Args:
        photo: (height, width, 3).
        points: (478, 3) in its pixels.
        rims: the lids.
        rows: indices of the row above the lid, and of the lower row of the brow.
        skin: (3,) tone of the skin around the eye, 0..255.
    """

    def __init__(
        self, photo: Bytes, points: Floats, rims: Rims, rows: tuple[Ints, Ints], skin: Floats
    ) -> None:
        self._fold, self._brow = rows[0], rows[1][_ABOVE]
        self._light = luma(skin)
        box, place = self._place(points, rims, photo.shape, 1.0)
        self.seen = False
        if box is not None and rims.width > _FINE:
            hairs = self._hairs(photo[box], rims)[place > 127]
            self.seen = bool(hairs.size) and float(hairs.mean()) > _SEEN * self._light

    def take_away(self, out: Bytes, points: Floats, now: Rims, much: float) -> None:
        """Remove them from the skin.

        Args:
            out: the crop, changed in place.
            points: (468, 3) the moved mesh.
            now: the moved lids.
            much: 0..1 how far they are removed.
        """
        if not self.seen:
            return
        box, place = self._place(points, now, out.shape, much)
        if box is None:
            return
        share = cv2.cvtColor(blurred(place, 0.03 * now.width), cv2.COLOR_GRAY2RGB)
        gone = cv2.multiply(self._hairs(out[box], now), share, scale=1 / 255)
        out[box] = cv2.add(out[box], gone)

    def _place(
        self, points: Floats, rims: Rims, shape: tuple[int, ...], much: float
    ) -> tuple[tuple[slice, slice] | None, Bytes]:
        """Rows and columns where they may lie, and a mask of these, 0..255."""
        fold, brow = points[self._fold, :2], points[self._brow, :2]
        area = np.concatenate([fold, (fold + np.float32(_REACH) * (brow - fold))[::-1]])
        box = box_of(area, 0.06 * rims.width + 1, shape)
        if box is None:
            return None, np.zeros((0, 0), np.uint8)
        mask = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), np.uint8)
        corner = np.array([box[1].start, box[0].start], np.float32)
        fill(mask, area - corner, value=round(255 * much))
        return box, mask

    def _hairs(self, patch: Bytes, rims: Rims) -> Bytes:
        """(h, w, 3) the light that thin dark lines take, 0..255."""
        side = 2 * max(1, round(_THICK * rims.width)) + 1
        taken = cv2.morphologyEx(patch, cv2.MORPH_BLACKHAT, np.ones((side, side), np.uint8))
        sure = np.full_like(taken, round(_DARKER * self._light))
        return np.asarray(cv2.subtract(taken, sure), np.uint8)
