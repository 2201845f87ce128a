"""Lids: where they end, and what they show as they shut over lashes and rise under a brow."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm
from calm_eyes import drawn_again, lids, repainted, shut, with_rim
from drawn import Picture, around, draw, whole
from outside import mesh_points

from retarget.flow import landmarks
from retarget.flow.arrays import Floats
from retarget.flow.values import Identity
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.eyes.lashes import Lashes
from retarget.generate.warp.eyes.lid_skin import LidSkin
from retarget.generate.warp.eyes.lids import LEFT_BROW, LEFT_FOLD
from retarget.generate.warp.paint import colours
from retarget.generate.warp.rims import LEFT_EYE, Rims, rims_of
from retarget.generate.warp.shape.displace import Displacer
from retarget.generate.warp.shape.seen_lids import lids_to_where_seen
from retarget.generate.warp.warp import WarpGenerator


def white_below(picture: Picture, depth: float) -> int:
    """How many pixels in the strip below the left eye's lower rim are bright and without colour."""
    eye = lids()
    mask = np.zeros(picture.shape[:2], np.uint8)
    strip = np.concatenate([eye.lower, (eye.lower + depth * eye.width * eye.down)[::-1]])
    cv2.fillPoly(mask, [np.rint(strip).astype(np.int32)], (255,))
    seen = picture[mask > 0].astype(int)
    return int(((seen.min(axis=1) > 190) & (np.ptp(seen, axis=1) < 30)).sum())


def larger_eye(rgb: Picture) -> Picture:
    """The picture with the white of the left eye going on below the mesh's rim."""
    out, eye = rgb.copy(), lids()
    arch = np.sin(np.linspace(0, np.pi, len(eye.lower), dtype=np.float32))[:, None]
    lower = eye.lower + 0.09 * eye.width * arch * eye.down
    area = np.rint(np.concatenate([eye.lower, lower[::-1]])).astype(np.int32)
    cv2.fillPoly(out, [area], (230, 228, 225))
    return out


@pytest.mark.parametrize("seen", [True, False])
def test_an_eye_larger_than_the_mesh_knows_shuts_to_its_lower_lid(seen: bool) -> None:
    rgb = larger_eye(calm().frame.rgb)
    before = white_below(rgb, 0.09)
    assert before > 40
    assert white_below(shut(repainted(rgb), seen=seen), 0.12) < 0.15 * before


@pytest.mark.parametrize("white", [(230, 228, 225), (125, 118, 114)])
def test_the_corner_of_an_eye_is_where_its_white_ends_also_in_shade(white: tuple[int, ...]) -> None:
    eye, plain = lids(), calm().frame.rgb.copy()
    cv2.fillPoly(plain, [np.rint(eye.outline).astype(np.int32)], (230, 228, 225))
    corner, aside = eye.upper[-1], np.float32(0.05 * eye.width) * eye.down
    tip = corner + np.float32(0.1 * eye.width) * eye.along
    longer = plain.copy()
    cv2.fillPoly(longer, [np.rint([corner - aside, tip, corner + aside]).astype(np.int32)], white)
    points, below = calm().face.points, np.array([252, 253, 254])

    def moved(picture: Picture) -> float:
        seen = lids_to_where_seen(picture, points, LEFT_EYE, below)
        return float((seen - points)[LEFT_EYE[0][-1], :2] @ eye.along) / eye.width

    assert moved(longer) - moved(plain) > 0.03
    assert moved(plain) < 0.04


def test_light_on_the_ridge_of_the_nose_is_not_taken_for_a_corner_of_the_eye() -> None:
    eye, rgb, points = lids(), calm().frame.rgb.copy(), calm().face.points
    start, end = eye.upper[0], eye.upper[0] - np.float32(0.2 * eye.width) * eye.along
    thick = round(0.4 * eye.width)
    ends = [tuple(np.rint(p).astype(int).tolist()) for p in (start, end)]
    cv2.line(rgb, ends[0], ends[1], (230, 228, 225), thick)
    seen = lids_to_where_seen(rgb, points, LEFT_EYE, np.array([252, 253, 254]))
    np.testing.assert_allclose(seen[LEFT_EYE[0][0]], points[LEFT_EYE[0][0]], atol=0.5)


