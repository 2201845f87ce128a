"""The preview: driving | identity | result, side by side."""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow.arrays import Picture
from retarget.flow.values import FinishedFrame, VideoFrame

MAX_HEIGHT = 720
"""The most pixels of a preview's height, as three pictures side by side are wide."""


def preview_size(result: tuple[int, int], driving: tuple[int, int] | None) -> tuple[int, int]:
    """(width, height) of the preview for a result and a driving video of these sizes."""
    height = min(MAX_HEIGHT, result[1]) // 2 * 2
    widths = [_width(result, height)] * 2
    if driving is not None:
        widths.insert(0, _width(driving, height))
    return sum(widths), height


class SideBySide:
    """Puts the three pictures of each frame side by side."""

    def __init__(self, result: tuple[int, int], driving: tuple[int, int] | None) -> None:
        """For a result and a driving video of these sizes; None without driving pixels."""
        self._width, self._height = preview_size(result, driving)
        self._driving = driving

    def __call__(self, finished: FinishedFrame) -> FinishedFrame:
        """One wide frame for a finished one."""
        request = finished.request
        parts: list[Picture] = []
        if self._driving is not None:
            driving = None if request is None else request.driving
            tracked = None if driving is None else driving.tracked
            black = np.zeros((self._driving[1], self._driving[0], 3), np.uint8)
            parts.append(black if tracked is None else tracked.frame.rgb)
        if request is not None:
            parts.append(request.identity.frame.rgb)
        parts.append(finished.frame.rgb)
        rgb = np.hstack([self._sized(p) for p in parts])
        frame = finished.frame
        wide = VideoFrame(rgb=rgb, index=frame.index, at=frame.at, duration=frame.duration)
        return FinishedFrame(frame=wide, request=request)

    def _sized(self, rgb: Picture) -> Picture:
        size = (_width((rgb.shape[1], rgb.shape[0]), self._height), self._height)
        return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _width(size: tuple[int, int], height: int) -> int:
    """The even width of a picture of `size` at `height`."""
    return max(2, round(size[0] * height / size[1] / 2) * 2)
