"""Sound packets for the sink.

The file is opened a second time to read them, so that neither pictures nor sound wait for each
other, and no packet has to be kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from retarget.flow.report import Warn
from retarget.flow.sound import OpenSound, Sound
from retarget.source.clock import moment, zero_of
from retarget.source.decode import packets
from retarget.source.place import Place
from retarget.source.settings import SourceSettings

_BEFORE = Fraction(1, 2)  # seconds to seek ahead of the start, so that no packet is missed


def find_sound(place: Place, settings: SourceSettings, warn: Warn) -> Sound | None:
    """The best sound stream of a known codec at `place`; None where it has none."""
    with place.open() as container:
        tracks = len(container.streams.audio)
        known = [s for s in container.streams.audio if s.codec_context is not None]
        if not known:
            if tracks:
                warn(f"{place.name}: its sound is left out, as its codec is not known here.")
            return None
        best = container.streams.best("audio")
        found = next((s for s in known if s is best), known[0])
        index = found.index  # kept as a number: the stream is closed with its container

        @contextmanager
        def opened() -> Iterator[OpenSound]:
            if tracks > 1:
                warn(f"{place.name} has {tracks} sound tracks; one is carried over.")
            with ExitStack() as open_files:
                again = open_files.enter_context(place.open())
                if settings.start > 0 and _can_be_sought(place, moment(settings.start)):
                    _seek(again, moment(settings.start))
                yield _Reading(again, index, place.name, settings, warn)

        return Sound(codec=found.codec_context.name, open=opened)


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
        # Containers refuse sound that steps back in time, and moved sound would be out of sync.
        latest: Fraction | None = None
        waiting = Fraction(0)
        for at, packet in self._found():
            length = (packet.duration or 0) * packet.time_base
            if latest is not None and (at < latest + waiting or (at == latest and length > 0)):
                self.warn(f"{self.name}: sound that steps back in time was left out.")
                waiting = length / 2
                continue
            latest, waiting = at, Fraction(0)
            yield at, packet

    def _found(self) -> Iterator[tuple[Fraction, Packet[AudioStream]]]:
        start = moment(self.settings.start)
        end = None if self.settings.end is None else moment(self.settings.end)
        zero = zero_of(self.container)
        for packet in packets(self.container, self.stream, self.name, self.warn):
            if packet.size == 0 or packet.pts is None:
                continue
            at = packet.pts * packet.time_base - zero
            if end is not None and at >= end:
                return
            if start <= 0 or at >= start:
                yield at, packet


def _can_be_sought(place: Place, start: Fraction) -> bool:
    """Whether seeking to `start` works; tried in a separate container, as failing loses the place.

    A server that does not allow seeking may say so only at the next read.
    """
    with place.open() as container:
        try:
            _seek(container, start)
            next(container.demux(), None)
        except av.FFmpegError:
            return False
        return True


def _seek(container: InputContainer, start: Fraction) -> None:
    second = max(Fraction(0), start + zero_of(container) - _BEFORE)
    container.seek(round(second * 1_000_000))
