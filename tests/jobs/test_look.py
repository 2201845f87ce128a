"""What is read off a picture that an expression names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from outside import tracker
from PIL import Image

from retarget.errors import UnreadableInput
from retarget.expression.rest import understand
from retarget.expression.settings import RestSettings
from retarget.face.still import find_face
from retarget.flow.report import Report
from retarget.jobs.look import Looker

SAMPLES = Path(__file__).parents[2] / "samples"


def test_what_a_picture_shows_is_asked_for_a_little_stronger_than_it_was_measured() -> None:
    seen = Looker(SAMPLES)("face.jpg", None)
    assert seen.tracked is not None
    assert seen.tracked.face is not None
    assert seen.expression is not None
    face = seen.tracked.face
    measured = understand(seen.tracked.frame, face, RestSettings(certainty=6.0)).expression
    shown = (measured.weights > 0.1) & (measured.weights < 0.8)
    assert shown.any()
    assert (seen.expression.weights[shown] > 1.05 * measured.weights[shown]).all()
    assert np.abs(seen.expression.weights - measured.weights).max() < 0.2


def test_of_a_large_picture_only_the_face_is_kept(tmp_path: Path) -> None:
    with Image.open(SAMPLES / "face.jpg") as photo:
        large = photo.convert("RGB").resize((3 * photo.width, 3 * photo.height))
    canvas = Image.new("RGB", (4000, 3000), (90, 90, 90))
    canvas.paste(large, (1200, 300))
    canvas.save(tmp_path / "large.jpg", quality=95)
    plain = Looker(SAMPLES)("face.jpg", None)
    seen = Looker(tmp_path)("large.jpg", None)
    assert plain.expression is not None and seen.expression is not None
    assert seen.tracked is not None and seen.tracked.face is not None
    assert seen.tracked.frame.rgb.nbytes < 2e6
    # The points still lie on the face that the picture shows.
    again = find_face(seen.tracked.frame, tracker(), Report())
    off = np.abs(again.points - seen.tracked.face.points)[:, :2].max()
    assert off < 0.05 * again.eye_distance
    assert np.abs(seen.expression.weights - plain.expression.weights).mean() < 0.02


def test_a_face_too_small_to_be_read_is_refused_by_the_name_of_its_picture(tmp_path: Path) -> None:
    with Image.open(SAMPLES / "face.jpg") as face:
        face.resize((80, 80)).save(tmp_path / "tiny.png")
    with pytest.raises(UnreadableInput, match=r"^tiny\.png: the face in the picture is only"):
        Looker(tmp_path)("tiny.png", None)
