"""The face in a single picture."""

from __future__ import annotations

from retarget.errors import NoFaceFound
from retarget.face.choose import choose
from retarget.face.open import open_model
from retarget.face.settings import TrackSettings, parse_choice
from retarget.face.track import read_all
from retarget.flow.report import Report
from retarget.flow.values import Face, VideoFrame


def find_face(frame: VideoFrame, settings: TrackSettings, report: Report) -> Face:
    """The face that `settings.which` names in a picture.

    Raises:
        NoFaceFound: there is none, or not as many.
    """
    model = open_model(settings)
    try:
        found = read_all(model, frame.rgb)
    finally:
        model.close()
    face = choose(found, parse_choice(settings.which))
    if face is None:
        raise NoFaceFound(
            "No human face found in the picture.",
            do="Use a picture in which the face is clearly visible.",
        )
    if len(found) > 1:
        report.warn(f"The picture shows {len(found)} faces; the one chosen is {settings.which}.")
    return Face(points=face.points, scores=face.scores)
