"""Search a frame for faces, and accept only those that a second look confirms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol

import numpy as np

from retarget.face.region import MARGIN, Detection, Reading, Region, overlap, whole
from retarget.flow import landmarks
from retarget.flow.arrays import Picture

SAME = 0.3
"""Boxes that overlap more than this are one face."""
_MOST = 16
"""The most candidates that are examined; the least certain of a crowd are left out."""
_FINEST = 160
"""Pixels of the smallest tile that is searched."""
_PIECES = 2
"""Tiles searched per frame while no face is in view."""
_SETTLING, _SETTLED = 6, 0.003
"""The most repetitions of reading a face at the place of its last reading, and the movement, in
widths, below which they end: four are usual. The first mesh, from the detector's square, is as
inaccurate as a face trembles, and would creep into place over the first frames."""
_QUARTERS = (np.pi / 2, -np.pi / 2, np.pi)


class FaceModel(Protocol):
    """The interface of both trackers: faces in a view, and the mesh of one face."""

    def detect(
        self, rgb: Picture, view: Region, *, near: bool = True, far: bool = True
    ) -> list[Detection]:
        """Faces in a square of the frame: large ones where `near`, small ones where `far`."""

    def read(self, rgb: Picture, region: Region) -> Reading | None:
        """The mesh in a region, whose `presence` tells how certain it is; None: no face at all."""

    def close(self) -> None:
        """Free what it holds."""


class Search:
    """Faces of a frame, each read and confirmed.

    Args:
        model: the tracker.
        certainty: 0..1, how sure a face must be.
    """

    def __init__(self, model: FaceModel, certainty: float) -> None:
        self.model = model
        self.certainty = certainty
        self.sure = 0.5 + 0.5 * certainty
        """The score that the near detector must give an upright face at the best size: people,
        paintings and drawings got at least 0.83; a clock and a colour wheel at most 0.46, a cat
        0.61, and 0.77 upside down."""

    def everywhere(
        self, rgb: Picture, *, complete: bool = False, turned: bool = False
    ) -> list[Reading]:
        """A thorough search, also for faces that fill the frame and small ones in a large frame.

        Args:
            rgb: the frame.
            complete: search for small ones also where large ones have been found.
            turned: without an upright face, search for faces on their side or upside down.
        """
        found: list[Reading] = []
        for zoom in (1.0, 0.6):
            if not found:
                found = self.believed(rgb, self.model.detect(rgb, whole(rgb, zoom=zoom)))
        if complete or not found:
            for view in tiles(rgb):
                found += self.believed(rgb, self.model.detect(rgb, view, near=False), found)
        if turned and not found:
            views = [whole(rgb, zoom=z, turn=t) for t in _QUARTERS for z in (1.0, 0.6)]
            found = self.believed(rgb, [d for v in views for d in self.model.detect(rgb, v)])
        return found

    def again(self, rgb: Picture, last: Region | None, pieces: Iterable[Region]) -> list[Reading]:
        """A quick search: where a face was last, in the whole frame, and in some `pieces`."""
        candidates = self.model.detect(rgb, whole(rgb))
        for view in [whole(rgb, zoom=0.6)] if last is None else [last.scaled(2.5)]:
            candidates += self.model.detect(rgb, view, far=False)
        for view in islice(pieces, _PIECES):
            candidates += self.model.detect(rgb, view, near=False)
        return self.believed(rgb, candidates)

    def believed(
        self, rgb: Picture, candidates: list[Detection], known: Iterable[Reading] = ()
    ) -> list[Reading]:
        """The meshes of those candidates that are faces and not among the `known`."""
        out: list[Reading] = []
        for candidate in islice(distinct(candidates), _MOST):
            taken = [face.region for face in (*known, *out)]
            if any(overlap(candidate.region, other) > SAME for other in taken):
                continue
            face = self.read_well(rgb, candidate.region)
            if face is not None and all(overlap(face.region, other) < SAME for other in taken):
                out.append(face)
        return out

    def read_well(self, rgb: Picture, region: Region) -> Reading | None:
        """The mesh of a face whose place is roughly known; None where it is not a face.

        The detector also finds faces on their side or upside down, with wrong eyes; so the
        orientation with the best score is used.
        """
        turns = [self._upright(rgb, region.scaled(1.0, turn)) for turn in (0.0, *_QUARTERS)]
        best = max(turns, key=lambda d: d.score if d else 0.0)
        if best is None or best.score < (
            self._wanted(rgb, region) if best is turns[0] else self.sure
        ):
            return None
        rough = self.model.read(rgb, best.region)
        if rough is None or not plausible(rough, best.region):
            return None
        fine = self.model.read(rgb, rough.region)
        if fine is None or fine.presence < self.sure or not plausible(fine, rough.region):
            return None
        return fine if self.confirmed(rgb, fine.region) >= self._wanted(rgb, fine.region) else None

    def settled(self, rgb: Picture, face: Reading) -> Reading:
        """A face, read again at its own place until it no longer moves."""
        for _ in range(_SETTLING):
            again = self.model.read(rgb, face.region)
            if again is None or again.presence < self.certainty:
                break
            moved, face = np.abs(again.points - face.points).max(), again
            if moved < _SETTLED * face.region.side / MARGIN:
                break
        return face

    def confirmed(self, rgb: Picture, region: Region) -> float:
        """The detector's score of a face, 0..1, upright and at the best size."""
        seen = self._upright(rgb, region)
        return seen.score if seen else 0.0

    def _upright(self, rgb: Picture, region: Region) -> Detection | None:
        """The detection of a face in a view with a margin; at the frame's border also without."""
        zooms = (2.0, 1.1) if _cut_off(rgb, region) else (2.0,)
        views = [region.scaled(zoom) for zoom in zooms]
        seen = [d for view in views for d in self.model.detect(rgb, view, far=False)]
        here = [d for d in seen if overlap(d.region, region) > 0.2]
        return max(here, key=lambda d: d.score, default=None)

    def _wanted(self, rgb: Picture, region: Region) -> float:
        """The score that the detector must give; lower for a face at the border of the frame."""
        return self.sure - 0.15 if _cut_off(rgb, region) else self.sure


