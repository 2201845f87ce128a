"""Mux the sound with the pictures as they are written.

Packets are copied unchanged and keep their exact time relative to the pictures. Only where the
container cannot hold them (a .webm of a video with AAC) is the sound encoded again.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from retarget.flow.sound import OpenSound

_AHEAD = Fraction(1, 2)  # seconds of sound the muxer may hold ready before its picture
_RATE = 48_000  # samples a second that every encoder here takes
_UNNAMED = "NONE"  # what PyAV calls a channel of which nothing is known
_LIKELY = {
    1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1",
    10: "5.1.4", 12: "7.1.4", 14: "9.1.4", 16: "9.1.6",
}  # fmt: skip
"""FFmpeg's default layout for each number of channels."""


class LaidSound(Protocol):
    """One stream of sound in the file that is written."""

    def write(self, at: Fraction, packet: Packet[AudioStream]) -> None:
        """Write `packet` at second `at` of the result."""

    def finish(self) -> None:
        """Flush."""


class CopiedSound:
    """Packets, copied."""

    def __init__(self, sound: OpenSound, container: OutputContainer) -> None:
        self._container = container
        self._stream = container.add_stream_from_template(sound.stream)
        codec = self._stream.codec_context
        if codec.channels in _LIKELY and codec.layout.channels[0].name == _UNNAMED:
            codec.layout = _LIKELY[codec.channels]  # which .mp4 requires for uncompressed sound
        self._before: int | None = None

    def write(self, at: Fraction, packet: Packet[AudioStream]) -> None:
        """See `LaidSound.write`."""
        stamp = round(at / packet.time_base)
        if not packet.duration and self._before is not None:  # unknown, as of ALAC from Matroska:
            packet.duration = max(0, stamp - self._before)  # .mp4 would end before the last one
        self._before = stamp
        lag = 0 if packet.dts is None or packet.pts is None else packet.pts - packet.dts
        packet.pts, packet.dts = stamp, stamp - lag
        packet.stream = self._stream
        self._container.mux(packet)

    def finish(self) -> None:
        """See `LaidSound.finish`."""


class EncodedSound:
    """The same sound by another codec, in one or two channels."""

    def __init__(self, sound: OpenSound, container: OutputContainer, encoder: str) -> None:
        self._container = container
        layout = "mono" if sound.stream.codec_context.channels == 1 else "stereo"
        self._stream: AudioStream = container.add_stream(encoder, rate=_RATE, layout=layout)  # type: ignore[assignment]

    def write(self, at: Fraction, packet: Packet[AudioStream]) -> None:
        """See `LaidSound.write`."""
        try:
            frames: list[AudioFrame] = packet.decode()
        except av.FFmpegError:
            return  # the sound of one broken packet is silence
        shift = 0 if packet.pts is None else round(at / packet.time_base) - packet.pts
        for frame in frames:
            if frame.pts is not None:
                frame.pts += shift
            self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """See `LaidSound.finish`."""
        self._container.mux(self._stream.encode(None))


class Interleaved:
    """Writes sound up to the time of the pictures, so that the muxer need not buffer much.

    Args:
        sound: the source of packets.
        laid: their stream in the file.
        origin: the second that becomes 0, without sound before it; None: all is kept.
    """

    def __init__(self, sound: OpenSound, laid: LaidSound, origin: Fraction | None) -> None:
        self._laid = laid
        self._origin = origin
        self._packets: Iterator[tuple[Fraction, Packet[AudioStream]]] = sound.packets()
        self._held = next(self._packets, None)

    def up_to(self, second: Fraction) -> None:
        """Write the packets before `second` of the result, and `_AHEAD` more."""
        while self._held is not None:
            at, packet = self._held
            at -= self._origin or 0
            if at > second + _AHEAD:
                return
            if self._origin is None or at >= 0:
                self._laid.write(at, packet)
            self._held = next(self._packets, None)

    def finish(self) -> None:
        """Write the remaining packets: sound may last longer than the pictures."""
        while self._held is not None:
            self.up_to(self._held[0])
        self._laid.finish()
