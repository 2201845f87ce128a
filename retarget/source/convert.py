"""A decoded frame as upright RGB with square pixels.

The matrix and range are the ones the file names. Where it names none, pictures of 720 lines and
more are taken as BT.709 and smaller ones as BT.601, as players do.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from av.video.reformatter import Interpolation, VideoReformatter

from retarget.source.bounds import check_size
from retarget.source.upright import turn_of

if TYPE_CHECKING:
    from av.video.frame import VideoFrame as Decoded

_BT709, _BT601, _SMPTE240M, _FCC, _BT2020 = 1, 5, 7, 4, 9  # SWS_CS_*
_MATRIX = {1: _BT709, 4: _FCC, 5: _BT601, 6: _BT601, 7: _SMPTE240M, 9: _BT2020, 10: _BT2020}
_LIMITED, _FULL = 1, 2  # AVCOL_RANGE_*
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def shown_size(frame: Decoded, aspect: Fraction | None) -> tuple[int, int]:
    """(width, height) with square pixels, before turning: the short side of a pixel is stretched.

    Args:
        frame: as decoded.
        aspect: width of a pixel by its height; None or 0 where nobody knows.
    """
    width, height = frame.width, frame.height
    if aspect and aspect > 1:
        return round(width * aspect), height
    if aspect and aspect > 0:
        return width, round(height / aspect)
    return width, height


class ToRgb:
    """Convert the frames of one stream, all to the size of the first."""

    def __init__(
        self, name: str, *, aspect: Fraction | None, background: npt.NDArray[np.uint8], exact: bool
    ) -> None:
        self._name = name
        self._aspect = aspect
        self._background = background
        self._reformat = VideoReformatter()
        self._interpolation = _EXACT if exact else Interpolation.BILINEAR
        self._size: tuple[int, int] | None = None

    def __call__(self, frame: Decoded) -> npt.NDArray[np.uint8]:
        """(height, width, 3) RGB, upright.

        Raises:
            UnreadableInput: the picture is too large.
        """
        if self._size is None:
            size = shown_size(frame, self._aspect)
            check_size(self._name, *size)
            self._size = size
        clear = any(c.is_alpha for c in frame.format.components) or frame.format.name == "pal8"
        rgb = self._reformatted(frame, "rgba" if clear else "rgb24")
        if clear:
            rgb = flattened(rgb, self._background)
        return np.ascontiguousarray(turn_of(frame)(rgb))

    def _reformatted(self, frame: Decoded, pixels: str) -> npt.NDArray[np.uint8]:
        assert self._size is not None
        scaled = self._size != (frame.width, frame.height)
        out = self._reformat.reformat(
            frame,
            width=self._size[0],
            height=self._size[1],
            format=pixels,
            src_colorspace=matrix_of(frame),
            src_color_range=range_of(frame),
            dst_color_range=_FULL,
            interpolation=_EXACT if scaled else self._interpolation,
            threads=1,
        )
        return out.to_ndarray()  # type: ignore[return-value]


def matrix_of(frame: Decoded) -> int:
    """The YUV matrix of `frame` as swscale numbers it."""
    usual = _BT709 if max(frame.height, frame.width * 9 // 16) >= 720 else _BT601
    return _MATRIX.get(int(frame.colorspace), usual)


def range_of(frame: Decoded) -> int:
    """AVCOL_RANGE of `frame`; RGB and the yuvj formats are full whatever is said."""
    if frame.format.name.startswith("yuvj") or frame.format.is_rgb:
        return _FULL
    return _FULL if int(frame.color_range) == _FULL else _LIMITED


def flattened(
    rgba: npt.NDArray[np.uint8], background: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """A picture (height, width, 4) laid on a colour (3,): (height, width, 3)."""
    alpha = rgba[..., 3:].astype(np.uint16)
    if alpha.min() == 255:
        return np.ascontiguousarray(rgba[..., :3])
    over = rgba[..., :3] * alpha + background.astype(np.uint16) * (255 - alpha)
    return ((over + 127) // 255).astype(np.uint8)