def plausible(face: Reading, region: Region) -> bool:
    """Whether a mesh read from a region has the shape and place of a face.

    The bounds are twice as wide as what was seen in real clips.
    """
    points = face.points
    right, left = points[list(landmarks.EYE_OUTER_CORNERS)]
    between = float(np.linalg.norm(left - right))
    if not between > 2:
        return False
    high = float(np.linalg.norm(points[landmarks.FOREHEAD] - points[landmarks.CHIN])) / between
    here = face.region
    extent = here.side / region.side
    aside = float(np.hypot(here.x - region.x, here.y - region.y)) / region.side
    return 1.2 < high < 3.2 and 0.5 < extent < 1.7 and aside < 0.35


def _cut_off(rgb: Picture, region: Region) -> bool:
    """Whether a face touches, or nearly touches, the border of the frame."""
    height, width = rgb.shape[:2]
    half = 0.55 * region.side / MARGIN
    x, y = region.x, region.y
    return x < half or y < half or x > width - half or y > height - half


def tiles(rgb: Picture) -> Iterator[Region]:
    """Overlapping squares, large ones first, of half the side in each round.

    The last round is fine enough for a face of 40 pixels in a 4K frame.
    """
    height, width = rgb.shape[:2]
    side = min(height, width) / 1.5
    finest = max(_FINEST, min(height, width) / 7)
    while side >= finest:
        across, down = round(2 * width / side) - 1, round(2 * height / side) - 1
        for row in range(down):
            for column in range(across):
                x = side / 2 + (width - side) * column / max(1, across - 1)
                y = side / 2 + (height - side) * row / max(1, down - 1)
                yield Region(x=x, y=y, side=side)
        side /= 2


def distinct(found: Iterable[Detection]) -> Iterator[Detection]:
    """Each face once, the most certain first."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda d: -d.score):
        if all(overlap(one.region, other.region) < SAME for other in kept):
            kept.append(one)
            yield one
