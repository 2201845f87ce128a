"""Brows are as low as the whole face says, and no lower."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from outside import bundle, filmed

from retarget.expression.fit import Fit, in_head_frame
from retarget.expression.mesh_reading import BROW_SHAPES, brow_correction
from retarget.expression.rest import find_rest
from retarget.expression.settings import FitSettings, RestSettings
from retarget.face.settings import TrackSettings
from retarget.face.track import Track
from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import face_model
from retarget.flow.report import Report
from retarget.flow.values import TrackedFrame
from retarget.source.open import open_source
from tests.expression.acting import face, mirrored, person, tracked


def brow_height(displacement: np.ndarray, brow: tuple[int, ...]) -> float:
    return float(displacement[list(brow), 1].mean())


@pytest.mark.parametrize("name", blendshapes.NAMES)
def test_a_mesh_that_moves_just_like_a_blendshape_is_taken_at_its_word(name: str) -> None:
    model = face_model()
    added = brow_correction(model.basis[blendshapes.index(name)], model)
    frown = model.basis[BROW_SHAPES].sum(axis=0)
    for brow in (landmarks.LEFT_BROW, landmarks.RIGHT_BROW):
        assert abs(brow_height(added, brow)) < 0.15 * brow_height(frown, brow)


def test_what_is_said_of_one_brow_is_said_of_the_other_in_a_mirror() -> None:
    moved = np.random.default_rng(1).normal(scale=0.01, size=(landmarks.COUNT, 3))
    added, other = (brow_correction(m, face_model()) for m in (moved, mirrored(moved)))
    np.testing.assert_allclose(mirrored(other), added, atol=1e-4)


def test_a_tracker_that_gives_scores_is_believed_about_brows() -> None:
    mesh = person(1)
    fit = Fit(find_rest(tracked([face(mesh)]), RestSettings(certainty=0.0)), FitSettings())
    moved = np.random.default_rng(2).normal(scale=0.01, size=(landmarks.COUNT, 3))
    shown = face(mesh + moved)
    whole = []
    for one in (shown, replace(shown, scores=np.zeros(blendshapes.COUNT, np.float32))):
        expression, _ = fit.express(one)
        assert expression.measured is not None
        whole.append(fit.model.displacement(expression.weights) + expression.measured.detail)
    head, _ = in_head_frame(shown, fit.rest.head, fit.model)
    brow, as_seen = list(landmarks.LEFT_BROW), head - fit.rest.head
    added = brow_correction(as_seen, fit.model)[brow]
    assert np.abs(added).max() > 1e-4
    np.testing.assert_allclose(whole[0][brow] - as_seen[brow], added, atol=1e-5)
    np.testing.assert_allclose(whole[1][brow], as_seen[brow], atol=1e-5)


def weights_of(frames: list[TrackedFrame], name: str) -> np.ndarray:
    fit = Fit(find_rest(frames[::5]), FitSettings())
    at = blendshapes.index(name)
    return np.array([shown.expression.weights[at] for shown in fit(iter(frames))
                     if shown.expression is not None])  # fmt: skip


def test_a_frown_is_read_as_another_network_reads_it() -> None:
    """On a clip that nothing was learned from; read off its brows' points alone it was 0.25."""
    clip = filmed("d20.mp4")
    scored = TrackSettings(by="tasks", bundle=bundle())
    with open_source(str(clip)) as source:
        theirs = list(Track(scored, Report())(source.frames()))
        ours = list(Track(TrackSettings(by="mesh"), Report())(source.frames()))
    assert all(t.face is not None for t in (*theirs, *ours))
    at = blendshapes.index("browDownLeft")
    scores = np.array([t.face.scores[at] for t in theirs])  # type: ignore[union-attr, index]
    assert np.corrcoef(weights_of(ours, "browDownLeft"), scores)[0, 1] > 0.45
