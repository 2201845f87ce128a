"""An animated GIF with one palette for all frames.

The palette can only be chosen after the last frame, so frames are first written to a lossless file
beside the target, which FFmpeg reads twice: memory does not grow with the length. A GIF's time unit
is a hundredth of a second; each frame is rounded to the nearest one, so that errors do not add up.
Viewers slow down frames shorter than two hundredths, so those are left out.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import ffmpeg
import imageio_ffmpeg

from retarget.errors import CannotWrite
from retarget.flow.report import Warn
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import FinishedFrame, Instant
from retarget.sink.mark import Mark
from retarget.sink.refusals import writing
from retarget.sink.settings import SinkSettings
from retarget.sink.video_file import VideoSink

_TICK = Fraction(1, 100)
_SHORTEST = 2  # ticks
_TRAILER = b"\x3b"


class GifSink:
    """One animated GIF; see `OpenSink`."""

    def __init__(
        self, file: Path, target: Path, *, info: SourceInfo, mark: Mark, warn: Warn
    ) -> None:
        self._file = _plain(file.resolve())
        self._target = target
        self._mark = mark
        self._warn = warn
        self._frames = self._file.with_suffix(".mkv")
        self._palette = self._file.with_suffix(".nut")
        self._first: Fraction | None = None
        self._last = -_SHORTEST
        self._length = _SHORTEST
        self._lossless = VideoSink(
            self._frames,
            target,
            settings=SinkSettings(codec="ffv1"),
            info=replace(info, time_base=_TICK, cut=False),
            sound=None,
            mark=mark,
            warn=warn,
        )

    def write(self, frame: FinishedFrame) -> None:
        """Write the next frame to the lossless file; see `Sink.write`."""
        video = frame.frame
        if self._first is None:
            self._first = video.at.exact
        tick = round((video.at.exact - self._first) / _TICK)
        if tick < self._last + _SHORTEST:
            self._warn("A GIF shows at most 50 frames a second; the frames between are left out.")
            return
        self._last = tick
        self._length = max(_SHORTEST, round(video.duration / _TICK))
        moved = replace(video, at=Instant(tick, _TICK))
        with writing(self._target):
            self._lossless.write(replace(frame, frame=moved))

    def finish(self) -> None:
        """Choose the palette, write the GIF with it, and add the mark."""
        with writing(self._target):
            self._lossless.finish()
            whole = ffmpeg.input(str(self._frames))
            self._run(
                whole.filter("palettegen").output(
                    str(self._palette), format="nut", vcodec="rawvideo", pix_fmt="bgra"
                )
            )
            drawn = ffmpeg.filter(
                [whole, ffmpeg.input(str(self._palette))], "paletteuse", diff_mode="rectangle"
            )
            self._run(
                drawn.output(
                    str(self._file),
                    format="gif",
                    fps_mode="passthrough",
                    enc_time_base="1:100",
                    final_delay=self._length,
                )
            )
            _comment(self._file, self._mark.sentence)

    def close(self) -> None:
        """Remove the temporary files."""
        self._lossless.close()
        self._frames.unlink(missing_ok=True)
        self._palette.unlink(missing_ok=True)

    def _run(self, graph: ffmpeg.nodes.OutputStream) -> None:
        try:
            program = imageio_ffmpeg.get_ffmpeg_exe()
            graph.global_args("-nostdin").run(cmd=program, quiet=True, overwrite_output=True)
        except RuntimeError as cause:
            raise CannotWrite(
                "A GIF needs the program ffmpeg, which is not there.",
                do="Install imageio-ffmpeg again, or name the output .mp4.",
            ) from cause
        except ffmpeg.Error as cause:
            said = cause.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise CannotWrite(
                f"{self._target} could not be written ({' '.join(said).rstrip('.')}).",
                do="Free some space, or name the output .mp4.",
            ) from cause


def _plain(file: Path) -> Path:
    """The path, which ffmpeg-python takes only in UTF-8."""
    try:
        str(file).encode()
    except UnicodeEncodeError as cause:
        raise CannotWrite(
            f"A GIF cannot be written to {file.parent}, whose name is not UTF-8.",
            do="Rename the folder, or name the output .mp4.",
        ) from cause
    return file


def _comment(file: Path, sentence: str) -> None:
    """Put a comment block (GIF89a, 24) before the trailer."""
    text = sentence.encode("ascii", errors="replace")[:255]
    with file.open("r+b") as gif:
        gif.seek(-1, 2)
        if gif.read(1) == _TRAILER:
            gif.seek(-1, 2)
            gif.write(b"\x21\xfe" + bytes([len(text)]) + text + b"\x00" + _TRAILER)
