"""From packets to decoded frames; damage is skipped with a warning."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from typing import Any

import av
from av.codec.codec import Capabilities, UnknownCodecError
from av.codec.context import CodecContext, ThreadType
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame as Decoded
from av.video.stream import VideoStream

from retarget.flow.report import Warn
from retarget.source.clock import clock_of, says_when_shown
from retarget.source.joined import OneClock
from retarget.source.place import Place, picture_stream

SEES_THROUGH = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Codecs whose default decoder ignores transparency, and the decoder that does not."""
_PATIENCE = 50  # failed reads in a row after which a file is taken as ended
_STEPS_BACK = (0.0, 3.0, 15.0)  # seconds before the wanted one at which to look for a keyframe


def packets(
    container: InputContainer, stream: Stream, name: str, warn: Warn
) -> Iterator[Packet[Any]]:
    """Every further packet of `stream`; after a failed read, reading is tried behind the damage.

    Times continue where the file's clock restarts.
    """
    clock, failed, begun = OneClock(), 0, False
    skipped = f"{name}: a damaged stretch could not be read and was skipped."
    while failed < _PATIENCE:
        try:
            # All streams are read, as `OneClock` shifts them together.
            for packet in container.demux(*container.streams.video, *container.streams.audio):
                if failed:
                    warn(skipped)
                failed, begun = 0, True
                clock.move(packet)
                if packet.stream.index == stream.index:
                    yield packet
        except av.FFmpegError:
            failed += 1
            continue
        except IndexError:  # PyAV's, once all is read, where a stream began part-way (.flv, .ts)
            pass
        if failed:
            warn(skipped)
        return
    # No warning where nothing was read, as from a server without seeking, or where the size is not
    # known, so that the end looks like damage.
    if begun and container.size > 0:
        warn(f"{name}: from a damaged stretch on nothing more could be read.")
    yield av.Packet()  # flushes the decoder


def decoded(
    place: Place, container: InputContainer, stream: VideoStream, warn: Warn
) -> Iterator[Decoded]:
    """Every further frame of `stream` that can be decoded."""
    decoder, guessed = decoder_of(stream, place.name, warn), not says_when_shown(container)
    announced: int | None = None
    shown: int | None = None
    for packet in packets(container, stream, place.name, warn):
        announced = _later(announced, None if packet.is_discard else packet.pts)
        for frame in _in(packet, decoder, place.name, warn):
            shown = _later(shown, frame.pts)
            if guessed:
                # FFmpeg's guess of the presentation time is wrong with reordered frames. They come
                # in presentation order, at their decoding times.
                frame.pts = frame.dts
            yield frame
    if announced is None or shown is None or not _several_at_once(decoder):
        return
    if announced - shown >= clock_of(container, stream).usual:
        if guessed:
            warn(f"{place.name}: a broken packet was skipped.")
        else:
            yield from _behind(shown, place, warn)


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


def _several_at_once(decoder: VideoCodecContext) -> bool:
    """Whether it decodes several frames at once, without skipping any."""
    able = decoder.codec.capabilities & Capabilities.frame_threads
    asked = ThreadType.FRAME in ThreadType(decoder.thread_type)
    return bool(able) and asked and decoder.skip_frame == "DEFAULT"


def _later(one: int | None, other: int | None) -> int | None:
    return max((stamp for stamp in (one, other) if stamp is not None), default=None)


def _in(packet: Packet[Any], decoder: VideoCodecContext, name: str, warn: Warn) -> list[Decoded]:
    """The frames that the decoder returns for `packet`."""
    try:
        frames = decoder.decode(packet)
    except av.FFmpegError:
        warn(f"{name}: a broken packet was skipped.")
        return []
    if any(frame.is_corrupt for frame in frames):
        warn(f"{name}: a damaged picture was kept as well as it could be decoded.")
    return frames


def _behind(stamp: int, place: Place, warn: Warn) -> Iterator[Decoded]:
    """The frames after `stamp`, read again without frame threads.

    With frame threads a broken frame among the last ones loses the good ones behind it, as PyAV
    stops flushing at the first error.
    """
    with place.open() as container:
        stream = picture_stream(container, place.name)
        stream.thread_type = "SLICE"
        try:
            container.seek(stamp, stream=stream)
        except av.FFmpegError:
            return
        for frame in decoded(place, container, stream, warn):
            if frame.pts is not None and frame.pts > stamp:
                yield frame


def decoded_from(
    place: Place, container: InputContainer, stream: VideoStream, stamp: int, warn: Warn
) -> Iterator[Decoded]:
    """Every frame from a keyframe at or before `stamp`; from the beginning where none is found."""
    time_base = stream.time_base or Fraction(1)
    for back in _STEPS_BACK:
        try:
            container.seek(stamp - int(back / time_base), stream=stream)
        except av.FFmpegError:
            break
        frames = decoded(place, container, stream, warn)
        first = next(frames, None)
        if first is not None and first.pts is not None and first.pts <= stamp:
            return chain([first], frames)
    return _afresh(place, warn)


def _afresh(place: Place, warn: Warn) -> Iterator[Decoded]:
    """Every frame from the beginning, in a new container, as a failed seek loses packets."""
    with place.open() as container:
        yield from decoded(place, container, picture_stream(container, place.name), warn)
