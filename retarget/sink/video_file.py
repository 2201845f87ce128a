"""Encode frames at their own times, and mux the sound."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from retarget.flow.report import Warn
from retarget.flow.sound import Sound
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import FinishedFrame
from retarget.sink.codecs import CONTAINERS, codec_for
from retarget.sink.lay_sound import CopiedSound, EncodedSound, Interleaved, LaidSound
from retarget.sink.mark import Mark
from retarget.sink.picture import FromRgb
from retarget.sink.refusals import writing
from retarget.sink.settings import SinkSettings

_FINEST_RATE = 100_000  # the largest denominator of a rate that encoders take


@dataclass
class _Running:
    """State from the first frame on, when the size is known."""

    stream: VideoStream
    convert: FromRgb
    size: tuple[int, int]
    origin: Fraction
    """The second of the driving video that is 0 here."""
    sound: Interleaved | None = None
    last: int | None = None
    """Stamp of the last frame."""
    length: int = 0
    """Ticks that frame lasts."""
    waiting: Packet[VideoStream] | None = None
    """The last packet, written once it is known whether another one follows."""
    lag: int = 0
    """Ticks by which a frame is shown later than it is decoded."""


class VideoSink:
    """One video file; see `OpenSink`."""

    def __init__(
        self,
        file: Path,
        target: Path,
        *,
        settings: SinkSettings,
        info: SourceInfo,
        sound: Sound | None,
        mark: Mark,
        warn: Warn,
    ) -> None:
        self._target = target
        self._kind = CONTAINERS[file.suffix.lower()]
        self._codec = codec_for(file.suffix.lower(), settings.codec)
        self._settings = settings
        self._info = info
        self._sound = sound if settings.sound else None
        self._warn = warn
        self._opened = ExitStack()
        self._running: _Running | None = None
        with writing(target):
            self._container: OutputContainer = av.open(
                str(file.resolve()),
                mode="w",
                format=self._kind.format,
                container_options=dict(self._kind.options),
            )
        self._opened.callback(self._container.close)
        self._container.metadata["comment"] = mark.sentence

    def write(self, frame: FinishedFrame) -> None:
        """Encode the next frame; see `Sink.write`."""
        video, base = frame.frame, self._info.time_base
        if self._running is None:
            with writing(self._target):
                self._running = self._begun(video.size, video.at.exact)
        run = self._running
        if video.size != run.size:
            raise ValueError(f"a frame of {video.size} came after frames of {run.size}")
        stamp = round((video.at.exact - run.origin) / base)
        if run.last is not None and stamp <= run.last:
            raise ValueError(f"frame {video.index} is not later than the one before")
        run.last = stamp
        run.length = round(video.duration / base)
        picture = run.convert(video.rgb)
        picture.pts, picture.time_base = stamp, base
        with writing(self._target):
            self._mux(run, picture)
            if run.sound is not None:
                run.sound.up_to(stamp * base)

    def finish(self) -> None:
        """Flush the encoder, write the rest of the sound and the index."""
        with writing(self._target):
            if self._running is not None:
                self._mux(self._running, None)
                self._mux_last(self._running)
                if self._running.sound is not None:
                    self._running.sound.finish()
            self._opened.close()

    def close(self) -> None:
        """Close the files, ignoring errors."""
        with suppress(av.FFmpegError, OSError):
            self._opened.close()

    def _begun(self, size: tuple[int, int], first: Fraction) -> _Running:
        """Set up the streams."""
        convert = FromRgb(self._codec, size)
        if any(convert.padding):
            self._warn(
                f"{self._target.name} is {convert.size[0]} x {convert.size[1]} pixels: its "
                "codec needs even sides, so the last row or column is there twice."
            )
        rate = (self._info.rate or Fraction(25)).limit_denominator(_FINEST_RATE)
        stream: VideoStream = self._container.add_stream(  # type: ignore[assignment]
            self._codec.encoder,
            rate=rate,
            options=self._codec.options(
                self._settings.quality, self._settings.speed, size[0] * size[1]
            ),
        )
        if self._info.timecode is not None:
            stream.metadata["timecode"] = self._info.timecode
        convert.describe(stream.codec_context)
        stream.codec_context.bit_rate = 0  # the quality decides, not PyAV's default
        stream.codec_context.time_base = self._info.time_base
        stream.time_base = self._info.time_base
        origin = first if self._info.cut else Fraction(0)
        return _Running(stream, convert, size, origin, self._laid(origin))

    def _laid(self, origin: Fraction) -> Interleaved | None:
        if self._sound is None:
            return None
        sound = self._opened.enter_context(self._sound.open())
        laid: LaidSound
        held = self._container.supported_codecs - set(self._kind.refuses)
        if self._sound.codec in held:
            laid = CopiedSound(sound, self._container)
        else:
            found = sound.stream.codec_context.codec.canonical_name  # mp3, not mp3float
            self._warn(
                f"A {self._target.suffix} file does not hold {found} sound, so it is encoded anew "
                f"as {self._kind.sound.removeprefix('lib')}."
            )
            laid = EncodedSound(sound, self._container, self._kind.sound)
        return Interleaved(sound, laid, origin if self._info.cut else None)

    def _mux(self, run: _Running, picture: av.VideoFrame | None) -> None:
        for packet in run.stream.encode(picture):
            if run.waiting is not None:
                self._container.mux(run.waiting)
            elif packet.pts is not None and packet.dts is not None:
                run.lag = packet.pts - packet.dts
            if packet.pts == run.last:  # the edit list ends with the frame shown last
                packet.duration = run.length
            run.waiting = packet

    def _mux_last(self, run: _Running) -> None:
        """Write the packet decoded last, with the duration that gives the file its right length.

        It need not be the frame shown last, but a file's length is computed in decoding order, from
        the stamps of all packets and the duration of the last one.
        """
        packet = run.waiting
        if packet is None:
            return
        if packet.dts is not None and run.last is not None:
            packet.duration = max(1, run.last + run.length - run.lag - packet.dts)
        self._container.mux(packet)
