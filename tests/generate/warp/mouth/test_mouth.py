"""The inside of the mouth: whose it is, how it is lit, and when nothing of it shows."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from asked import ask, calm, known, on_its_side, smiling
from drawn import Picture, around, draw, seen, whole
from outside import mesh_points

from retarget.flow import landmarks
from retarget.flow.landmarks import LIPS_OUTER_LOWER, LIPS_OUTER_UPPER
from retarget.flow.values import FaceRequest, Identity
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.mouth.hole import Hole
from retarget.generate.warp.mouth.teeth import Dentist
from retarget.generate.warp.paint import colours
from retarget.generate.warp.palette import LUMA, Palette, luma
from retarget.generate.warp.rims import MOUTH, Rims, rims_of
from retarget.generate.warp.shape.displace import Displacer
from retarget.generate.warp.tones import Tones
from retarget.generate.warp.warp import WarpGenerator


def test_touching_lips_show_no_inside(warp: WarpGenerator) -> None:
    identity = calm()
    pressed = ask(identity, {"mouthPressLeft": 0.6, "mouthPressRight": 0.6}, aperture=1.0)
    inside = around(identity, landmarks.LIPS_INNER_UPPER + landmarks.LIPS_INNER_LOWER[::-1])
    photo, face = identity.frame.rgb, whole(draw(warp, pressed))
    darkest = photo[inside].min()
    rows = slice(*np.flatnonzero(inside.any(axis=1))[[0, -1]])
    columns = slice(*np.flatnonzero(inside.any(axis=0))[[0, -1]])
    assert face[rows, columns].min() >= int(darkest) - 16


def test_a_smile_with_teeth_closes_over_them(warp: WarpGenerator) -> None:
    identity = smiling()
    closing = {"mouthSmileLeft": 0.0, "mouthClose": 1.0}
    points = ask(identity, closing, aperture=1.0, lip_gap=0.0)
    inside = around(identity, landmarks.LIPS_INNER_UPPER + landmarks.LIPS_INNER_LOWER[::-1])
    white = [p[inside].mean(axis=1) > 200 for p in (identity.frame.rgb, whole(draw(warp, points)))]
    assert white[1].sum() < 0.35 * white[0].sum()


def test_an_opening_mouth_shows_a_dark_inside_without_driving_pixels(warp: WarpGenerator) -> None:
    identity = calm()
    face = whole(draw(warp, ask(identity, {"jawOpen": 1.0})))
    x, y = identity.face.points[[13, 14], :2].mean(axis=0).astype(int)
    below = face[y : y + 30, x - 5 : x + 5].mean(axis=(1, 2))
    assert below.min() < 0.5 * identity.frame.rgb[y - 40 : y - 20, x - 5 : x + 5].mean()


def drawn_teeth(warp: WarpGenerator) -> tuple[Picture, FaceRequest]:
    bared = {"jawOpen": 0.6, "mouthLowerDownLeft": 1.0, "mouthLowerDownRight": 1.0}
    request = ask(calm(), bared)
    return whole(draw(warp, request)), request


def test_drawn_teeth_part_with_the_jaw_and_the_lower_ones_stay_behind_their_lip(
    warp: WarpGenerator,
) -> None:
    face, request = drawn_teeth(warp)
    (x, top), (_, bottom) = np.rint(request.points[[13, 14], :2]).astype(int)
    light = face[top:bottom, x - 4 : x + 4].mean(axis=(1, 2))
    third = len(light) // 3
    teeth = light > 130
    assert light[third : 2 * third].max() < 100  # flesh
    assert 2 <= teeth[-third:].sum() < 0.8 * teeth[:third].sum()


def test_a_wide_mouth_of_drawn_teeth_is_not_empty(warp: WarpGenerator) -> None:
    """The tongue's back stays up while its tip goes with the jaw."""
    request = ask(calm(), {"jawOpen": 1.0})
    face = whole(draw(warp, request)).astype(float)
    (x, top), (_, bottom) = np.rint(request.points[[13, 14], :2]).astype(int)
    red = face[top:bottom, x - 4 : x + 4, 0].mean(axis=1)
    middle = slice(round(0.55 * len(red)), round(0.75 * len(red)))
    assert red[middle].min() > 1.5 * red.min()


