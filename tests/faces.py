"""Small real pictures and clips for the tests of the face room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache

import cv2
import numpy as np
import skimage.data
from outside import tracker

from retarget.face.settings import TrackSettings
from retarget.face.track import Track
from retarget.flow.arrays import Picture
from retarget.flow.report import Report
from retarget.flow.values import Instant, TrackedFrame, VideoFrame


@cache
def astronaut() -> Picture:
    """512x512, one face of about 100 pixels a little left of and above the middle."""
    return np.ascontiguousarray(skimage.data.astronaut())


@cache
def stranger() -> Picture:
    """The same size, another look: mirrored, darker and of another tint."""
    other = astronaut()[:, ::-1].astype(np.float32) * np.array([0.55, 0.8, 1.0])
    return np.ascontiguousarray(other.astype(np.uint8))


def head(picture: Picture) -> Picture:
    """A 200x200 cut-out of the face in a picture of the astronaut or the stranger."""
    left = 125 if picture is astronaut() else 512 - 125 - 200
    return np.ascontiguousarray(picture[30:230, left : left + 200])


def wall(width: int = 512, height: int = 512, *, grey: int = 120) -> Picture:
    """A picture without a face, neither even nor busy."""
    ramp = np.linspace(grey - 30, grey + 30, width)[None, :, None]
    return np.ascontiguousarray(np.broadcast_to(ramp, (height, width, 3)).astype(np.uint8))


def on(canvas: Picture, part: Picture, x: int, y: int) -> Picture:
    """A copy of the canvas with a soft-edged part around (x, y), cut off at the border."""
    out = canvas.copy()
    high, wide = part.shape[:2]
    oval = np.zeros((high, wide), np.float32)
    cv2.ellipse(
        oval, (wide // 2, high // 2), (int(wide * 0.42), int(high * 0.48)), 0, 0, 360, 1, -1
    )
    oval = cv2.GaussianBlur(oval, (0, 0), 2)[..., None]
    left, top = x - wide // 2, y - high // 2
    a, b = max(0, left), min(canvas.shape[1], left + wide)
    c, d = max(0, top), min(canvas.shape[0], top + high)
    if b <= a or d <= c:
        return out
    mask, new = (
        oval[c - top : d - top, a - left : b - left],
        part[c - top : d - top, a - left : b - left],
    )
    out[c:d, a:b] = (out[c:d, a:b] * (1 - mask) + new * mask).astype(np.uint8)
    return out


def moved(picture: Picture, dx: float, dy: float) -> Picture:
    """The picture shifted, its border repeated."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE))


def frame(picture: Picture, index: int = 0) -> VideoFrame:
    return VideoFrame(
        rgb=np.ascontiguousarray(picture), index=index,
        at=Instant(index, Fraction(1, 25)), duration=Fraction(1, 25),
    )  # fmt: skip


def video(pictures: Sequence[Picture]) -> Iterator[VideoFrame]:
    return iter([frame(picture, index) for index, picture in enumerate(pictures)])


def track(
    pictures: Sequence[Picture], settings: TrackSettings | None = None, report: Report | None = None
) -> list[TrackedFrame]:
    stage = Track(settings or tracker(looks=1), report or Report())
    return list(stage(video(pictures)))


def middles(tracked: Sequence[TrackedFrame]) -> list[float | None]:
    """The horizontal place of the nose in every frame, None where the face is away."""
    return [None if t.face is None else float(t.face.points[1, 0]) for t in tracked]
