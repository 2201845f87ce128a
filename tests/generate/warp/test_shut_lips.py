"""Lips that close over teeth."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from asked import smiling

from retarget.flow import landmarks
from retarget.generate.warp.mesh import HELD_SCALES, with_rings
from retarget.generate.warp.paint import fill
from retarget.generate.warp.rims import MOUTH, Rims, rims_of
from retarget.generate.warp.shut_lips import (
    ROWS,
    beside_dark,
    closing,
    gathering,
    giving_way,
    into_a_bow,
    lips_backed,
)

SKIN = 200
MIDDLE_BELOW = [
    list(row) for row in (*(r[2:5] for r in landmarks.BELOW_LIP_ROWS), *landmarks.CHIN_ROWS[:2])
]


def wedge(reach: float) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Skin with the dark of a mouth that reaches some mouth widths past the mesh's corners."""
    points = smiling().face.points
    rims = rims_of(points, MOUTH)
    out = np.full((*smiling().frame.rgb.shape[:2], 3), SKIN, np.uint8)
    aside, across = reach * rims.width * rims.along, 0.02 * rims.width * rims.down
    ends = (points[61, :2] - aside, points[291, :2] + aside)
    outline = np.stack([ends[0] - across, ends[1] - across, ends[1] + across, ends[0] + across])
    dark = np.zeros(out.shape[:2], np.uint8)
    fill(dark, outline.astype(np.float32))
    out[dark > 127] = 20
    return out, points


def test_lips_give_way_where_the_dark_beside_teeth_reaches_past_the_corners_of_the_mesh() -> None:
    photo, points = wedge(0.03)
    width = rims_of(points, MOUTH).width
    for column in (0, -1):
        corner = points[ROWS[0, 0, column], :2]
        to = corner + beside_dark(photo, points)[0, column]
        x, y = np.rint(to).astype(int)
        assert photo[y, x, 0] == SKIN
        assert np.hypot(*(to - corner)) < 0.12 * width


def test_lips_in_a_beard_keep_their_place() -> None:
    photo, points = wedge(0.5)  # dark as far as is looked
    assert not beside_dark(photo, points)[:, [0, -1]].any()


def test_a_shadow_below_a_lip_is_not_the_dark_of_the_opening() -> None:
    photo, points = wedge(0.03)
    below = points[ROWS[1, 0, 6], :2]
    cv2.circle(photo, tuple(np.rint(below).astype(int).tolist()), 2, (20, 20, 20), -1)
    gives = beside_dark(photo, points)[1]
    assert gives[[0, -1]].any(axis=1).all()
    assert not gives[3:8].any()


def mouth(gap: float) -> Rims:
    """100 pixels wide, an oval, its corners in the height of its upper lip."""
    angle = np.linspace(np.pi, 0, 11)
    x, bow = 100 + 50 * np.cos(angle), gap * np.sin(angle)
    return Rims(*(np.stack([x, 100 + far * bow], 1).astype(np.float32) for far in (0, 1)))


def test_lips_that_close_over_teeth_meet_without_a_hook_at_their_corners() -> None:
    photo = mouth(24)
    meet = np.stack([photo.middle[:, 0], np.r_[100, np.full(9, 106), 100]], 1).astype(np.float32)
    down = into_a_bow(photo, Rims(meet, meet))
    line = meet[:, 1] + down
    assert np.abs(np.diff(line, 2)).max() < 0.7 * np.abs(np.diff(meet[:, 1], 2)).max()
    assert not down[[0, 3, 4, 5, 6, 7, 10]].any()


def test_lips_as_open_as_in_the_photo_and_those_of_one_that_is_shut_keep_their_line() -> None:
    assert not into_a_bow(mouth(24), mouth(24)).any()
    assert not into_a_bow(mouth(0), mouth(0)).any()


def thick_lipped(farther: float, lip: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """Skin with lips that reach some mouth widths beyond the mesh's, and a pale mouth."""
    points = smiling().face.points[:, :2]
    inner = rims_of(points, MOUTH)
    out = np.full((*smiling().frame.rgb.shape[:2], 3), (200, 160, 140), np.uint8)
    far = np.float32(farther * inner.width) * inner.down
    outer = Rims(points[ROWS[0, 0]] - far, points[ROWS[1, 0]] + far)
    for rims, colour in ((outer, lip), (inner, (235, 230, 220))):
        mask = np.zeros(out.shape[:2], np.uint8)
        fill(mask, rims.outline)
        out[mask > 127] = colour
    return out


@pytest.mark.parametrize(
    ("lip", "found"), [((190, 90, 90), True), ((190, 150, 132), False)], ids=["red", "as skin"]
)
def test_lips_that_close_are_all_that_is_red_around_the_meshs(
    lip: tuple[int, int, int], found: bool
) -> None:
    """A tracker's mesh of a mouth drawn wide has them too thin; left out, red hangs below them."""
    points = smiling().face.points
    photo = rims_of(points, MOUTH)
    gives = giving_way(thick_lipped(0.07, lip), points)
    lower = gives[1, :, 4:7] @ photo.down / photo.width
    if found:
        assert np.abs(lower[0] - 0.07).max() < 0.025
        assert (np.diff(lower, axis=0) < 0).all()  # less and less towards the rim
    assert not lower[-1].any()
    assert bool(lower.any()) == found
    assert not giving_way(thick_lipped(0.5, lip), points)[1, :, 4:7].any()  # a flush is no lip


def test_skin_that_a_meshs_lip_overlaps_is_found_below_it_when_it_closes() -> None:
    points = smiling().face.points
    photo = rims_of(points, MOUTH)
    level, nothing = with_rings(points, HELD_SCALES), np.zeros((2, 4, 11, 2), np.float32)
    folded = level.copy()
    for row in landmarks.BELOW_LIP_ROWS:
        folded[list(row)] -= np.float32(0.15 * photo.width) * photo.down
    for source, much, moves in ((level, 1.0, False), (folded, 0.0, False), (folded, 1.0, True)):
        now = source.copy()
        lips_backed(now, photo, much, nothing)
        middle = [list(landmarks.LIPS_OUTER_LOWER[4:7]), *MIDDLE_BELOW]
        assert bool((now[middle[1]] != source[middle[1]]).any()) == moves
        if much:
            assert (np.diff(now[np.array(middle)] @ photo.down, axis=0) > 0).all()


def narrower(rims: Rims, share: float) -> Rims:
    middle = rims.middle_of_corners
    return Rims(*(middle + (line - middle) * (share, 1) for line in (rims.upper, rims.lower)))


def test_lips_that_are_drawn_in_leave_the_dark_beside_bared_teeth_as_those_that_close() -> None:
    toothy = mouth(24)
    assert gathering(toothy, narrower(toothy, 0.5)) == 1
    assert gathering(toothy, mouth(0)) == closing(toothy, mouth(0)) == 1
    for photo, now in ((toothy, toothy), (mouth(0), mouth(20)), (mouth(0), narrower(toothy, 0.5))):
        assert gathering(photo, now) == 0
