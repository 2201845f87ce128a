"""Finished RGB as what an encoder takes: BT.709, limited range, sides it can divide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from retarget.sink.codecs import Codec

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame as Encodable

# SWS_*, as numbers since PyAV before 18 has no names: bilinear, and the same on every processor,
# which rounds as well as what is there for rounding, in three quarters of its time.
_WELL_ROUNDED = 2 | 0x80000
_BT709, _LIMITED, _FULL, _RGB = 1, 1, 2, 0  # AVCOL_*; BT.709 is 1 in each of its lists


class FromRgb:
    """Convert pictures of one size for one codec."""

    def __init__(self, codec: Codec, size: tuple[int, int]) -> None:
        self._codec = codec
        self._reformat = VideoReformatter()
        width, height = size
        self.padding = (-height % codec.step, -width % codec.step)
        """(rows, columns) added below and at the right by repeating the edge."""
        self.size = (width + self.padding[1], height + self.padding[0])

    def __call__(self, rgb: npt.NDArray[np.uint8]) -> Encodable:
        """Convert (height, width, 3) RGB."""
        rows, columns = self.padding
        if rows or columns:
            rgb = np.pad(rgb, ((0, rows), (0, columns), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(rgb), format="rgb24")
        if self._codec.pixels == "bgr0":
            return self._reformat.reformat(frame, format="bgr0", threads=1)
        return self._reformat.reformat(
            frame,
            format=self._codec.pixels,
            dst_colorspace=_BT709,
            src_color_range=_FULL,
            dst_color_range=_LIMITED,
            interpolation=_WELL_ROUNDED,
            threads=1,
        )

    def describe(self, context: VideoCodecContext) -> None:
        """Tell an encoder size, format and colours."""
        context.width, context.height = self.size
        context.pix_fmt = self._codec.pixels
        rgb = self._codec.pixels == "bgr0"
        context.color_range = _FULL if rgb else _LIMITED
        context.colorspace = _RGB if rgb else _BT709
        context.color_primaries = _BT709
        context.color_trc = _BT709
