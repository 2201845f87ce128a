"""Animated picture files: WebP, PNG and AVIF."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

from PIL import Image

from retarget.errors import UnreadableInput
from retarget.flow.arrays import Bytes, Picture
from retarget.flow.report import Warn, unheard
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import Instant, VideoFrame
from retarget.source.bounds import check_size
from retarget.source.clock import moment
from retarget.source.settings import SourceSettings
from retarget.source.source import Silent, spread
from retarget.source.stills import DAMAGE, Still, read_still, upright_rgb

_MOVING = ("PNG", "WEBP", "AVIF")  # several pictures in a TIFF are pages
_TICK = Fraction(1, 90_000)
_SHORTEST, _USUAL = 10.0, 100.0
"""Milliseconds: a frame with a duration up to the first is shown for the second, as in browsers."""


def picture_file(
    file: Path | bytes, name: str, settings: SourceSettings, background: Bytes, warn: Warn
) -> Still | Animation:
    """The source of a picture file: one picture or an animation."""
    if _moves(file):
        return Animation(file, name, settings, background, warn)
    return Still(read_still(file, name, background), name)


def _moves(file: Path | bytes) -> bool:
    """Whether a picture file has several frames; False where it cannot be read."""
    try:
        with _opened(file) as image:
            return getattr(image, "n_frames", 1) > 1
    except (*DAMAGE, Image.DecompressionBombError):
        return False


class Animation(Silent):
    """The frames of a moving picture file; see `Source`."""

    def __init__(
        self, file: Path | bytes, name: str, settings: SourceSettings, background: Bytes, warn: Warn
    ) -> None:
        self._file, self._name = file, name
        self._background = background
        self._warn: Warn = unheard
        self._start = moment(settings.start)
        self._end = None if settings.end is None else moment(settings.end)
        seen = [(frame.size, frame.duration) for frame in self.frames()]
        if not seen and self._start == 0 and self._end is None:
            raise UnreadableInput(
                f"Not one picture of {name} can be read.", do="Check that it opens elsewhere."
            )
        if not seen:
            raise UnreadableInput(
                f"{name} has no frame between start and end that can be read.",
                do="Name an earlier moment, or check that it opens elsewhere.",
            )
        self._warn = warn
        self._count = len(seen)
        duration = sum((length for _, length in seen), Fraction(0))
        self.info = SourceInfo(
            name=name,
            size=seen[0][0],
            time_base=_TICK,
            rate=self._count / duration,
            count=self._count,
            duration=duration,
            cut=settings.start > 0,
        )

    def frames(self) -> Iterator[VideoFrame]:
        """Every frame; see `Source.frames`."""
        index, ticks = 0, 0
        for rgb, milliseconds in self._pictures():
            ahead = round(Fraction(milliseconds) / 1000 / _TICK)
            at = Instant(ticks, _TICK)
            ticks += ahead
            if self._end is not None and at.exact >= self._end:
                return
            if at.exact >= self._start:
                yield VideoFrame(rgb=rgb, index=index, at=at, duration=ahead * _TICK)
                index += 1

    def sample(self, count: int) -> Iterator[VideoFrame]:
        """Frames spread over the piece; see `Source.sample`."""
        wanted = spread(count, self._count)
        return (f for f in islice(self.frames(), wanted[-1] + 1) if f.index in wanted)

    def _pictures(self) -> Iterator[tuple[Picture, float]]:
        """Each picture and its duration in milliseconds, until one is damaged."""
        number = 0
        try:
            with _opened(self._file) as image:
                check_size(self._name, *image.size)
                for number in range(getattr(image, "n_frames", 1)):
                    image.seek(number)
                    rgb = upright_rgb(image, self._background)
                    length = float(image.info.get("duration", 0.0))
                    yield rgb, length if length > _SHORTEST else _USUAL
        except DAMAGE:
            self._warn(f"{self._name} is damaged from its frame {number} on, and left out there.")


def _opened(file: Path | bytes) -> Image.Image:
    Image.init()
    opened = io.BytesIO(file) if isinstance(file, bytes) else file
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # large pictures are refused by `check_size`
        return Image.open(opened, formats=[name for name in _MOVING if name in Image.OPEN])
