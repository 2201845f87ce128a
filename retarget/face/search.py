"""Look over a frame for faces: the whole of it, around it, and piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from retarget.face.region import Detection, Picture, Reading, Region, overlap

SAME = 0.3
"""Boxes that overlap more than this are one face."""


class FaceModel(Protocol):
    """What both trackers promise: faces in a view, and the mesh of one face."""

    certainty: float
    scored: bool
    """True where `read` gives blendshape scores."""

    def detect(self, rgb: Picture, view: Region, *, far: bool = False) -> list[Detection]:
        """Faces in an upright square of the frame, large ones, or small ones where `far`."""
        ...

    def read(self, rgb: Picture, region: Region) -> Reading | None:
        """The mesh in a region; `presence` says whether to believe it."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


def whole(rgb: Picture, zoom: float = 1.0) -> Region:
    """The square around the whole frame; below 1, `zoom` leaves a margin around it."""
    height, width = rgb.shape[:2]
    return Region(x=width / 2, y=height / 2, side=max(width, height) / zoom)


def quick(model: FaceModel, rgb: Picture) -> list[Detection]:
    """Faces that one look at the whole frame shows, large and small ones."""
    view = whole(rgb)
    return distinct([*model.detect(rgb, view), *model.detect(rgb, view, far=True)])


def thorough(model: FaceModel, rgb: Picture) -> list[Detection]:
    """Faces by every means: also those that fill the frame, and small ones in a large frame."""
    found = quick(model, rgb)
    if not found:
        found = model.detect(rgb, whole(rgb, zoom=0.6))
    if not found:
        found = [d for view in tiles(rgb) for d in model.detect(rgb, view, far=True)]
    return distinct(found)


def tiles(rgb: Picture) -> Iterator[Region]:
    """Overlapping squares, each smaller than the last round's, down to 256 pixels."""
    height, width = rgb.shape[:2]
    side = min(height, width) / 1.5
    while side >= 256:
        across, down = round(2 * width / side) - 1, round(2 * height / side) - 1
        for row in range(down):
            for column in range(across):
                x = side / 2 + (width - side) * column / max(1, across - 1)
                y = side / 2 + (height - side) * row / max(1, down - 1)
                yield Region(x=x, y=y, side=side)
        side /= 2


def distinct(found: list[Detection]) -> list[Detection]:
    """The same faces once each, the surest first."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda d: -d.score):
        if all(overlap(one, other) < SAME for other in kept):
            kept.append(one)
    return kept
