"""What is read off a picture that an expression names."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from outside import tracker
from PIL import Image

from retarget.errors import UnreadableInput
from retarget.expression.performance import save_performance
from retarget.expression.rest import understand
from retarget.expression.settings import RestSettings
from retarget.face.still import find_face
from retarget.flow import blendshapes
from retarget.flow.face_model import face_model
from retarget.flow.report import Report
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import ExpressedFrame, Expression, Instant, RestFace
from retarget.jobs.look import Looker
from retarget.language.problems import NotUnderstood
from retarget.language.say import say

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


def test_a_moment_after_the_end_of_a_clip_is_answered_with_an_earlier_moment() -> None:
    """An option for the start is not what stands behind from:."""
    with pytest.raises(UnreadableInput, match="99 s or later") as refused:
        Looker(SAMPLES)("drive.mp4", 99.0)
    assert refused.value.do == "Name an earlier moment."


@pytest.mark.parametrize("name", ["saved.npz", "saved.csv"])
def test_a_moment_of_a_saved_performance_is_looked_at_as_one_of_a_clip(
    tmp_path: Path, name: str
) -> None:
    info = SourceInfo(name="a.mp4", size=(64, 64), time_base=Fraction(1, 30), rate=Fraction(30))
    frames = [
        ExpressedFrame(
            index=i, at=Instant(i, Fraction(1, 30)), duration=Fraction(1, 30),
            pose=None,
            expression=None if i == 50 else Expression(
                weights=blendshapes.weights({"jawOpen": 0.6 if i >= 30 else 0.0})
            ),
        )
        for i in range(60)
    ]  # fmt: skip
    rest = RestFace(
        head=face_model().neutral, aperture=np.full(2, 0.35, np.float32),
        gaze=np.zeros((2, 2), np.float32), lip_gap=0.0,
    )  # fmt: skip
    save_performance(tmp_path / name, frames, rest, info)
    look = Looker(tmp_path)
    first, later = (say(f"from:{name}{at}", look=look) for at in ("", "@1"))
    assert not first.weights.any()
    assert later.expression.weights[blendshapes.INDEX["jawOpen"]] > 0.55
    with pytest.raises(NotUnderstood, match="No face was found"):
        say(f"from:{name}@0:01.65", look=look)
    with pytest.raises(UnreadableInput, match=rf"^{name} has no frame at 2 s or later"):
        look(name, 2.0)


def test_a_face_too_small_to_be_read_is_refused_by_the_name_of_its_picture(tmp_path: Path) -> None:
    with Image.open(SAMPLES / "face.jpg") as face:
        face.resize((80, 80)).save(tmp_path / "tiny.png")
    with pytest.raises(UnreadableInput, match=r"^tiny\.png: the face in the picture is only"):
        Looker(tmp_path)("tiny.png", None)
