"""Read the face that an expression names: `from:angry.png`, `from:a.mp4@1.2s`, `from:a.npz@3`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from retarget.errors import UnreadableInput
from retarget.expression.settings import FitSettings, RestSettings
from retarget.face.settings import TrackSettings, named_face
from retarget.flow.report import Report
from retarget.flow.toml_file import within
from retarget.jobs.naming import naming
from retarget.jobs.tracker import with_model
from retarget.source.settings import SourceSettings
from retarget.transfer.settings import TransferSettings

if TYPE_CHECKING:
    from retarget.face.settings import NamedFace
    from retarget.flow.values import ExpressedFrame, VideoFrame
    from retarget.source.source import Source

MOST = 256
"""Different pictures that one job may name."""
_KEPT = 768
"""Pixels of a side of the face's crop, which is what is kept of a larger picture."""
_SURE = RestSettings(certainty=6.0)
"""Above the default, as a picture named for its expression is likelier to show it than rest."""
_AS_PERFORMED = TransferSettings()
"""An expression read from a picture is as strong as in a driving video; one in words is exact."""


class Looker:
    """Reads each named face once.

    Args:
        folder: names are relative to it.
        confined: refuse names that lead out of the folder.
        track: chooses the face where a name has no mark, and how it is found.
        models: folder with model files; None: RETARGET_MODELS or the user's cache.
        report: receives warnings; None: they are dropped.
    """

    def __init__(
        self,
        folder: Path,
        *,
        confined: bool = False,
        track: TrackSettings | None = None,
        models: Path | None = None,
        report: Report | None = None,
    ) -> None:
        self._folder = folder
        self._confined = confined
        self._track = track or TrackSettings()
        self._models = models
        self._report = report or Report()
        self._seen: dict[tuple[str, float | None], ExpressedFrame] = {}

    @property
    def read(self) -> set[Path]:
        """The files that were read so far."""
        return {self._folder / named_face(path, self._folder).file for path, _ in self._seen}

    def __call__(self, path: str, seconds: float | None) -> ExpressedFrame:
        """The expression of a picture's face, with its pixels; or of a saved performance, without.

        Raises:
            UnreadableInput: the file cannot be read, or must not be.
            NoFaceFound: it shows no face.
        """
        asked = (path, seconds)
        if asked not in self._seen:
            if len(self._seen) >= MOST:
                raise UnreadableInput(
                    f"More than {MOST} pictures are named by 'from:'.", do="Use fewer of them."
                )
            self._seen[asked] = self._read(path, seconds)
        return self._seen[asked]

    def _read(self, path: str, seconds: float | None) -> ExpressedFrame:
        from retarget.expression.performance import is_performance
        from retarget.source.open import open_source

        named = named_face(path, self._folder)
        file = within(self._folder, named.file, outside=not self._confined)
        settings = SourceSettings(start=seconds or 0.0)
        if is_performance(file):
            return _performed(file, path, settings)
        with open_source(str(file), settings) as source:
            frame = next(source.frames(), None)
            if frame is None:
                raise UnreadableInput(
                    f"{path} has no picture at {settings.start:g} s.",
                    do="Choose an earlier moment.",
                )
            with naming(path):
                return self._read_face(frame, source, named)

    def _read_face(self, frame: VideoFrame, source: Source, named: NamedFace) -> ExpressedFrame:
        from retarget.expression.fit import Fit
        from retarget.expression.rest import find_rest, understand
        from retarget.face.still import find_face
        from retarget.face.track import Track
        from retarget.flow.values import ExpressedFrame, Identity, TrackedFrame
        from retarget.jobs.reframe import TILE, around_face, reframed

        track = with_model(named.chosen(self._track), self._models)
        face = find_face(frame, track, self._report, called=named.file)
        if source.info.still:
            seen = understand(frame, face, _SURE)
        else:
            count = RestSettings().samples
            tracked = Track(track, Report())(source.sample(count))
            samples = [t.without_pixels() for t in tracked]
            rest = find_rest(samples)
            expression, pose = Fit(rest, FitSettings()).express(face)
            seen = Identity(frame=frame, face=face, pose=pose, expression=expression, rest=rest)
        if max(frame.size) > _KEPT:
            seen = reframed(seen, around_face(seen, TILE), (_KEPT, _KEPT))
        shown = ExpressedFrame(
            index=0,
            at=frame.at,
            duration=frame.duration,
            expression=seen.expression,
            pose=seen.pose,
            tracked=TrackedFrame(frame=seen.frame, face=seen.face),
        )
        return _as_shown(shown)


def _performed(file: Path, path: str, settings: SourceSettings) -> ExpressedFrame:
    """The frame of a saved performance at a time; it has no pixels."""
    from retarget.expression.performance import open_performance
    from retarget.jobs.driving_saved import piece

    frame = next(piece(open_performance(file), settings), None)
    if frame is None:
        raise UnreadableInput(
            f"{path} has no frame at {settings.start:g} s or later.", do="Choose an earlier moment."
        )
    return _as_shown(frame)


def _as_shown(frame: ExpressedFrame) -> ExpressedFrame:
    """The frame, its expression as strong as that of a driving video would be transferred."""
    from retarget.flow.face_model import face_model
    from retarget.transfer.strength import Strength

    if frame.expression is None:
        return frame
    strength = Strength(_AS_PERFORMED, face_model())
    return replace(frame, expression=strength(frame.expression))