def test_lashes_around_an_eye_do_not_darken_its_lid() -> None:
    eye, rgb = lids(), calm().frame.rgb.copy()
    middle = slice(int(eye.upper[3, 0]), int(eye.upper[5, 0]))
    lid = slice(int(eye.upper[4, 1]) + 3, int(eye.lower[4, 1]) - 6)
    before = shut(calm())[lid, middle].mean()
    for x, y in calm().face.points[[252, 253, 254], :2]:  # just below the eye
        cv2.circle(rgb, (round(float(x)), round(float(y))), 4, (60, 20, 15), -1)
    assert shut(repainted(rgb))[lid, middle].mean() > 0.93 * before


def lid_of(picture: Picture, part: slice) -> Picture:
    """Some of the columns of the left eye's shut lid, well inside it."""
    eye = lids()
    left, right = eye.upper[2, 0], eye.upper[-3, 0]
    columns = np.arange(round(float(left)), round(float(right)))[part]
    rows = slice(int(eye.upper[4, 1]) + 3, int(eye.lower[4, 1]) - 6)
    return picture[rows, columns[0] : columns[-1] + 1]


def test_a_shut_lid_lies_in_the_shadow_that_falls_across_the_eye() -> None:
    rgb, middle = calm().frame.rgb.copy(), round(float(lids().middle_of_corners[0]))
    rgb[:, middle:] = np.rint(0.5 * rgb[:, middle:]).astype(np.uint8)
    lid = shut(repainted(rgb))
    dark, lit = (lid_of(lid, part).mean() for part in (slice(-10, None), slice(0, 10)))
    assert dark < 0.75 * lit


@mesh_points
def test_a_shut_lid_has_the_grain_of_the_skin_below_it() -> None:
    noise = np.random.default_rng(1).normal(0, 12, calm().frame.rgb.shape)
    rough = np.clip(calm().frame.rgb + noise, 0, 255).astype(np.uint8)
    grain = lid_of(shut(repainted(rough)), slice(None)).astype(float)
    smooth = lid_of(shut(calm()), slice(None)).astype(float)
    there = np.diff(noise, axis=0).std()
    assert 0.3 * there < np.diff(grain - smooth, axis=0).std() < there


def streaks(picture: Picture, rows: slice, columns: slice) -> float:
    """How much brightness changes from column to column."""
    return float(np.abs(np.diff(picture[rows, columns].mean(axis=2), axis=1)).mean())


def test_lashes_are_not_drawn_long_over_a_shut_lid() -> None:
    rgb, eye = calm().frame.rgb.copy(), lids()
    for x in range(int(eye.upper[2, 0]), int(eye.upper[-3, 0]), 4):
        y = float(np.interp(x, eye.upper[:, 0], eye.upper[:, 1]))
        tip = (x, round(y - 0.12 * eye.width))
        cv2.line(rgb, (x, round(y)), tip, (40, 25, 20), 1, cv2.LINE_AA)
    columns = slice(int(eye.upper[2, 0]), int(eye.upper[-3, 0]))
    lash = slice(int(eye.upper[4, 1] - 0.1 * eye.width), int(eye.upper[4, 1]))
    lid = slice(int(eye.upper[4, 1]) + 2, int(eye.lower[4, 1]) - 4)
    assert streaks(shut(repainted(rgb)), lid, columns) < 0.5 * streaks(rgb, lash, columns)


