"""What is read off a picture that an expression names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from retarget.expression.rest import understand
from retarget.expression.settings import RestSettings
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
