"""Lips that close over teeth."""

from __future__ import annotations

import numpy as np
from asked import smiling

from retarget.flow import landmarks
from retarget.generate.warp.mesh import HELD_SCALES, with_rings
from retarget.generate.warp.mouth.shut_lips import lips_backed
from retarget.generate.warp.rims import MOUTH, Rims, rims_of
from retarget.generate.warp.shape.closing import closing, gathering, into_a_bow

MIDDLE_BELOW = [
    list(row) for row in (*(r[2:5] for r in landmarks.BELOW_LIP_ROWS), *landmarks.CHIN_ROWS[:2])
]


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
