"""Sound packets, set aside for the sink.

They are read from the file a second time, beside the pictures, so neither waits for the other and
no packet has to be kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from retarget.flow.sound import OpenSound, Sound
from retarget.source.clock import zero_of
from retarget.source.decode import packets
from retarget.source.place import Place
from retarget.source.settings import SourceSettings
from retarget.source.source import Warn

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet

_BEFORE = Fraction(1, 2)  # seconds to seek ahead of the start, so that no packet is missed


def find_sound(place: Place, settings: SourceSettings, warn: Warn) -> Sound | None:
    """The best sound stream at `place`, None where it has none that can be named."""
    with place.open() as container:
        stream = container.streams.best("audio")
        if stream is None or stream.codec_context is None:
            return None
        found: AudioStream = stream  # type: ignore[assignment]
        index = found.index  # kept as a number: the stream itself goes with its container

        @contextmanager
        def opened() -> Iterator[OpenSound]:
            with place.open() as again:
                yield _Reading(again, index, place.name, settings, warn)

        return Sound(
            codec=found.codec_context.name,
            rate=found.codec_context.sample_rate,
            channels=found.codec_context.channels,
            open=opened,
        )


@dataclass
class _Reading:
    """Packets of one stream, in their order; see `OpenSound`."""

    container: InputContainer
    index: int
    name: str
    settings: SourceSettings
    warn: Warn

    @property
    def stream(self) -> AudioStream:
        return self.container.streams[self.index]  # type: ignore[return-value]

    def packets(self) -> Iterator[tuple[Fraction, Packet[AudioStream]]]:
        start, end = Fraction(self.settings.start), self.settings.end
        zero = zero_of(self.container)
        if start > 0:
            self._seek(start + zero - _BEFORE)
        for packet in packets(self.container, self.stream, self.name, self.warn):
            if packet.size == 0 or packet.pts is None:
                continue
            at = packet.pts * packet.time_base - zero
            if end is not None and at >= end:
                return
            if start <= 0 or at >= start:
                yield at, packet

    def _seek(self, second: Fraction) -> None:
        try:
            self.container.seek(round(max(Fraction(0), second) * 1_000_000))
        except av.FFmpegError:
            self.container.flush_buffers()
