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


def test_a_large_picture_has_one_head_halfway_just_as_a_small_one() -> None:
    def large(picture: Portrayed) -> Portrayed:
        size = (5 * SIZE[0], 5 * SIZE[1])
        rgb, share = (cv2.resize(a, size) for a in (picture.rgb, picture.share))
        return Portrayed(rgb=np.asarray(rgb, np.uint8), share=np.asarray(share, np.float32))

    first, second = large(portrait(70)), large(portrait(100))
    join = Join(first, second, over(5 * 24.0), np.array([350.0, 400.0]), 5 * UNIT)
    out = join(0.5, first, second, 0.5)
    assert half_seen(out) < 2.0 * half_seen(first.rgb)
    dark = np.flatnonzero(out[400, :, 0] < DARK + 25)
    assert abs(dark.mean() - 5 * 85) < 5 * 2


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


@pytest.mark.parametrize(("lighter", "one"), [(5, True), (-5, True), (20, False), (-20, False)])
def test_a_wall_in_a_little_other_light_is_seen_by_one_camera(lighter: int, one: bool) -> None:
    assert joined(portrait(70), portrait(100, 210 + lighter), 30.0).one_camera == one


def test_what_one_person_hides_of_the_wall_is_seen_in_the_other_picture() -> None:
    first, second = portrait(50), portrait(150)
    mark = np.s_[70:90, 145:155]
    rgb = first.rgb.copy()
    rgb[mark] = (200, 40, 40)
    first = Portrayed(rgb=rgb, share=first.share)
    out = Join(first, second, over(100.0), np.array([50.0, 80.0]), UNIT)(0.4, first, second, 0.0)
    assert out[80, 150, 0].astype(int) - out[80, 150, 1] > 100


def laid(degrees: float, larger: float, to: tuple[float, float]) -> np.ndarray:
    """(2, 3) that turns clockwise and enlarges about the first's head, and takes it there."""
    turn = np.radians(degrees)
    linear = larger * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.hstack([linear, (np.array(to) - linear @ (70.0, 80.0))[:, None]])


def long_head(matrix: np.ndarray, size: tuple[int, int] = SIZE, wall: int = 210) -> Portrayed:
    """A dark head twice as long as wide, upright at (70, 80) before it is laid by a matrix."""
    rows, columns = np.indices(size[::-1], np.float32)
    places = cv2.transform(np.stack([columns, rows], -1), cv2.invertAffineTransform(matrix))
    x, y = (places - (70.0, 80.0)).transpose(2, 0, 1)
    share = np.clip(0.5 + 22 * (1 - np.hypot(x / 22, y / 44)), 0, 1).astype(np.float32)
    grain = 12 * np.sin(0.5 * x) * np.cos(0.4 * y)
    grey = share * (DARK + grain) + (1 - share) * (wall + 8 * np.sin(0.1 * columns))
    rgb = np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)
    return Portrayed(rgb=rgb, share=share)


def place_of(rgb: np.ndarray) -> tuple[float, float, float, float]:
    """Middle, lean (degrees clockwise) and size (as a multiple) of the long head in a picture."""
    found = cv2.moments((rgb[..., 0] < DARK + 30).astype(np.uint8), True)
    lean = 0.5 * np.degrees(np.arctan2(2 * found["mu11"], found["mu20"] - found["mu02"]))
    area = found["m00"]
    size = np.sqrt(area / (np.pi * 22 * 44))
    return found["m10"] / area, found["m01"] / area, (lean + 90 + 90) % 180 - 90, float(size)


@pytest.mark.parametrize("lean", [30.0, -20.0])
def test_a_head_that_leans_and_comes_nearer_does_so_by_degrees(lean: float) -> None:
    over = laid(lean, 1.2, (110, 90))
    first, second = long_head(np.eye(2, 3)), long_head(over)
    join = Join(first, second, over, np.array([70.0, 80.0]), UNIT)
    assert join.one_camera
    for way in (0.25, 0.5, 0.75):
        x, y, shown, size = place_of(join(way, first, second, way))
        assert (x, y) == pytest.approx((70 + 40 * way, 80 + 10 * way), abs=1)
        assert shown == pytest.approx(way * lean, abs=1.5)
        assert size == pytest.approx(1.2**way, abs=0.03)


@pytest.mark.parametrize("larger", [2.0, 0.5])
def test_a_head_of_a_picture_of_another_size_is_laid_on_the_first_as_it_sits_there(
    larger: float,
) -> None:
    over = laid(25.0, larger, (85 * larger, 80 * larger))
    size = (round(SIZE[0] * larger), round(SIZE[1] * larger))
    first, second = long_head(np.eye(2, 3)), long_head(over, size, wall=190)
    join = Join(first, second, over, np.array([70.0, 80.0]), UNIT)
    assert not join.one_camera
    x, y, lean, shown = place_of(join(1.0, first, second, 1.0))
    assert (x, y) == pytest.approx((70, 80), abs=1)
    assert lean == pytest.approx(0, abs=1.5)
    assert shown == pytest.approx(1, abs=0.03)
