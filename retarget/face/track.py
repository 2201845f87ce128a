"""Follow one face through a video.

While the face is in view its mesh is read from a square around the last frame's mesh, which needs
no detector. A detector looks over the frame at the start, after a loss, after a cut and now and
then.
"""

from __future__ import annotations

from collections.abc import Iterator

from retarget.errors import NoFaceFound
from retarget.face.choose import choose
from retarget.face.open import open_model
from retarget.face.region import Picture, Reading, overlap
from retarget.face.search import FaceModel, thorough
from retarget.face.settings import TrackSettings, parse_choice
from retarget.flow.report import Report
from retarget.flow.values import Face, TrackedFrame, VideoFrame


class Track:
    """Follow one face; a frame without it passes with `face=None`."""

    name = "track"

    def __init__(self, settings: TrackSettings, report: Report) -> None:
        self.settings = settings
        self.report = report

    def __call__(self, frames: Iterator[VideoFrame]) -> Iterator[TrackedFrame]:
        """Track a stream.

        Raises:
            NoFaceFound: no face in the first `patience` seconds, or in the whole video.
        """
        model = open_model(self.settings)
        try:
            yield from _Follower(model, self.settings, self.report).follow(frames)
        finally:
            model.close()


class _Follower:
    def __init__(self, model: FaceModel, settings: TrackSettings, report: Report) -> None:
        self.model, self.settings, self.report = model, settings, report
        self.choice = parse_choice(settings.which)
        self.last: Reading | None = None
        self.others = 0

    def follow(self, frames: Iterator[VideoFrame]) -> Iterator[TrackedFrame]:
        seen, first = False, None
        frame = None
        for frame in frames:
            first = frame.at.seconds if first is None else first
            before = self.last
            self.last = self._next(frame)
            if self.last is None:
                self.report.lost(frame.index)
                searched = frame.at.seconds - first
                if not seen and 0 < self.settings.patience < searched:
                    raise _no_face(searched)
                yield TrackedFrame(frame=frame, face=None, others=self.others)
                continue
            face = Face(points=self.last.points, scores=self.last.scores)
            cut = seen and before is None
            seen = True
            yield TrackedFrame(frame=frame, face=face, cut=cut, others=self.others)
        if frame is not None and first is not None and not seen:
            raise _no_face(frame.at.seconds - first + float(frame.duration))

    def _next(self, frame: VideoFrame) -> Reading | None:
        if self.last is not None:
            reading = self.model.read(frame.rgb, self.last.region)
            if reading is not None and reading.presence >= self.settings.certainty:
                return reading
            found = read_all(self.model, frame.rgb)
            return next((f for f in found if overlap(f.region, self.last.region) > 0), None)
        found = read_all(self.model, frame.rgb)
        self.others = max(0, len(found) - 1)
        return choose(found, self.choice)


def read_all(model: FaceModel, rgb: Picture) -> list[Reading]:
    """The meshes of all faces that a look over the frame shows, read from where they lie best."""
    out = []
    for found in thorough(model, rgb):
        rough = model.read(rgb, found.region)
        fine = rough and model.read(rgb, rough.region)
        if fine is not None and fine.presence >= model.certainty:
            out.append(fine)
    return out


def _no_face(searched: float) -> NoFaceFound:
    return NoFaceFound(
        f"No face found in the first {searched:.1f} s of the video.",
        do="Start it where a face is visible, or lower track.certainty.",
    )
