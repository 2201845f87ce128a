"""The form of a mouth that opens."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm

from retarget.flow.values import HeadPose
from retarget.generate.warp.rims import LIP_ROWS, MOUTH, Rims, rims_of
from retarget.generate.warp.shape.displace import Displacer
from retarget.generate.warp.shape.opening_form import round_opening

TURNED = 38.0


def gaping(yaw: float, gap: float = 0.6) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """A face turned by so much, and a lower lip that drops nearly as far beside its corners."""
    points = calm().face.points
    middle = points.mean(axis=0)
    turned = ((points - middle) @ HeadPose.rotation_of(yaw, 0, 0).T + middle).astype(np.float32)
    moved = np.zeros((468, 3), np.float32)
    mouth = rims_of(points, MOUTH)
    far = np.minimum(np.arange(11), np.arange(10, -1, -1)).clip(0, 2)[:, None] / 2
    moved[LIP_ROWS[1], :2] = gap * mouth.width * far * mouth.down
    return turned, moved


def rims_after(points: npt.NDArray[np.float32], moved: npt.NDArray[np.float32]) -> Rims:
    return rims_of(points[:468] + moved, MOUTH)


def bends(rims: Rims, *, left: bool) -> npt.NDArray[np.float32]:
    """(9,) degrees of the bends of an opening on one side; the middle one is in its corner."""
    way = slice(5, None, -1) if left else slice(5, None)
    outline = np.concatenate([rims.upper[way], rims.lower[way][-2::-1]]) @ np.array([1, 1j])
    on = np.diff(outline)
    return np.asarray(np.degrees(np.abs(np.angle(on[1:] / on[:-1]))), np.float32)


@pytest.mark.parametrize("left", [True, False], ids=["left", "right"])
def test_the_averted_side_of_a_mouth_that_gapes_has_no_corners(left: bool) -> None:
    points, moved = gaping(-TURNED if left else TURNED, gap=0.3)
    before = rims_after(points, moved)
    round_opening(moved, points, rims_of(points, MOUTH), seen=True)
    now = rims_after(points, moved)
    assert bends(now, left=left).max() < 0.7 * bends(before, left=left).max()
    near = -1 if left else 0
    assert np.array_equal(now.upper[near], before.upper[near])
    assert abs(now.gap - before.gap) < 0.15 * before.gap


def test_lips_go_with_the_outline_of_the_averted_side() -> None:
    points, moved = gaping(TURNED)
    before = moved.copy()
    round_opening(moved, points, rims_of(points, MOUTH), seen=True)
    by = (moved - before)[LIP_ROWS]
    assert np.abs(by).max() > 1
    assert np.array_equal(by, np.broadcast_to(by[:, :1], by.shape))


def test_a_mouth_that_gapes_has_no_corners_but_its_own() -> None:
    points, moved = gaping(0, gap=0.9)
    before = rims_after(points, moved)
    round_opening(moved, points, rims_of(points, MOUTH), seen=True)
    now = rims_after(points, moved)
    for left in (True, False):
        then, after = (np.delete(bends(rims, left=left), 4).max() for rims in (before, now))
        assert after < 0.7 * then
    assert abs(now.gap - before.gap) < 0.15 * before.gap


@pytest.mark.parametrize(("yaw", "gap"), [(0, 0.4), (TURNED, 0)], ids=["from the front", "shut"])
def test_a_mouth_that_hardly_opens_keeps_its_form(yaw: float, gap: float) -> None:
    points, moved = gaping(yaw, gap)
    before = moved.copy()
    round_opening(moved, points, rims_of(points, MOUTH), seen=True)
    assert np.array_equal(moved, before)


def test_a_gaping_mouth_that_was_seen_is_drawn_rounder_than_it_is_asked() -> None:
    request = ask(calm(), {"jawOpen": 1.0}, aperture=1.0, lip_gap=0.5)
    drawn = rims_of(Displacer(calm(), calm().face.points)(request).points, MOUTH)
    asked = rims_of(request.points, MOUTH)
    then, now = (np.delete(bends(rims, left=True), 4).max() for rims in (asked, drawn))
    assert now < 0.8 * then
