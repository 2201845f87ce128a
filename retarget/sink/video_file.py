"""Encode frames at their own times, and lay the sound beside them."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av

from retarget.flow.sound import Sound
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import FinishedFrame
from retarget.sink.codecs import CONTAINERS, codec_for
from retarget.sink.lay_sound import CopiedSound
from retarget.sink.mark import Mark
from retarget.sink.partial import writing
from retarget.sink.picture import FromRgb
from retarget.sink.settings import SinkSettings
from retarget.sink.sink import Warn


class VideoSink:
    """One video file; see `OpenSink`.

    Args:
        file: where to write.
        target: what it will be called, for messages; its suffix says the kind.
        settings: codec, quality and speed.
        info: the driving video, whose clock the file keeps.
        sound: to lay beside the pictures.
        mark: what to say about how the pictures were made.
        warn: called with one line for what is not as asked.
    """

    def __init__(
        self,
        file: Path,
        target: Path,
        settings: SinkSettings,
        info: SourceInfo,
        sound: Sound | None,
        mark: Mark,
        warn: Warn,
    ) -> None:
        suffix = target.suffix.lower()
        self._target = target
        self._codec = codec_for(suffix, settings.codec)
        self._settings = settings
        self._info = info
        self._sound = sound if settings.sound else None
        self._warn = warn
        self._open = ExitStack()
        self._lengths: dict[int, int] = {}
        self._last: int | None = None
        self._size: tuple[int, int] | None = None
        self._laid: CopiedSound | None = None
        with writing(target):
            self._container = av.open(
                str(file.resolve()), mode="w", format=CONTAINERS[suffix].format
            )
        self._open.callback(self._container.close)
        self._container.metadata["comment"] = mark.sentence

    def write(self, frame: FinishedFrame) -> None:
        """Encode the next frame; see `Sink.write`."""
        video = frame.frame
        if self._size is None:
            self._begin(video.size, video.at.exact)
            self._size = video.size
        if video.size != self._size:
            raise ValueError(f"a frame of {video.size} came after frames of {self._size}")
        base = self._info.time_base
        stamp = round((video.at.exact - self._origin) / base)
        if self._last is not None and stamp <= self._last:
            raise ValueError(f"frame {video.index} is not later than the one before")
        self._last = stamp
        self._lengths[stamp] = round(video.duration / base)
        picture = self._convert(video.rgb)
        picture.pts, picture.time_base = stamp, base
        with writing(self._target):
            self._mux(picture)
            if self._laid is not None:
                self._laid.up_to(stamp * base)

    def finish(self) -> None:
        """Flush the encoder, lay the rest of the sound and write the index."""
        with writing(self._target):
            self._mux(None)
            if self._laid is not None:
                self._laid.up_to(None)
            self.close()

    def close(self) -> None:
        """Close the files."""
        self._open.close()

    def _begin(self, size: tuple[int, int], first: Fraction) -> None:
        """Set up the streams, now that the size is known."""
        self._origin = first if self._info.cut else Fraction(0)
        self._convert = FromRgb(self._codec, size)
        if any(self._convert.padding):
            self._warn(
                f"{self._target.name}: {size[0]} x {size[1]} pixels cannot be halved, so the last "
                "column or row is there twice."
            )
        with writing(self._target):
            self._stream = self._container.add_stream(
                self._codec.encoder,
                rate=(self._info.rate or Fraction(25)).limit_denominator(100_000),
                options=self._codec.options(self._settings.quality, self._settings.speed),
            )
            self._convert.describe(self._stream.codec_context)
            self._stream.codec_context.bit_rate = 0
            self._stream.codec_context.time_base = self._info.time_base
            self._stream.time_base = self._info.time_base
            if self._sound is not None:
                opened = self._open.enter_context(self._sound.open())
                origin = self._origin if self._info.cut else None
                self._laid = CopiedSound(opened, self._container, origin)

    def _mux(self, picture: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(picture):
            # Encoders forget how long a frame lasts, and a file's last one has no next.
            if packet.pts is not None:
                packet.duration = self._lengths.pop(packet.pts, 0)
            self._container.mux(packet)
