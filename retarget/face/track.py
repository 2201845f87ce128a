"""The stage: follow one face through a video.

While the face is in view its mesh is read from a square around the last frame's mesh, without a
detector. A detector searches the frame at the start, after a loss or a cut, and every few frames.
See follow.py for how a face is followed, search.py for what counts as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from retarget.errors import NoFaceFound
from retarget.face.follow import Follower
from retarget.face.open import open_model
from retarget.face.settings import (
    AUTO,
    TrackSettings,
    none_in_picture,
    not_so_many,
    of_several,
)
from retarget.flow.report import Report
from retarget.flow.values import Face, TrackedFrame, VideoFrame

FACES_AT_ONCE = "faces_at_once"
"""The key of the largest number of faces seen at once in `Report.facts`."""
_SPEAK_UP = 10.0
"""Seconds of video without any face after which to warn."""
_USUAL = Fraction(1, 30)
"""Seconds of a frame of unknown duration."""


class Track:
    """Follow one face; a frame without it passes with `face=None`."""

    name = "track"

    def __init__(
        self, settings: TrackSettings, report: Report, *, called: str = "The video"
    ) -> None:
        self.settings = settings
        self.report = report
        self.called = called

    def __call__(self, frames: Iterator[VideoFrame]) -> Iterator[TrackedFrame]:
        """Track one stream.

        Raises:
            NoFaceFound: no face in the first `patience` seconds, or in the whole stream.
            MissingModel: the tracker needs a file that is not here.
        """
        model = open_model(self.settings)
        try:
            yield from self._follow(Follower(model, self.settings), frames)
        finally:
            model.close()

    def _follow(self, follower: Follower, frames: Iterator[VideoFrame]) -> Iterator[TrackedFrame]:
        first, last, found = 0.0, 0.0, False
        frame, since = None, _USUAL
        for frame in frames:
            first = frame.at.seconds if frame.index == 0 else first
            last = frame.at.seconds - first
            seen = follower.step(frame.rgb, since)
            since = frame.duration or _USUAL
            found = found or seen.face is not None
            if not found:
                self._wait(last, follower.most)
            if seen.face is None:
                self.report.lost(frame.index)
                yield TrackedFrame(frame=frame, face=None, others=seen.others)
                continue
            face = Face(points=seen.face.points, scores=seen.face.scores)
            if seen.others:
                self._tell_of_others(face, follower.most)
            yield TrackedFrame(frame=frame, face=face, cut=seen.cut, others=seen.others)
        if frame is not None and not found:
            raise self._none(last + float(frame.duration), follower.most)

    def _tell_of_others(self, face: Face, most: int) -> None:
        """Warn once of which face is followed where none was chosen."""
        known = FACES_AT_ONCE in self.report.facts
        self.report.facts[FACES_AT_ONCE] = most
        if not known and self.settings.which == AUTO:
            x, y = face.points[:, :2].mean(axis=0)
            taken = f"the one at {x:.0f},{y:.0f} is followed"
            self.report.warn(of_several(self.called, taken))

    def _wait(self, searched: float, most: int) -> None:
        """Warn after some seconds without a face, and give up after `patience`."""
        if 0 < self.settings.patience < searched:
            raise self._none(searched, most)
        if searched > _SPEAK_UP:
            self.report.warn(f"No face in the first {_SPEAK_UP:.0f} s of the video; still looking.")

    def _none(self, searched: float, most: int) -> NoFaceFound:
        if most:
            shown = f"The video shows {most} {'face' if most == 1 else 'faces'} at most"
            return not_so_many(shown, self.settings.which)
        if searched == 0:  # one picture, which has no time
            return none_in_picture()
        return NoFaceFound(
            f"No face found in the first {searched:.1f} s of the video.",
            do="Start it where a face is visible, or lower track.certainty.",
        )
