"""Where the lips of a photo end."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from asked import smiling

from retarget.generate.warp.paint import fill
from retarget.generate.warp.rims import LIP_ROWS, MOUTH, Rims, rims_of
from retarget.generate.warp.shape.lip_ends import giving_way

SKIN = 200
LIP = (190, 90, 90)


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
        corner = points[LIP_ROWS[0, 0, column], :2]
        to = corner + giving_way(photo, points)[0, 0, column]
        x, y = np.rint(to).astype(int)
        assert photo[y, x, 0] == SKIN
        assert np.hypot(*(to - corner)) < 0.12 * width


def test_lips_in_a_beard_keep_their_place() -> None:
    photo, points = wedge(0.5)  # dark as far as is looked
    assert not giving_way(photo, points)[:, :, [0, -1]].any()


def test_a_shadow_below_a_lip_is_not_the_dark_of_the_opening() -> None:
    photo, points = wedge(0.03)
    below = points[LIP_ROWS[1, 0, 6], :2]
    cv2.circle(photo, tuple(np.rint(below).astype(int).tolist()), 2, (20, 20, 20), -1)
    gives = giving_way(photo, points)[1, 0]
    assert gives[[0, -1]].any(axis=1).all()
    assert not gives[3:8].any()


def thick_lipped(farther: float, lip: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """Skin with lips that reach some mouth widths beyond the mesh's, and a pale mouth."""
    points = smiling().face.points[:, :2]
    inner = rims_of(points, MOUTH)
    out = np.full((*smiling().frame.rgb.shape[:2], 3), (200, 160, 140), np.uint8)
    far = np.float32(farther * inner.width) * inner.down
    outer = Rims(points[LIP_ROWS[0, 0]] - far, points[LIP_ROWS[1, 0]] + far)
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


def test_skin_in_the_shade_beside_a_mouth_is_not_the_dark_of_its_opening() -> None:
    photo, points = wedge(0.03)
    width = rims_of(points, MOUTH).width
    beside = np.abs(np.arange(photo.shape[1]) - points[[61, 291], 0].mean()) > 0.48 * width
    photo[:, beside] = photo[:, beside] // 2
    gives = np.abs(giving_way(photo, points)[0, 0, [0, -1]]).max(axis=1)
    assert (gives > 0.03 * width).all()
    assert (gives < 0.12 * width).all()


def test_red_below_one_point_of_a_lip_is_none_of_it() -> None:
    points = smiling().face.points
    photo = thick_lipped(0.0, LIP)
    below = points[LIP_ROWS[1, 0, 5], :2]
    width = rims_of(points, MOUTH).width
    half = np.rint(0.03 * width)
    corners = (below + (-half, -half), below + (half, 0.08 * width))
    first, last = (tuple(np.rint(at).astype(int).tolist()) for at in corners)
    cv2.rectangle(photo, first, last, LIP, -1)
    assert np.abs(giving_way(photo, points)[1, :, 4:7]).max() < 0.01 * width
