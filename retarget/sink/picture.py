"""Convert finished RGB for an encoder: BT.709, limited range, padded sides."""

from __future__ import annotations

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame as Encodable
from av.video.plane import VideoPlane
from av.video.reformatter import VideoReformatter

from retarget.flow.arrays import Bytes, Doubles, Picture
from retarget.sink.codecs import Codec

# SWS_*, as numbers since PyAV before 18 has no names: bilinear and bit-exact, which rounds as
# accurately as SWS_ACCURATE_RND in three quarters of its time.
_WELL_ROUNDED = 2 | 0x80000
_BT709, _LIMITED, _FULL, _RGB = 1, 1, 2, 0  # AVCOL_*; BT.709 is 1 in each of its lists
_BAND = 128
"""Rows converted at a time, an even number, which bounds the temporary memory."""
_RED, _BLUE = 0.2126, 0.0722
"""Coefficients of luma in BT.709."""


def _to_yuv() -> Doubles:
    """(3, 4) from red, green and blue, 0..255, to luma 16..235 and chroma 16..240."""
    luma = np.array([_RED, 1 - _RED - _BLUE, _BLUE])
    blue = (np.array([0, 0, 1]) - luma) / (2 * (1 - _BLUE))
    red = (np.array([1, 0, 0]) - luma) / (2 * (1 - _RED))
    linear = np.array([219 * luma, 224 * blue, 224 * red]) / 255
    return np.column_stack([linear, [16, 128, 128]])


def _rows_of(plane: VideoPlane) -> Bytes:
    """(height, width) a writable view of a plane's pixels."""
    values = np.frombuffer(memoryview(plane), np.uint8)
    return values.reshape(plane.height, plane.line_size)[:, : plane.width]


class FromRgb:
    """Convert pictures of one size for one codec."""

    def __init__(self, codec: Codec, size: tuple[int, int]) -> None:
        self._codec = codec
        self._reformat = VideoReformatter()
        self._to_yuv = _to_yuv()
        width, height = size
        self.padding = (-height % codec.step, -width % codec.step)
        """(rows, columns) added below and at the right by repeating the edge."""
        self.size = (width + self.padding[1], height + self.padding[0])

    def __call__(self, rgb: Picture) -> Encodable:
        """Convert (height, width, 3) RGB."""
        rows, columns = self.padding
        if rows or columns:
            rgb = np.pad(rgb, ((0, rows), (0, columns), (0, 0)), mode="edge")
        if self._codec.pixels == "yuv420p":
            return self._quartered(rgb)
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

    def _quartered(self, rgb: Picture) -> Encodable:
        """To yuv420p, in a third of swscale's time."""
        width, height = self.size
        frame = av.VideoFrame(width, height, "yuv420p")
        luma, *chroma = map(_rows_of, frame.planes)
        for top in range(0, height, _BAND):
            bottom = min(top + _BAND, height)
            yuv = cv2.transform(rgb[top:bottom], self._to_yuv)
            cv2.extractChannel(yuv, 0, luma[top:bottom])
            half = cv2.resize(yuv, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            for channel, plane in enumerate(chroma, 1):
                cv2.extractChannel(half, channel, plane[top // 2 : bottom // 2])
        frame.colorspace, frame.color_range = _BT709, _LIMITED
        return frame

    def describe(self, context: VideoCodecContext) -> None:
        """Tell an encoder size, format and colours."""
        context.width, context.height = self.size
        context.pix_fmt = self._codec.pixels
        rgb = self._codec.pixels == "bgr0"
        context.color_range = _FULL if rgb else _LIMITED
        context.colorspace = _RGB if rgb else _BT709
        context.color_primaries = _BT709
        context.color_trc = _BT709
