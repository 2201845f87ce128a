"""A source whose pictures are scaled down as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from retarget.flow.sound import Sound
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import VideoFrame
from retarget.source.source import Source


def shrunk(source: Source, longest: int) -> Source:
    """The same source, its longer side at most `longest` pixels; itself where it is no longer."""
    return source if max(source.info.size) <= longest else _Shrunk(source, longest)


class _Shrunk:
    """Another source's frames and sound; see `Source`."""

    def __init__(self, source: Source, longest: int) -> None:
        self._source = source
        width, height = source.info.size
        # Even sides, as most codecs require; none longer than `longest`.
        factor = longest // 2 * 2 / max(width, height)
        self._size = max(2, round(width * factor / 2) * 2), max(2, round(height * factor / 2) * 2)

    @property
    def info(self) -> SourceInfo:
        """The same but for the size; see `Source.info`."""
        return replace(self._source.info, size=self._size)

    def frames(self) -> Iterator[VideoFrame]:
        """Every frame; see `Source.frames`."""
        return map(self._shrink, self._source.frames())

    def sample(self, count: int) -> Iterator[VideoFrame]:
        """Frames spread over the piece; see `Source.sample`."""
        return map(self._shrink, self._source.sample(count))

    def sound(self) -> Sound | None:
        """The other's sound; see `Source.sound`."""
        return self._source.sound()

    def _shrink(self, frame: VideoFrame) -> VideoFrame:
        rgb = cv2.resize(frame.rgb, self._size, interpolation=cv2.INTER_AREA)
        return replace(frame, rgb=np.asarray(rgb, np.uint8))