@mesh_points
def test_drawn_teeth_lie_in_the_shade_of_the_lip_above_them(warp: WarpGenerator) -> None:
    face, request = drawn_teeth(warp)
    hole = Hole.between(rims_of(request.points, MOUTH), face.shape)
    assert hole is not None
    x, top = np.rint(request.points[13, :2]).astype(int) - hole.corner
    column = (slice(top, top + 16), slice(x - 4, x + 4))
    light, depth = face[hole.box][column].mean(axis=2), hole.depth[column] / hole.rims.width
    under_lip, below = light[(depth > 0.02) & (depth < 0.03)], light[depth > 0.06]
    assert 0.65 < np.median(under_lip) / np.median(below) < 0.9


def test_the_driving_mouth_is_shown_where_its_pixels_are_at_hand(warp: WarpGenerator) -> None:
    own, driven = (
        whole(draw(warp, ask(calm(), {"jawOpen": 0.8}, driving=driving))).astype(int)
        for driving in (None, seen(smiling()))
    )
    apart = np.abs(own - driven).max(axis=2) > 12
    assert apart.sum() > 200
    lips = around(calm(), landmarks.LIPS_OUTER_UPPER + landmarks.LIPS_OUTER_LOWER[::-1])
    rows = np.flatnonzero(apart.any(axis=1))
    assert rows.min() >= np.flatnonzero(lips.any(axis=1)).min()  # only the inside differs


def test_a_driving_mouth_that_is_shut_does_not_let_teeth_flash_up(warp: WarpGenerator) -> None:
    parted = {"jawOpen": 0.3}
    said, driven = (
        whole(draw(warp, ask(calm(), parted, driving=driving))).mean(axis=2)
        for driving in (None, seen(calm()))
    )
    points = ask(calm(), parted).points
    middle = points[[13, 14], :2].mean(axis=0)
    x, y = np.rint(middle).astype(int)
    tooth, bare = (p[y - 3 : y + 3, x - 6 : x + 6].max() for p in (said, driven))
    assert bare < 0.5 * tooth


def test_teeth_of_ones_own_are_seen_though_the_driving_mouth_is_all_but_shut(
    warp: WarpGenerator,
) -> None:
    """Nothing is known of what lies between its lips."""
    shut, gone = seen(calm()), {"jawOpen": 0.2}
    request = ask(smiling(), gone, driving=shut)
    driven, said = (whole(draw(warp, r)).astype(int) for r in (request, ask(smiling(), gone)))
    x, y = np.rint(request.points[13, :2]).astype(int) + (0, 3)
    assert np.abs(driven - said)[y - 1 : y + 2, x - 6 : x + 6].mean() < 12


@pytest.mark.parametrize("grey", [False, True])
def test_teeth_of_ones_own_are_kept_and_a_mere_gap_is_not(warp: WarpGenerator, grey: bool) -> None:
    toothy = smiling()
    if grey:
        flat = cv2.cvtColor(toothy.frame.rgb, cv2.COLOR_RGB2GRAY)
        toothy = replace(toothy, frame=replace(toothy.frame, rgb=np.dstack([flat] * 3)))
    rgb = toothy.frame.rgb.copy()
    mouth = around(toothy, landmarks.LIPS_INNER_UPPER + landmarks.LIPS_INNER_LOWER[::-1])
    rgb[mouth] //= 5
    middle = rims_of(toothy.face.points, MOUTH).middle
    mouth[round(float(middle[3:-3, 1].max())) :] = False  # below lies what the driving mouth shows
    toothless = replace(toothy, frame=replace(toothy.frame, rgb=rgb))
    for identity, follows in ((toothy, False), (toothless, True)):
        alone, driven = (
            whole(draw(warp, ask(identity, {"jawOpen": 0.4}, driving=d))).astype(int)
            for d in (None, seen(smiling()))
        )
        assert bool((np.abs(alone - driven).max(axis=2) > 12)[mouth].sum() > 40) == follows


