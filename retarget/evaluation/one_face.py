"""Show estimators one face of several: everything beyond its surroundings is covered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from retarget.errors import NoFaceFound
from retarget.evaluation import model_files
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.steadiness import surroundings
from retarget.face.settings import NamedFace, TrackSettings
from retarget.flow.arrays import Picture
from retarget.flow.report import Report
from retarget.flow.values import Face, VideoFrame

_COVER = 128
"""A grey level; detectors find no face in a plain area."""


def alone(
    frames: Iterator[VideoFrame], name: NamedFace, settings: EvaluateSettings
) -> Iterator[tuple[VideoFrame, Picture]]:
    """Each frame with its picture for the estimators, unchanged where the name has no mark.

    Raises:
        NoFaceFound: the face that is named is in no frame.
    """
    if not name.which:
        yield from ((frame, frame.rgb) for frame in frames)
        return
    from retarget.face.track import Track

    try:
        for tracked in Track(_track(name, settings), Report())(frames):
            yield tracked.frame, _covered(tracked.frame.rgb, tracked.face)
    except NoFaceFound as problem:
        raise problem.placed(name.file) from None


def alone_in_photo(frame: VideoFrame, name: NamedFace, settings: EvaluateSettings) -> Picture:
    """The picture for the estimators of a photo, or of a clip's first frame.

    Raises:
        NoFaceFound: it does not show the face that is named.
    """
    if not name.which:
        return frame.rgb
    from retarget.face.still import find_face

    try:
        return _covered(frame.rgb, find_face(frame, _track(name, settings), Report()))
    except NoFaceFound as problem:
        raise problem.placed(name.file) from None


def _track(name: NamedFace, settings: EvaluateSettings) -> TrackSettings:
    return name.chosen(TrackSettings(bundle=model_files.landmarker(settings)))


def _covered(rgb: Picture, face: Face | None) -> Picture:
    out = np.full_like(rgb, _COVER)
    if face is not None:
        box = surroundings(face.points[:, :2].astype(float))
        left, top, right, bottom = np.rint(np.maximum(box, 0)).astype(int)
        out[top:bottom, left:right] = rgb[top:bottom, left:right]
    return out
