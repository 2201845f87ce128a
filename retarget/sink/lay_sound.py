"""Lay the sound beside the pictures as they are written, packet for packet.

Packets are copied as they are found and keep their distance to the pictures exactly. Only where
the container cannot hold them (a .webm of a video with AAC) are they made anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from retarget.flow.sound import OpenSound

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet

_AHEAD = Fraction(1, 2)  # seconds of sound the muxer may hold ready before its picture


class CopiedSound:
    """Copy packets up to the moment the pictures have reached."""

    def __init__(
        self, sound: OpenSound, container: OutputContainer, origin: Fraction | None
    ) -> None:
        """Add the stream to `container`, before anything is muxed.

        Args:
            sound: where packets come from.
            container: where they go.
            origin: the second that becomes 0, sound before it is left out; None: all is kept.
        """
        self._container = container
        self._stream: AudioStream = container.add_stream_from_template(sound.stream)
        self._origin = origin
        self._packets: Iterator[tuple[Fraction, Packet[AudioStream]]] = sound.packets()
        self._held: tuple[Fraction, Packet[AudioStream]] | None = next(self._packets, None)

    def up_to(self, second: Fraction | None) -> None:
        """Write the packets that sound before `second` of the result; None: all that are left."""
        while self._held is not None:
            at, packet = self._held
            at -= self._origin or 0
            if second is not None and at > second + _AHEAD:
                return
            if self._origin is None or at >= 0:
                self._mux(at, packet)
            self._held = next(self._packets, None)

    def _mux(self, at: Fraction, packet: Packet[AudioStream]) -> None:
        stamp = round(at / packet.time_base)
        lag = 0 if packet.dts is None or packet.pts is None else packet.pts - packet.dts
        packet.pts, packet.dts = stamp, stamp - lag
        packet.stream = self._stream
        self._container.mux(packet)
