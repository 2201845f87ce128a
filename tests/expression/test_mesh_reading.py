"""The correction depends on the whole mesh, and is 0 for a face at rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from outside import bundle, filmed

from retarget.expression.fit import Fit
from retarget.expression.mesh_reading import NOT_CORRECTED, correction
from retarget.expression.rest import find_rest
from retarget.expression.settings import FitSettings, RestSettings
from retarget.flow import blendshapes, landmarks
from retarget.training.two_meshes import both_moved
from tests.expression.acting import face, mirrored, person, tracked


def test_brows_and_irises_are_left_to_their_own_readings() -> None:
    moved = np.random.default_rng(1).normal(scale=0.01, size=(landmarks.COUNT, 3))
    added = correction(moved)
    assert np.abs(added).max() > 1e-4
    assert not added[NOT_CORRECTED].any()
    assert not added[:, 2].any()


def test_what_is_told_of_one_side_is_told_of_the_other_in_a_mirror() -> None:
    moved = np.random.default_rng(2).normal(scale=0.01, size=(landmarks.COUNT, 3))
    added, other = correction(moved), mirrored(correction(mirrored(moved)))
    assert np.corrcoef(added.ravel(), other.ravel())[0, 1] > 0.95


def test_a_tracker_that_gives_scores_is_believed() -> None:
    mesh = person(1)
    fit = Fit(find_rest(tracked([face(mesh)]), RestSettings(certainty=0.0)), FitSettings())
    shown = face(mesh + np.random.default_rng(3).normal(scale=0.01, size=(landmarks.COUNT, 3)))
    scored = replace(shown, scores=np.zeros(blendshapes.COUNT, np.float32))
    lids = [
        expression.measured.aperture
        for expression, _ in map(fit.express, (shown, scored))
        if expression.measured is not None
    ]
    assert np.abs(lids[0] - lids[1]).max() > 1e-3


def both(clip: Path) -> tuple[np.ndarray, np.ndarray]:
    """(n, 478, 2) displacements from their middle by the wheel's mesh and by the newer network."""
    ours, _, theirs = both_moved(clip, bundle(), mirrored=False)
    return ours - np.median(ours, axis=0), (theirs - np.median(theirs, axis=0))[..., :2]


@pytest.mark.parametrize("name", ["d12.mp4", "d20.mp4"])
def test_people_it_has_not_learned_from_are_read_nearer_to_a_newer_network(name: str) -> None:
    ours, theirs = both(filmed(name))
    rest = [i for i in range(landmarks.COUNT) if i not in set(NOT_CORRECTED)]
    read = ours[..., :2] + np.array([correction(moved)[:, :2] for moved in ours])
    before, after = (np.square(m[..., :2] - theirs)[:, rest].sum() for m in (ours, read))
    assert after < 0.9 * before