@mesh_points
def test_lashes_are_not_drawn_long_under_a_raised_brow() -> None:
    raised = {"browInnerUp": 1.0, "browOuterUpLeft": 1.0, "browOuterUpRight": 1.0}
    rim, fold = (calm().face.points[row[2:-2], :2] for row in (LEFT_EYE[0], LEFT_FOLD))
    tips = rim + np.float32(0.8) * (fold - rim)
    rgb = calm().frame.rgb.copy()
    for start, tip in np.rint(np.stack([rim, tips], axis=1)).astype(int).tolist():
        cv2.line(rgb, start, tip, (40, 25, 20), 2, cv2.LINE_AA)
    now = ask(calm(), raised).points
    rim, fold = (now[row[2:-2], :2] for row in (LEFT_EYE[0], LEFT_FOLD))
    ends, plain = rim + np.float32(0.7) * (fold - rim), drawn_again(calm(), raised)
    before = darker(rgb, calm().frame.rgb, tips)
    assert darker(drawn_again(repainted(rgb), raised), plain, ends).mean() < 0.4 * before.mean()


def test_the_skin_under_a_raised_brow_takes_no_tone_from_its_hairs() -> None:
    raised = {"browInnerUp": 1.0, "browOuterUpLeft": 1.0, "browOuterUpRight": 1.0}
    brow, rgb = calm().face.points[list(landmarks.LEFT_BROW), :2], calm().frame.rgb
    skin = np.median(rgb[around(calm(), (338, 337, 299))], axis=0)
    bare, fair = rgb.copy(), rgb.copy()
    for picture, tone in ((bare, skin), (fair, 0.7 * skin)):
        cv2.fillPoly(picture, [np.rint(brow).astype(np.int32)], tone.tolist())
    moved = Displacer(calm(), calm().face.points)(ask(calm(), raised)).points[:, :2]
    below = moved[LEFT_FOLD[2:-2]] + np.float32(0.4) * (moved[LEFT_BROW] - moved[LEFT_FOLD[2:-2]])
    with_brow, without = (drawn_again(repainted(x), raised) for x in (fair, bare))
    assert darker(with_brow, without, below).max() < 6


def outlined(line: Floats) -> Identity:
    """The photo with a dark line (n, 2) on it."""
    rgb = calm().frame.rgb.copy()
    cv2.polylines(rgb, [np.rint(line).astype(np.int32)], False, (60, 30, 25), 3, cv2.LINE_AA)
    return repainted(rgb)


def line_of_lashes(picture: Picture, eye: Rims) -> float:
    """By how many grey levels the upper rim, beside the iris, is darker than the skin above it."""
    near, grey = round(0.04 * eye.width), picture.mean(axis=2)
    places = np.rint(eye.upper[[1, 2, 5, 6, 7]]).astype(int).tolist()
    rim = [grey[y - near : y + near + 1, x].min() for x, y in places]
    skin = [grey[y - 4 * near : y - 2 * near, x].mean() for x, y in places]
    return float(np.mean(skin) - np.mean(rim))


