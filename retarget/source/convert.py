"""A decoded frame as upright RGB with square pixels.

Matrix and range are those in the file. Without them, pictures of 720 lines and more are taken as
BT.709 and smaller ones as BT.601, as in players.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame as Decoded
from av.video.reformatter import VideoReformatter

from retarget.errors import UnreadableInput
from retarget.flow.arrays import Bytes, Picture
from retarget.source.bounds import check_size
from retarget.source.filter import PictureFilter
from retarget.source.hdr import ToStandard, is_wide
from retarget.source.upright import Turn, turn_of

_BT709, _BT601, _SMPTE240M, _FCC, _BT2020 = 1, 5, 7, 4, 9  # SWS_CS_*
_MATRIX = {1: _BT709, 4: _FCC, 5: _BT601, 6: _BT601, 7: _SMPTE240M, 9: _BT2020, 10: _BT2020}
_NO_MATRIX = {8: "YCgCo", 11: "Y'D'zD'x", 14: "ICtCp", 15: "IPT", 16: "YCgCo-Re", 17: "YCgCo-Ro"}
"""Matrix coefficients (ITU-T H.273) that are not luma and two colour differences."""
_LIMITED, _FULL = 1, 2  # AVCOL_RANGE_*
# SWS_*, as numbers because PyAV before 18 names only the kernels.
_FAST = 2  # bilinear; within 4 of 255 of the other, at an eighth of its cost
_EXACT = 4 | 0x40000 | 0x2000  # bicubic, rounded well, color interpolated across


def shown_size(frame: Decoded, aspect: Fraction | None) -> tuple[int, int]:
    """(width, height) with square pixels, before rotation: the short side of a pixel is stretched.

    Args:
        frame: as decoded.
        aspect: width of a pixel divided by its height; None or 0: unknown.
    """
    width, height = frame.width, frame.height
    if aspect and aspect > 1:
        return round(width * aspect), height
    if aspect and aspect > 0:
        return width, round(height / aspect)
    return width, height


class ToRgb:
    """Convert the frames of one stream, all to the size of the first.

    Of interlaced frames, which hold two moments in alternating lines, the earlier field is kept and
    its lines are interpolated.
    """

    def __init__(self, name: str, *, aspect: Fraction | None, background: Bytes) -> None:
        self._name = name
        self._aspect = aspect
        self._background = background
        self._to_signal = VideoReformatter()
        self._to_rgb = VideoReformatter()
        # Fields come in temporal order; every second one is left out.
        self._one_field = PictureFilter(("separatefields", ""), ("framestep", "step=2"))
        self._to_standard: ToStandard | None = None
        self._size: tuple[int, int] | None = None
        self._turn = Turn()

    def __call__(self, frame: Decoded) -> Picture:
        """(height, width, 3) RGB, upright."""
        size = self._size_for(frame)
        matrix, span = matrix_of(frame), range_of(frame)
        if frame.interlaced_frame and frame.height % 2 == 0:
            frame = self._one_field(frame)
        if is_wide(frame):
            frame = self._standard(frame, matrix, span)
            span = _FULL
        clear = any(c.is_alpha for c in frame.format.components) or frame.format.name == "pal8"
        pixels = self._to_rgb.reformat(
            frame,
            width=size[0],
            height=size[1],
            format="rgba" if clear else "rgb24",
            src_colorspace=matrix,
            src_color_range=span,
            dst_color_range=_FULL,
            interpolation=_FAST if size == (frame.width, frame.height) else _EXACT,
            threads=1,
        ).to_ndarray()
        rgb = flattened(pixels, self._background) if clear else pixels  # type: ignore[arg-type]
        return np.ascontiguousarray(self._turn(rgb))  # type: ignore[arg-type]

    def _size_for(self, frame: Decoded) -> tuple[int, int]:
        if self._size is None:
            size = shown_size(frame, self._aspect)
            check_size(self._name, *size)
            if (coding := _NO_MATRIX.get(int(frame.colorspace))) is not None:
                raise UnreadableInput(
                    f"The colours of {self._name} are coded as {coding}, which is not read.",
                    do="Save it anew, in BT.709 or BT.2020.",
                )
            self._size = size
            self._turn = turn_of(frame)
        return self._size

    def _standard(self, frame: Decoded, matrix: int, span: int) -> Decoded:
        transfer = int(frame.color_trc)
        if self._to_standard is None or self._to_standard.transfer != transfer:
            self._to_standard = ToStandard(transfer)
        signal = self._to_signal.reformat(
            frame,
            format="gbrp16le",
            src_colorspace=matrix,
            src_color_range=span,
            dst_color_range=_FULL,
            interpolation=_EXACT,
            threads=1,
        )
        return self._to_standard(signal)


def matrix_of(frame: Decoded) -> int:
    """The YUV matrix of `frame` as swscale numbers it."""
    usual = _BT709 if max(frame.height, frame.width * 9 // 16) >= 720 else _BT601
    return _MATRIX.get(int(frame.colorspace), usual)


def range_of(frame: Decoded) -> int:
    """AVCOL_RANGE of `frame`; RGB and the yuvj formats are always full."""
    if frame.format.name.startswith("yuvj") or frame.format.is_rgb:
        return _FULL
    return _FULL if int(frame.color_range) == _FULL else _LIMITED


def flattened(rgba: Bytes, background: Bytes) -> Picture:
    """A picture (height, width, 4) composited over a colour (3,): (height, width, 3)."""
    alpha = rgba[..., 3:].astype(np.uint16)
    if alpha.min() == 255:
        return np.ascontiguousarray(rgba[..., :3])
    over = rgba[..., :3] * alpha + background.astype(np.uint16) * (255 - alpha)
    return ((over + 127) // 255).astype(np.uint8)
