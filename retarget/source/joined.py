"""One clock for a file whose own one restarts part-way, such as two recordings put end to end.

From there on every stream is shifted by the same time, so that pictures and sound stay in sync. The
shift depends on the packets in file order only, so that every reading of the file finds the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.packet import Packet

_AGAIN = Fraction(1, 2)  # seconds; a smaller step back is an error in a stamp


@dataclass
class _Stream:
    """The state of one stream, in seconds on the common clock."""

    shift: Fraction = Fraction(0)
    """Added to the file's times."""
    decoded: Fraction | None = None
    """The last decoding time: unlike presentation times, these rise."""
    end: Fraction = Fraction(0)
    """The latest end of all packets so far."""
    length: Fraction = Fraction(0)
    """Duration of the last packet."""


class OneClock:
    """Shifts the packets of one reading of a file."""

    def __init__(self) -> None:
        self._streams: dict[int, _Stream] = {}
        self._newest = Fraction(0)

    def move(self, packet: Packet[Any]) -> None:
        """Shift `packet` to the common clock; before the first restart the shift is 0."""
        shown, base = packet.dts if packet.pts is None else packet.pts, packet.time_base
        if shown is None:
            return
        began = _Stream(shift=self._newest)  # perhaps only after the clock started again
        stream = self._streams.setdefault(packet.stream.index, began)
        # The first packets of a Matroska file say no decoding time.
        decoded = None if packet.dts is None else packet.dts * base
        if decoded is not None and _again(stream, decoded + stream.shift):
            stream.shift = self._shift(stream, decoded, shown * base)
        ticks = round(stream.shift / base)
        if decoded is not None:
            stream.decoded = decoded + ticks * base
        if packet.pts is not None:
            packet.pts += ticks
        if packet.dts is not None:
            packet.dts += ticks
        stream.length = (packet.duration or 0) * base
        stream.end = max(stream.end, (shown + ticks) * base + stream.length)

    def _shift(self, stream: _Stream, decoded: Fraction, shown: Fraction) -> Fraction:
        """The shift already found for another stream, else a new one."""
        if not _again(stream, decoded + self._newest):
            return self._newest
        # Of the other streams one packet may still be to come, as a demuxer returns a packet only
        # when the next one begins.
        ends = [s.end if s is stream else s.end + s.length for s in self._streams.values()]
        self._newest = max(ends) - shown
        return self._newest


def _again(stream: _Stream, at: Fraction) -> bool:
    return stream.decoded is not None and at < stream.decoded - _AGAIN
