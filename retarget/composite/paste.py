"""Put each generated face back into its picture, at the picture's full resolution.

A crop on the frame's own pixel grid (the warp generator's) is copied; any other is warped by its
similarity and blended by its mask. Pixels outside the crop stay unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator

from retarget.composite.color import match_color
from retarget.composite.settings import PasteSettings
from retarget.flow.arrays import Picture
from retarget.flow.lay import lay
from retarget.flow.values import FinishedFrame, GeneratedFace, VideoFrame


class Paste:
    """Finish each frame."""

    name = "paste"

    def __init__(self, settings: PasteSettings) -> None:
        self.settings = settings

    def __call__(self, frames: Iterator[GeneratedFace]) -> Iterator[FinishedFrame]:
        """One finished frame for each generated face, in order."""
        for face in frames:
            request = face.request
            rgb = request.identity.frame.rgb.copy()
            self._lay(rgb, face)
            frame = VideoFrame(
                rgb=rgb, index=request.index, at=request.at, duration=request.duration
            )
            yield FinishedFrame(frame=frame, request=request)

    def _lay(self, rgb: Picture, face: GeneratedFace) -> None:
        offset = face.crop.offset
        if offset is not None and face.mask is None:
            left, top = offset
            height, width = face.rgb.shape[:2]
            rgb[top : top + height, left : left + width] = face.rgb
            return
        match = match_color if self.settings.match_color else None
        lay(rgb, face.rgb, face.crop, face.mask, match)
