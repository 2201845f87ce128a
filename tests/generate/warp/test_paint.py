from __future__ import annotations

import numpy as np
import pytest

from retarget.generate.warp.paint import averaged, per_channel


@pytest.mark.parametrize("deviation", [2.0, 5.0, 12.0])
def test_an_average_is_as_wide_as_asked_and_takes_nothing_away(deviation: float) -> None:
    dot = np.zeros((121, 121), np.float32)
    dot[60, 60] = 1
    spread = averaged(dot, deviation)
    away = np.arange(121) - 60
    assert spread.sum() == pytest.approx(1, abs=0.01)
    for axis in (0, 1):
        assert np.sqrt(spread.sum(axis=axis) @ away**2) == pytest.approx(deviation, rel=0.1)


def test_one_value_a_pixel_counts_for_all_its_channels() -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    picture = np.random.default_rng(0).random((3, 4, 3), np.float32)
    np.testing.assert_array_equal(per_channel(values) * picture, values[..., None] * picture)