def test_a_mouth_passes_the_width_to_which_the_photo_is_parted_without_a_flash(
    warp: WarpGenerator,
) -> None:
    who, rims = smiling(), rims_of(smiling().face.points, MOUTH)

    def filled(colour: tuple[int, int, int]) -> Identity:
        rgb = who.frame.rgb.copy()
        cv2.fillPoly(rgb, [np.rint(rims.outline).astype(np.int32)], colour)
        return replace(who, frame=replace(who.frame, rgb=rgb))

    parted, driving = filled((40, 15, 15)), seen(filled((235, 230, 220)))

    def inside(weights: dict[str, float]) -> tuple[float, float]:
        """The gap relative to the photo's, and how bright it is there."""
        request = ask(parted, weights, driving=driving)
        now = rims_of(Displacer(parted, parted.face.points)(request).points, MOUTH)
        x, y = np.rint(now.middle[5]).astype(int)
        return now.gap / rims.gap, float(whole(draw(warp, request))[y, x - 3 : x + 4].mean())

    gaps, bright = zip(
        *(inside({"jawOpen": 0.2, "mouthClose": c}) for c in (0, 0.1, 0.2, 0.25, 0.3)), strict=True
    )
    assert gaps[0] > 1.5
    assert gaps[-1] < 0.8
    assert min(bright) > 0.85 * max(bright)
    for nearly_as_in_the_photo in ({}, {"jawOpen": 0.01}):  # keeps what is seen there
        assert inside(nearly_as_in_the_photo)[1] < 0.2 * max(bright)


def test_a_person_who_talks_in_a_clip_shows_the_same_mouth_in_each_picture(
    warp: WarpGenerator,
) -> None:
    rgb = smiling().frame.rgb.copy()
    outline = np.rint(rims_of(smiling().face.points, MOUTH).outline).astype(np.int32)
    cv2.fillPoly(rgb, [outline], (40, 15, 15))
    toothless = replace(smiling(), frame=replace(smiling().frame, rgb=rgb))
    shown = []
    for picture in (smiling(), toothless):
        request = ask(replace(picture, passing=True), {"jawOpen": 0.02}, driving=seen(smiling()))
        x, y = np.rint(rims_of(request.points, MOUTH).middle[5]).astype(int)
        shown.append(whole(draw(warp, request))[y - 1 : y + 2, x - 6 : x + 7].mean(axis=(0, 1)))
    np.testing.assert_allclose(*shown, atol=12)


@pytest.mark.parametrize(
    ("change", "own"),
    [
        ({"mouthLowerDownLeft": 0.3, "mouthLowerDownRight": 0.3}, True),
        ({"mouthClose": 0.72}, False),
        ({"mouthStretchLeft": 1.0, "mouthStretchRight": 1.0}, False),
    ],
    ids=["as open", "nearly shut", "wider"],
)
def test_a_throat_of_ones_own_is_shown_in_a_mouth_that_gapes_alike(
    warp: WarpGenerator, change: dict[str, float], own: bool
) -> None:
    gaping = known(whole(draw(warp, ask(calm(), {"jawOpen": 1.0, "mouthPucker": 0.8}))))
    rgb, outline = gaping.frame.rgb.copy(), rims_of(gaping.face.points, MOUTH).outline
    cv2.fillPoly(rgb, [np.rint(outline).astype(np.int32)], (30, 30, 160))
    blue = replace(gaping, frame=replace(gaping.frame, rgb=rgb))
    request = ask(blue, change, driving=seen(smiling()))
    picture = whole(draw(warp, request)).astype(int)
    now = rims_of(Displacer(blue, blue.face.points)(request).points, MOUTH)
    assert now.gap / blue.face.eye_distance > 0.04
    x, y = np.rint(now.middle[5]).astype(int).tolist()
    red, _, blueness = picture[y - 1 : y + 2, x - 2 : x + 3].mean(axis=(0, 1))
    assert bool(blueness > red + 60) == own


def test_a_tongue_comes_out_over_the_lower_lip(warp: WarpGenerator) -> None:
    with_tongue = ask(calm(), {"jawOpen": 0.4, "tongueOut": 1.0})
    face, without = (whole(draw(warp, r)) for r in (with_tongue, ask(calm(), {"jawOpen": 0.4})))
    apart = (face != without).any(axis=2)
    lowest = np.flatnonzero(apart.any(axis=1)).max()
    assert lowest > with_tongue.points[14, 1] + 0.1 * calm().face.eye_distance


