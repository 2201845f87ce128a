"""Two pictures joined: no second head shines through, and both ends are the pictures themselves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from retarget.composite.join import Join, Portrayed

SIZE = (200, 160)
UNIT = 40.0
DARK = 70


def portrait(x: float, wall: int = 210) -> Portrayed:
    """A dark, grained head with a soft edge before a wall, its middle at column x."""
    columns, rows = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    away = np.hypot(columns - x, rows - 80.0)
    share = np.clip(40.5 - away, 0, 1).astype(np.float32)
    grain = 12 * np.sin(0.5 * (columns - x)) * np.cos(0.4 * rows)
    behind = wall + 8 * np.sin(0.1 * columns)
    grey = share * (DARK + grain) + (1 - share) * behind
    rgb = np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)
    return Portrayed(rgb=rgb, share=share)


def over(right: float) -> np.ndarray:
    return np.array([[1.0, 0.0, right], [0.0, 1.0, 0.0]])


def joined(first: Portrayed, second: Portrayed, right: float) -> Join:
    return Join(first, second, over(right), np.array([70.0, 80.0]), UNIT)


def half_seen(rgb: np.ndarray) -> int:
    """Pixels that are neither head nor wall."""
    return int(((rgb[..., 0] > DARK + 25) & (rgb[..., 0] < 190)).sum())


@pytest.mark.parametrize("guessed", [30.0, 24.0])
def test_halfway_there_is_one_head_between_the_two_places(guessed: float) -> None:
    first, second = portrait(70), portrait(100)
    out = joined(first, second, guessed)(0.5, first, second, 0.5)
    faded = cv2.addWeighted(first.rgb, 0.5, second.rgb, 0.5, 0)
    assert half_seen(faded) > 2000
    assert half_seen(out) < 2.0 * half_seen(first.rgb)
    dark = np.flatnonzero(out[80, :, 0] < DARK + 25)
    assert abs(dark.mean() - 85) < 2


@pytest.mark.parametrize("wall", [210, 120])
def test_the_way_begins_with_the_first_picture_as_it_is(wall: int) -> None:
    first, second = portrait(70), portrait(100, wall)
    out = joined(first, second, 30.0)(0.0, first, second, 0.0)
    off = np.abs(out.astype(int) - first.rgb)
    assert off.max() <= 5
    assert off.mean() < 0.05


def test_the_way_ends_with_the_second_picture_where_both_stand_before_one_wall() -> None:
    first, second = portrait(70), portrait(100)
    join = joined(first, second, 30.0)
    assert join.one_camera
    out = join(1.0, first, second, 1.0)
    off = np.abs(out.astype(int) - second.rgb)
    assert off.max() <= 5
    assert off.mean() < 0.05


def test_before_another_wall_the_head_stays_where_it_was_and_the_wall_changes() -> None:
    first, second = portrait(70), portrait(100, 120)
    join = joined(first, second, 30.0)
    assert not join.one_camera
    out = join(1.0, first, second, 1.0)[80, :, 0].astype(int)
    assert abs(np.flatnonzero(out < DARK + 25).mean() - 70) < 2
    assert np.abs(out[120:160] - 120).max() < 12


def test_what_one_person_hides_of_the_wall_is_seen_in_the_other_picture() -> None:
    first, second = portrait(50), portrait(150)
    mark = np.s_[70:90, 145:155]
    rgb = first.rgb.copy()
    rgb[mark] = (200, 40, 40)
    first = Portrayed(rgb=rgb, share=first.share)
    out = Join(first, second, over(100.0), np.array([50.0, 80.0]), UNIT)(0.4, first, second, 0.0)
    assert out[80, 150, 0].astype(int) - out[80, 150, 1] > 100
