"""Packets in, decoded frames out; what is broken is skipped, told, and not fatal."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any

import av

from retarget.flow.report import Warn
from retarget.source.clock import says_when_shown
from retarget.source.decoder import decoder_of
from retarget.source.joined import OneClock
from retarget.source.place import Place, picture_stream

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame as Decoded
    from av.video.stream import VideoStream

_PATIENCE = 50  # failed reads in a row after which a file is taken as ended
_STEPS_BACK = (0.0, 3.0, 15.0)  # seconds before the wanted one at which to look for a keyframe


def packets(
    container: InputContainer, stream: Stream, name: str, warn: Warn
) -> Iterator[Packet[Any]]:
    """Every packet of `stream` from here on; a read that fails is tried again behind the damage.

    The time they stand at goes on where the file's clock starts again.
    """
    clock, failed = OneClock(), 0
    while failed < _PATIENCE:
        try:
            # Where it starts again, each stream has to be moved as far as the others.
            for packet in container.demux(*container.streams.video, *container.streams.audio):
                failed = 0
                clock.move(packet)
                if packet.stream.index == stream.index:
                    yield packet
            return
        except av.FFmpegError:
            failed += 1
            warn(f"{name}: a damaged stretch could not be read and was skipped.")


def decoded(
    container: InputContainer, stream: VideoStream, name: str, warn: Warn
) -> Iterator[Decoded]:
    """Every frame of `stream` from here on that can be decoded."""
    decoder, guessed = decoder_of(stream, name, warn), not says_when_shown(container)
    for packet in packets(container, stream, name, warn):
        try:
            frames = decoder.decode(packet)
        except av.FFmpegError:
            warn(f"{name}: a broken packet was skipped.")
            continue
        for frame in frames:
            if frame.is_corrupt:
                warn(f"{name}: a damaged picture was kept as well as it could be decoded.")
            if guessed:
                # What is guessed instead goes astray where frames are decoded in another order.
                # They come out in order, and this is when.
                frame.pts = frame.dts
            yield frame


def decoded_from(
    place: Place, container: InputContainer, stream: VideoStream, stamp: int, warn: Warn
) -> Iterator[Decoded]:
    """Every frame from a keyframe not after `stamp` on; from the beginning where none is found."""
    time_base = stream.time_base or Fraction(1)
    for back in _STEPS_BACK:
        try:
            container.seek(stamp - int(back / time_base), stream=stream)
        except av.FFmpegError:
            break
        frames = decoded(container, stream, place.name, warn)
        first = next(frames, None)
        if first is not None and first.pts is not None and first.pts <= stamp:
            return chain([first], frames)
    return _afresh(place, warn)


def _afresh(place: Place, warn: Warn) -> Iterator[Decoded]:
    """Every frame from the beginning: a failed seek loses what had been read ahead."""
    with place.open() as container:
        yield from decoded(container, picture_stream(container, place.name), place.name, warn)