def test_a_slit_between_lips_is_as_dark_as_the_line_between_them(warp: WarpGenerator) -> None:
    """Its dark would flash up as a bar wherever lips hardly part."""
    lowered = {"mouthSmile": -1.6, "mouthUpperUp": -1.0}  # the upper lip hides the teeth
    weights = {
        f"{name}{side}": much for name, much in lowered.items() for side in ("Left", "Right")
    }
    parted = {**weights, "mouthClose": -0.04}
    request = ask(smiling(), parted, aperture=1.0, lip_gap=0.03, driving=seen(calm()))
    now = rims_of(Displacer(smiling(), smiling().face.points)(request).points, MOUTH)
    assert 0.02 < now.gap / now.width < 0.05
    line = colours(whole(draw(warp, request)), now.middle[3:-3]) @ LUMA
    lip = luma(Tones.of(smiling().frame.rgb, smiling().face.points, None).lip)
    assert line.min() > 0.42 * lip


def test_the_tongue_of_a_photo_on_its_side_is_shaded_from_throat_to_tip_as_well() -> None:
    skin, lip, white = np.array([[200, 160, 140], [170, 90, 90], [220, 215, 210]], np.float32)
    palette = Palette.of(skin, lip, white)
    shades = []
    for who, turns in ((calm(), 0), (on_its_side(calm()), 1)):
        tongue = np.rot90(Dentist(who, who.face.points, palette).tongue().rgba, turns)
        red = np.where(tongue[..., 3] > 250, tongue[..., 0], np.nan)
        shades.append([np.nanmean(part) for part in np.array_split(red, 3)])
    np.testing.assert_allclose(shades[1], shades[0], rtol=0.03)


def closed(identity: Identity) -> tuple[Picture, Rims]:
    """The photo with its lips brought together, and where these are."""
    request = ask(identity, {"mouthClose": 1.0}, aperture=1.0, lip_gap=0.0)
    moved = Displacer(identity, identity.face.points)(request)
    return whole(draw(WarpGenerator(WarpSettings()), request)), rims_of(moved.points, MOUTH)


@mesh_points
def test_teeth_that_the_mesh_takes_for_lip_are_left_out_when_the_mouth_closes() -> None:
    rgb, points = smiling().frame.rgb.copy(), smiling().face.points[:, :2]
    rims = rims_of(points, MOUTH)
    outer = rims_of(points, (np.array(LIPS_OUTER_UPPER), np.array(LIPS_OUTER_LOWER)))
    beyond = Rims(*(r + 0.3 * (o - r) for r, o in zip(
        (rims.upper, rims.lower), (outer.upper, outer.lower), strict=True
    )))  # fmt: skip
    cv2.fillPoly(rgb, [np.rint(beyond.outline).astype(np.int32)], (0, 250, 250))
    picture, now = closed(replace(smiling(), frame=replace(smiling().frame, rgb=rgb)))
    mouth = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mouth, [np.rint(now.outline).astype(np.int32)], (1,))
    mouth = cv2.dilate(mouth, np.ones((9, 9), np.uint8))
    of_teeth = np.clip(picture[..., 1].astype(float) - picture[..., 0], 60, None) - 60
    assert of_teeth[mouth > 0].mean() < 3


def test_a_line_is_seen_between_lips_that_close_over_an_open_mouth() -> None:
    lip = (200, 110, 110)
    rgb = np.full_like(smiling().frame.rgb, lip)
    picture, now = closed(replace(smiling(), frame=replace(smiling().frame, rgb=rgb)))
    middle = now.middle[3:-3]
    away = 0.08 * now.width * now.down
    line, above, below = (
        np.mean([picture[y, x].mean() for x, y in np.rint(p).astype(int).tolist()])
        for p in (middle, middle - away, middle + away)
    )
    assert line < 0.85 * min(above, below)


def test_nothing_of_the_driving_frame_but_its_mouth_edges_a_pursed_one(warp: WarpGenerator) -> None:
    painted = smiling().frame.rgb.copy()
    painted[:40, :40] = (255, 0, 255)
    pictures = [
        whole(draw(warp, ask(calm(), {"jawOpen": 0.8, "mouthPucker": 1.0}, driving=seen(who))))
        for who in (smiling(), replace(smiling(), frame=replace(smiling().frame, rgb=painted)))
    ]
    np.testing.assert_array_equal(*pictures)
