"""Points laid on points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats

from retarget.flow.rigid import similarity


@given(turn=floats(-3, 3), scale=floats(0.1, 9.0), right=floats(-99, 99), down=floats(-99, 99))
def test_a_similarity_is_found_again(turn: float, scale: float, right: float, down: float) -> None:
    points = np.random.default_rng(0).normal(size=(5, 2)) * 30
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    found = similarity(points, points @ linear.T + (right, down))
    np.testing.assert_allclose(found, np.column_stack([linear, (right, down)]), atol=1e-9)


def test_a_similarity_never_mirrors_and_errs_the_least() -> None:
    random = np.random.default_rng(1)
    points = random.normal(size=(9, 2)) * 30
    mirrored = points * (1, -1) + random.normal(size=(9, 2))
    found = similarity(points, mirrored)
    assert np.linalg.det(found[:, :2]) >= 0

    def error(matrix: np.ndarray) -> float:
        return float(np.square(points @ matrix[:, :2].T + matrix[:, 2] - mirrored).sum())

    for a, b, right, down in random.normal(size=(20, 4)) * 0.01:
        other = found + np.array([[a, -b, right], [b, a, down]])
        assert error(other) > error(found)


def test_points_on_one_another_are_moved_and_not_blown_up() -> None:
    found = similarity(np.full((5, 2), 3.0), np.arange(10.0).reshape(5, 2))
    assert found[:, :2] @ (3.0, 3.0) + found[:, 2] == pytest.approx((4.0, 5.0))