def test_a_half_shut_eye_keeps_the_dark_line_of_its_lashes() -> None:
    half = {"eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5}
    now = rims_of(ask(calm(), half, aperture=0.5).points, LEFT_EYE)
    in_photo = line_of_lashes(calm().frame.rgb, lids())
    assert line_of_lashes(drawn_again(calm(), half, aperture=0.5), now) > 0.6 * in_photo > 30


def test_a_half_shut_eye_keeps_a_painted_line_that_lies_above_the_rim_of_the_mesh() -> None:
    half, eye = {"eyeBlinkLeft": 0.6, "eyeBlinkRight": 0.6}, lids()
    painted = Rims(eye.upper - np.float32(0.06 * eye.width) * eye.down, eye.lower)
    made_up = outlined(painted.upper)
    now = rims_of(ask(made_up, half, aperture=0.4).points, LEFT_EYE)
    in_photo = line_of_lashes(made_up.frame.rgb, painted)
    assert line_of_lashes(drawn_again(made_up, half, aperture=0.4), now) > 0.85 * in_photo


def test_the_lashes_of_an_eye_of_a_few_pixels_are_drawn_all_the_same() -> None:
    upper = np.array([[10, 12], [12, 11], [14, 10.5], [16, 11], [18, 12]], np.float32)
    rims = Rims(upper, upper + np.array([0, 2], np.float32))
    photo = np.full((24, 28, 3), 200, np.uint8)
    photo[10:12, 10:18] = 40
    folds = [upper - np.array([0, up], np.float32) for up in (2, 4)]
    skin = LidSkin(photo, rims, *folds, np.full(3, 200, np.float32))
    lit = photo.astype(np.float32)
    Lashes(photo, rims, skin).darken(lit, upper, rims, np.ones(photo.shape[:2], np.float32), 0.0)
    assert lit[:9].min() > 190
    assert lit[11, 14].max() < 40


def test_dark_lashes_hang_over_the_lower_lid_of_a_shut_eye() -> None:
    eye, rim = lids(), calm().face.points[LEFT_EYE[0], :2]
    dark, faint = (repainted(with_rim(rim, colour)) for colour in ((20, 12, 10), (150, 115, 95)))
    now = ask(calm(), {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}, aperture=0.0).points
    below = now[LEFT_EYE[0][3:6], :2] + np.float32(0.04 * eye.width) * eye.down
    apart = darker(shut(dark), shut(faint), below)
    assert apart.min() > 25


def darker(picture: Picture, than: Picture, places: Floats) -> npt.NDArray[np.float64]:
    """(n,) by how many grey levels it is darker near places (n, 2), at the most."""
    off = than.astype(int) - picture
    columns = [off[y - 3 : y + 4, x] for x, y in np.rint(places).astype(int).tolist()]
    return np.array([column.mean(axis=1).max() for column in columns])


def test_the_dark_edge_of_a_fold_does_not_outline_a_shut_lid() -> None:
    fold = calm().face.points[LEFT_FOLD, :2]
    edged = outlined(fold)
    now = ask(calm(), {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}, aperture=0.0).points
    before = darker(edged.frame.rgb, calm().frame.rgb, fold[2:-2])
    after = darker(shut(edged), shut(calm()), now[LEFT_FOLD[2:-2], :2])
    assert (after < 0.5 * before).all()


def test_a_dark_fold_is_re_lit_to_its_ends_under_a_raised_brow() -> None:
    raised = ask(calm(), {"browInnerUp": 1.0, "browOuterUpLeft": 1.0, "browOuterUpRight": 1.0})
    fold, painted = calm().face.points[LEFT_FOLD[1:-1], :2], calm().frame.rgb.copy()
    cv2.polylines(painted, [np.rint(fold).astype(np.int32)], False, (90, 50, 45), 4, cv2.LINE_AA)
    drawn = Displacer(calm(), calm().face.points)(raised).points
    warp = WarpGenerator(WarpSettings())
    with_fold = whole(draw(warp, replace(raised, identity=repainted(painted)))).astype(int)
    without = whole(draw(warp, raised)).astype(int)
    darker = [
        (without - with_fold)[y - 2 : y + 3, x - 2 : x + 3].mean()
        for x, y in np.rint(drawn[LEFT_FOLD[1:-1], :2]).astype(int).tolist()
    ]
    assert max(darker[1], darker[-2]) < np.mean(darker[2:-2]) + 4


def test_a_gleam_below_a_narrowed_eye_is_no_eye() -> None:
    points = calm().face.points.copy()
    upper, lower = list(LEFT_EYE[0][1:-1]), list(LEFT_EYE[1][1:-1])
    points[upper, :2] = points[lower, :2] - 0.1 * lids().width * lids().down
    narrowed = larger_eye(calm().frame.rgb)
    below = np.array([252, 253, 254])
    np.testing.assert_array_equal(lids_to_where_seen(narrowed, points, LEFT_EYE, below), points)
    opened = lids_to_where_seen(narrowed, calm().face.points, LEFT_EYE, below)
    assert (opened[lower, 1] > calm().face.points[lower, 1] + 1.0).all()


@pytest.mark.parametrize("kept", [-0.5, 0.1, 0.5, 1.0])
def test_an_eye_cut_off_by_the_border_of_the_photo_is_drawn_all_the_same(kept: float) -> None:
    eye = lids()
    width = round(float(eye.lower[0, 0] + kept * eye.width))
    rgb = np.ascontiguousarray(larger_eye(calm().frame.rgb)[:, :width])
    assert shut(repainted(rgb)).shape == rgb.shape


@pytest.mark.parametrize("paint", [(215, 130, 175), (110, 150, 130)])
def test_a_painted_lid_shuts_in_the_colour_of_its_paint(paint: tuple[int, int, int]) -> None:
    eye, points, rgb = lids(), calm().face.points, calm().frame.rgb.copy()
    fold = points[LEFT_FOLD, :2] - 0.04 * eye.width * eye.down
    rim = eye.upper - 0.04 * eye.width * eye.down
    cv2.fillPoly(rgb, [np.rint(np.concatenate([rim, fold[::-1]])).astype(np.int32)], paint)
    middle = eye.middle[3:6] - 0.06 * eye.width * eye.down

    def blue_against_red(picture: Picture) -> float:
        red, _, blue = colours(picture, middle).mean(axis=0).tolist()
        return float(np.log(blue / red))

    bare = blue_against_red(shut(calm()))
    asked_for = float(np.log(paint[2] / paint[0])) - bare
    assert blue_against_red(shut(repainted(rgb))) - bare > 0.5 * asked_for


def test_no_tips_of_long_lashes_hang_above_a_shut_lid() -> None:
    eye, rgb = lids(), calm().frame.rgb.copy()
    fold = calm().face.points[LEFT_FOLD, :2]
    tips = fold[2:-2] - 0.09 * eye.width * eye.down
    for root, tip in zip(np.rint(eye.upper[2:-2]).tolist(), np.rint(tips).tolist(), strict=True):
        ends = [tuple(map(int, end)) for end in (root, tip)]
        cv2.line(rgb, ends[0], ends[1], (50, 35, 30), 1, cv2.LINE_AA)
    without, within = (shut(face).astype(int) for face in (calm(), repainted(rgb)))
    above = np.zeros(rgb.shape[:2], np.uint8)
    strip = np.concatenate([fold[2:-2], (tips - 0.03 * eye.width * eye.down)[::-1]])
    cv2.fillPoly(above, [np.rint(strip).astype(np.int32)], (255,))

    def taken(before: npt.NDArray[np.int_], after: npt.NDArray[np.int_]) -> float:
        return float(np.maximum(before - after, 0)[above > 0].mean())

    assert taken(without, within) < 0.35 * taken(calm().frame.rgb.astype(int), rgb.astype(int))


def test_lashes_that_are_thin_towards_the_nose_are_a_dark_line_on_a_shut_lid() -> None:
    eye, rgb = lids(), calm().frame.rgb.copy()
    for part, colour in ((slice(0, 5), (205, 165, 145)), (slice(4, None), (30, 22, 20))):
        rim = np.rint(eye.upper[part]).astype(np.int32)
        cv2.polylines(rgb, [rim], False, colour, 7, cv2.LINE_AA)
    now = shut(repainted(rgb)).mean(axis=2)
    skin = rgb[np.rint(eye.lower[4, 1] + 0.3 * eye.width).astype(int), int(eye.lower[4, 0])].mean()
    line = eye.lower[3:6] + np.linspace(-0.08, 0.08, 17)[:, None, None] * eye.width * eye.down
    x, y = np.rint(np.moveaxis(line, 2, 0)).astype(int)
    assert now[y, x].min(axis=0).mean() < 0.38 * skin
