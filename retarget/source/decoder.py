"""Choose the decoder of a stream of pictures."""

from __future__ import annotations

from av.codec.codec import UnknownCodecError
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from retarget.flow.report import Warn

SEES_THROUGH = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Codecs whose default decoder ignores transparency, and the decoder that does not."""


def decoder_of(stream: VideoStream, name: str, warn: Warn) -> VideoCodecContext:
    """The stream's own decoder, or another one where that ignores its transparency."""
    usual = stream.codec_context
    if usual.name not in SEES_THROUGH or not _is_transparent(stream):
        return usual
    try:
        other: VideoCodecContext = CodecContext.create(SEES_THROUGH[usual.name], "r")  # type: ignore[assignment]
    except UnknownCodecError:
        warn(
            f"{name} is transparent in places, but no decoder here can tell where: all of it is "
            "shown."
        )
        return usual
    other.extradata = usual.extradata
    other.thread_count = usual.thread_count
    return other


def _is_transparent(stream: VideoStream) -> bool:
    said = {key.lower(): value for key, value in stream.metadata.items()}
    return said.get("alpha_mode") == "1"
