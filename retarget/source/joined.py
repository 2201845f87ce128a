"""One clock for a file whose own one restarts part-way, such as two recordings put end to end.

From where it does, every stream is moved by the same time, so pictures and sound stay in step; and
since it is found from the packets in their order, whoever reads the file finds the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.packet import Packet

_AGAIN = Fraction(1, 2)  # seconds; a stream that steps back by less has only stumbled


@dataclass
class _Stream:
    """How far one stream has come, in seconds on the one clock."""

    shift: Fraction = Fraction(0)
    """What has to be added to what the file says."""
    decoded: Fraction | None = None
    """When the last packet is decoded: those times come in order, the times of showing do not."""
    end: Fraction = Fraction(0)
    """When everything so far has been shown."""
    length: Fraction = Fraction(0)
    """Of the last packet."""


class OneClock:
    """Move the packets of one reading, each stream's in turn."""

    def __init__(self) -> None:
        self._streams: dict[int, _Stream] = {}
        self._newest = Fraction(0)

    def move(self, packet: Packet[Any]) -> None:
        """Put `packet` on the one clock; before the file's starts again, it stays as it is."""
        shown = packet.dts if packet.pts is None else packet.pts
        decoded = shown if packet.dts is None else packet.dts
        if shown is None or decoded is None:
            return
        base = packet.time_base
        stream = self._streams.setdefault(packet.stream.index, _Stream())
        if _again(stream, decoded * base + stream.shift):
            stream.shift = self._shift(stream, decoded * base, shown * base)
        ticks = round(stream.shift / base)
        if packet.pts is not None:
            packet.pts += ticks
        if packet.dts is not None:
            packet.dts += ticks
        stream.decoded = (decoded + ticks) * base
        stream.length = (packet.duration or 0) * base
        stream.end = max(stream.end, (shown + ticks) * base + stream.length)

    def _shift(self, stream: _Stream, decoded: Fraction, shown: Fraction) -> Fraction:
        """The one that another stream has already found to be needed, else a new one."""
        if not _again(stream, decoded + self._newest):
            return self._newest
        # The last packet of every other stream may be still to come: what a packet holds is known
        # to be whole only once the next one begins.
        ends = [s.end if s is stream else s.end + s.length for s in self._streams.values()]
        self._newest = max(ends) - shown
        return self._newest


def _again(stream: _Stream, at: Fraction) -> bool:
    return stream.decoded is not None and at < stream.decoded - _AGAIN
