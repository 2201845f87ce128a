"""Small movements grow, large ones and levels stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats

from retarget.expression.magnify import Magnify, magnified
from retarget.expression.settings import MagnifySettings
from retarget.flow import blendshapes
from tests.expression.acting import acted, channel


def bump(height: float, level: float = 0.2) -> np.ndarray:
    """Three seconds at 30 frames/s: a level, and a quarter of a second above it."""
    rows = np.zeros((90, blendshapes.COUNT))
    away = (np.arange(90) / 30 - 1.5) / 0.125
    crest = np.where(np.abs(away) < 1, (1 + np.cos(np.pi * away)) / 2, 0.0)
    rows[:, blendshapes.index("browInnerUp")] = level + height * crest
    return rows


def grown(rows: np.ndarray, gain: float) -> np.ndarray:
    frames = Magnify(MagnifySettings(gain=gain))(iter(acted(rows)))
    return channel("browInnerUp", list(frames))


def test_a_small_movement_grows_and_its_level_stays() -> None:
    shown = grown(bump(0.03), 4)
    assert shown[45] - 0.2 == pytest.approx(4 * 0.03, rel=0.2)
    np.testing.assert_allclose(shown[:30], 0.2, atol=1e-6)


def test_a_large_movement_keeps_its_height() -> None:
    assert grown(bump(0.6), 4)[45] == pytest.approx(0.8, abs=1e-6)


def test_a_mood_is_no_movement() -> None:
    rows = np.zeros((150, blendshapes.COUNT))
    rows[50:, blendshapes.index("browInnerUp")] = 0.1
    np.testing.assert_allclose(grown(rows, 5)[70:], 0.1, atol=1e-6)


def test_every_frame_comes_out_once_and_in_order_across_cuts_and_losses() -> None:
    frames = acted(bump(0.05), cuts=(0, 20, 21))
    frames[40] = replace(frames[40], expression=None)
    out = list(Magnify(MagnifySettings(gain=3))(iter(frames)))
    assert [f.index for f in out] == list(range(90))
    assert out[40].expression is None


def test_without_a_gain_the_frames_pass_untouched() -> None:
    frames = acted(bump(0.05))
    out = list(Magnify(MagnifySettings())(iter(frames)))
    assert all(a is b for a, b in zip(frames, out, strict=True))


@given(floats(1, 20), floats(0.01, 0.5))
def test_magnifying_lifts_small_movements_and_leaves_large_ones(gain: float, knee: float) -> None:
    size = np.linspace(0, 1, 400)
    out = magnified(size, gain, knee)
    assert (np.diff(out) >= -1e-12).all()
    assert (out >= size - 1e-12).all()
    np.testing.assert_array_equal(out[size >= knee], size[size >= knee])
    np.testing.assert_allclose(magnified(-size, gain, knee), -out)
    assert magnified(np.array([1e-7]), gain, knee)[0] == pytest.approx(gain * 1e-7, rel=1e-3)
