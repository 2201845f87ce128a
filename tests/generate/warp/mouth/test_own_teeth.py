"""Teeth of one's own, and what is seen below them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, smiling
from drawn import Picture, around, draw, seen, whole

from retarget.flow import landmarks
from retarget.flow.values import Identity
from retarget.generate.warp.mouth.driving_mouth import Below, DrivingInside
from retarget.generate.warp.mouth.hole import Hole
from retarget.generate.warp.mouth.own_mouth import own_inside
from retarget.generate.warp.mouth.teeth import Dentist
from retarget.generate.warp.paint import read
from retarget.generate.warp.palette import LUMA, Palette
from retarget.generate.warp.rims import MOUTH, Rims, rims_of
from retarget.generate.warp.shape.displace import Displacer
from retarget.generate.warp.tones import Tones
from retarget.generate.warp.warp import WarpGenerator


def test_teeth_of_ones_own_do_not_grow_long_where_the_jaw_drops(warp: WarpGenerator) -> None:
    dim = (90 * (smiling().frame.rgb / 255) ** 2.2).astype(np.uint8)
    identity = replace(smiling(), frame=replace(smiling().frame, rgb=dim))
    request = ask(identity, {"jawOpen": 1.0})
    bright = 0.6 * dim[around(identity, landmarks.LIPS_INNER_UPPER)].mean(axis=1).max()

    def long(picture: Picture, points: npt.NDArray[np.float32]) -> int:
        rims = rims_of(points, MOUTH)
        x, top, bottom = rims.upper[5, 0], rims.upper[5, 1], rims.lower[5, 1]
        strip = picture[round(float(top)) : round(float(bottom)), round(float(x)) - 2 :][:, :5]
        return int((strip.mean(axis=(1, 2)) > bright).sum())

    moved = Displacer(identity, identity.face.points)(request)
    then, now = long(dim, identity.face.points), long(whole(draw(warp, request)), moved.points)
    assert 0 < now < 1.3 * then


def test_teeth_that_fill_the_photos_mouth_fill_one_that_opens_a_little_farther() -> None:
    rgb = smiling().frame.rgb.copy()
    rims = rims_of(smiling().face.points, MOUTH)
    cv2.fillPoly(rgb, [np.rint(rims.outline).astype(np.int32)], (240, 235, 225))
    bright = rgb.astype(np.float32) @ LUMA
    row, gum = np.full(len(rims.upper), 0.9, np.float32), np.zeros(3, np.float32)
    own = own_inside(rgb, rims, smiling().face.eye_distance, row=row, teeth=1.0, gum=gum)
    assert own is not None
    held, lip = np.eye(2, 3), np.zeros(2, np.float32)
    edge, root = rims.lower[5], rims.upper[5]

    def goes(point: npt.NDArray[np.float32], gap: float) -> float:
        layers = own.placed(held, lip, 0.0, 0.0, gap)
        (place,) = (p for layer, p, *_ in layers if layer is own.upper)
        return float((place @ [*point, 1] - point) @ rims.down)

    x, y = np.rint(edge - 2 * rims.down).astype(int)
    assert bright[y, x] > 200
    assert abs(goes(root, 1.15 * rims.gap)) < 0.1
    assert goes(edge, 1.15 * rims.gap) == pytest.approx(0.15 * rims.gap, rel=0.2)
    assert goes(edge, 3 * rims.gap) < 0.25 * rims.gap  # teeth are no longer than that
    assert goes(edge, 0.5 * rims.gap) == 0


def test_teeth_go_on_beside_ones_own_where_the_mouth_is_drawn_wider(warp: WarpGenerator) -> None:
    request = ask(smiling(), {"mouthStretchLeft": 1, "mouthStretchRight": 1, "jawOpen": 0.3})
    grey = whole(draw(warp, request)).mean(axis=2)
    now = rims_of(Displacer(smiling(), smiling().face.points)(request).points, MOUTH).smooth
    assert now.width > 1.2 * rims_of(smiling().face.points, MOUTH).width
    under_lip = np.rint(now.upper + 0.3 * (now.lower - now.upper)).astype(int)
    bright = np.array([grey[y, x] for x, y in under_lip])
    beside, middle = bright[[4, 5, 14, 15, 16]], bright[8:12]
    assert beside.mean() > 0.4 * middle.mean()


def test_the_gum_above_drawn_teeth_runs_out_to_its_sides() -> None:
    dentist = Dentist(smiling(), smiling().face.points, Palette.of(*np.full((3, 3), 200.0)))
    covered = dentist.upper().rgba[..., 3].astype(int)
    gum = covered[len(covered) // 4]  # above all teeth
    assert gum.max() > 200
    assert np.abs(np.diff(gum)).max() < 100


def test_the_driving_tongue_is_seen_below_teeth_of_ones_own(warp: WarpGenerator) -> None:
    rgb = smiling().frame.rgb.copy()
    outline = rims_of(smiling().face.points, MOUTH).outline
    cv2.fillPoly(rgb, [np.rint(outline).astype(np.int32)], (220, 40, 40))
    driving = seen(replace(smiling(), frame=replace(smiling().frame, rgb=rgb)))
    request = ask(smiling(), {"jawOpen": 1.0}, driving=driving)
    picture = whole(draw(warp, request)).astype(int)
    rims = rims_of(Displacer(smiling(), smiling().face.points)(request).points, MOUTH)
    top, bottom = rims.upper[5], rims.lower[5]
    x, _ = np.rint(top).astype(int).tolist()
    heights = np.linspace(top[1], bottom[1], 11).round().astype(int).tolist()
    red = [picture[y, x, 0] - picture[y, x, 1] > 90 for y in heights]
    assert not any(red[:2])
    assert all(red[4:7])


@pytest.mark.parametrize("grey", [False, True])
def test_the_driving_upper_teeth_are_no_second_row_below_ones_own(
    warp: WarpGenerator, grey: bool
) -> None:
    rgb = smiling().frame.rgb.copy()
    rims = rims_of(smiling().face.points, MOUTH)
    cv2.fillPoly(rgb, [np.rint(rims.outline).astype(np.int32)], (30, 10, 10))
    row = np.concatenate([rims.upper, (rims.upper + 0.6 * (rims.lower - rims.upper))[::-1]])
    cv2.fillPoly(rgb, [np.rint(row).astype(np.int32)], (240, 235, 225))
    if grey:
        rgb = np.dstack([cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)] * 3)
    driving = seen(replace(smiling(), frame=replace(smiling().frame, rgb=rgb)))
    request = ask(smiling(), {"jawOpen": 1.0}, driving=driving)
    picture = whole(draw(warp, request)).mean(axis=2)
    now = rims_of(Displacer(smiling(), smiling().face.points)(request).points, MOUTH)
    (x, top), bottom = np.rint(now.upper[5]).astype(int), round(float(now.lower[5, 1]))
    bright = picture[top:bottom, x - 2 : x + 3].mean(axis=1)
    assert bright[: len(bright) // 4].max() > 150  # teeth of one's own
    assert bright[len(bright) // 2 + 1 : -3].max() < 0.5 * bright.max()


def test_what_lies_around_driving_teeth_fills_their_place_below_teeth_of_ones_own(
    warp: WarpGenerator,
) -> None:
    rgb = smiling().frame.rgb.copy()
    rims = rims_of(smiling().face.points, MOUTH)
    cv2.fillPoly(rgb, [np.rint(rims.outline).astype(np.int32)], (220, 90, 90))
    middle = slice(4, 7)
    upper, lower = rims.upper[middle], rims.lower[middle]
    teeth = np.concatenate([upper, (upper + 0.6 * (lower - upper))[::-1]])
    cv2.fillPoly(rgb, [np.rint(teeth).astype(np.int32)], (240, 235, 225))
    driving = seen(replace(smiling(), frame=replace(smiling().frame, rgb=rgb)))
    request = ask(smiling(), {"jawOpen": 1.0}, driving=driving)
    picture = whole(draw(warp, request)).mean(axis=2)
    now = rims_of(Displacer(smiling(), smiling().face.points)(request).points, MOUTH)
    below, beside = (  # where the driving teeth were, and as high in the mouth, where none were
        picture[y - 1 : y + 2, x - 1 : x + 2].mean()
        for x, y in np.rint(now.upper[[5, 2]] + 0.5 * (now.lower - now.upper)[[5, 2]]).astype(int)
    )
    assert below > 0.6 * beside


def two_rows(*, parted: float) -> Identity:
    """A driving mouth that bares both rows, parted by this share of its height."""
    driver, tooth = smiling(), (240, 235, 225)
    rgb, rims = driver.frame.rgb.copy(), rims_of(driver.face.points, MOUTH)
    cv2.fillPoly(rgb, [np.rint(rims.outline).astype(np.int32)], tooth)
    from_, to = (rims.upper + (0.5 + s * parted / 2) * (rims.lower - rims.upper) for s in (-1, 1))
    cv2.fillPoly(rgb, [np.rint(Rims(from_, to).outline).astype(np.int32)], (30, 10, 10))
    rgb = cv2.GaussianBlur(rgb, (0, 0), 0.7)  # no lens draws an edge in one pixel
    return replace(driver, frame=replace(driver.frame, rgb=rgb))


def test_the_driving_mouth_goes_on_below_teeth_of_ones_own_as_below_its_own() -> None:
    driver = two_rows(parted=0.3)
    rims = rims_of(driver.face.points, MOUTH)
    hole = Hole.between(rims, driver.frame.rgb.shape)
    assert hole is not None
    tones = Tones(
        skin=np.array([180, 150, 130], np.float32), lip=np.array([190, 90, 90], np.float32)
    )

    def column(row: float) -> npt.NDArray[np.float32]:
        """Brightness from the lower end of teeth that fill this share to the lower lip."""
        below = Below(places=np.full(len(hole.rims.upper), row, np.float32), much=1.0)
        theirs = DrivingInside(
            driver.frame.rgb, driver.face, white=None, box=hole.box, now=hole.rims, below=below
        )
        drawn, _ = theirs.lit(tones, np.array([210, 200, 180], np.float32), hole.depth, tones.lip)
        places = np.linspace(row + 0.05, 0.95, 9)[:, None]
        at = np.rint(rims.upper[5] + places * (rims.lower[5] - rims.upper[5]) - hole.corner)
        x, y = at.astype(int).T
        return np.asarray(drawn.mean(axis=2)[y, x] / drawn.mean(axis=2).max(), np.float32)

    for row in (0.2, 0.5):
        bright = column(row)
        assert bright[0] < 0.5  # what parts the driving rows, and not the end of the upper one
        assert bright[-3:].max() > 0.8


def test_the_lower_row_of_a_driving_mouth_that_grits_its_teeth_stands_below_teeth_of_ones_own(
    warp: WarpGenerator,
) -> None:
    request = ask(smiling(), {"jawOpen": 0.7}, driving=seen(two_rows(parted=0.12)))
    picture = whole(draw(warp, request)).mean(axis=2)
    now = rims_of(Displacer(smiling(), smiling().face.points)(request).points, MOUTH)
    (x, top), bottom = np.rint(now.upper[5]).astype(int), round(float(now.lower[5, 1]))
    bright = picture[top + 2 : bottom - 2, x - 2 : x + 3].mean(axis=1)
    own, lower = bright[: len(bright) // 2].max(), bright[-3:].max()
    assert lower > 0.75 * own
    assert (bright < 0.5 * own).sum() < 0.5 * len(bright)  # what parts them is no slab


def test_driving_teeth_below_teeth_of_ones_own_are_of_their_colour(warp: WarpGenerator) -> None:
    who = smiling()
    rgb, rims = who.frame.rgb.copy(), rims_of(who.face.points, MOUTH)
    cv2.fillPoly(rgb, [np.rint(rims.outline).astype(np.int32)], (215, 195, 150))
    yellow = replace(who, frame=replace(who.frame, rgb=rgb))
    request = ask(yellow, {"jawOpen": 0.7}, driving=seen(two_rows(parted=0.12)))
    now = rims_of(Displacer(yellow, yellow.face.points)(request).points, MOUTH)
    picture = whole(draw(warp, request)).astype(float)
    x, bottom = np.rint(now.lower[5]).astype(int)
    red, _, blue = picture[bottom - 5 : bottom - 2, x - 2 : x + 3].mean(axis=(0, 1))
    assert blue / red == pytest.approx(150 / 215, abs=0.12)


BARES = ("mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight")
LOWERED = {"mouthPucker": 1.0, "mouthUpperUpLeft": -1.0, "mouthUpperUpRight": -1.0}


def under_the_lip(
    warp: WarpGenerator, weights: dict[str, float], identity: Identity | None = None
) -> list[Picture]:
    """(3,) what a smile shows there, driven by a mouth that is dark inside and by one all teeth."""
    identity = identity or smiling()
    outline = np.rint(rims_of(smiling().face.points, MOUTH).outline).astype(np.int32)
    colours = []
    for paint in (20, 230):
        rgb = smiling().frame.rgb.copy()
        cv2.fillPoly(rgb, [outline], (paint,) * 3)
        driving = seen(replace(smiling(), frame=replace(smiling().frame, rgb=rgb)))
        request = ask(identity, weights, driving=driving)
        moved = Displacer(identity, identity.face.points)(request)
        x, y = np.rint(rims_of(moved.points, MOUTH).upper[5]).astype(int).tolist()
        colours.append(whole(draw(warp, request))[y + 1 : y + 4, x - 2 : x + 3].mean(axis=(0, 1)))
    return colours


def test_lips_that_draw_back_a_little_bare_gum_above_teeth_of_ones_own(warp: WarpGenerator) -> None:
    dark, light = under_the_lip(warp, {"jawOpen": 0.8, **dict.fromkeys(BARES, 0.4)})
    assert dark[0] > dark[1] + 20
    assert np.abs(light - dark).max() < 10


@pytest.mark.parametrize("weights", [dict.fromkeys(BARES, 1.0), LOWERED], ids=["bared", "covered"])
def test_the_driving_mouth_is_shown_where_lips_bare_what_the_photo_hides_or_hide_its_teeth(
    warp: WarpGenerator, weights: dict[str, float]
) -> None:
    dark, light = under_the_lip(warp, {"jawOpen": 0.8, **weights})
    assert (light - dark).min() > 60


def a_row(share: float) -> Identity:
    """The smile with teeth that fill this share of its opening, from the upper lip on."""
    rgb, rims = smiling().frame.rgb.copy(), rims_of(smiling().face.points, MOUTH)
    cv2.fillPoly(rgb, [np.rint(rims.outline).astype(np.int32)], (30, 10, 10))
    row = Rims(rims.upper, rims.upper + share * (rims.lower - rims.upper))
    cv2.fillPoly(rgb, [np.rint(row.outline).astype(np.int32)], (240, 235, 225))
    return replace(smiling(), frame=replace(smiling().frame, rgb=rgb))


def test_half_hidden_teeth_of_ones_own_give_way_as_soon_as_the_lip_bares_more(
    warp: WarpGenerator,
) -> None:
    dark, light = under_the_lip(warp, {"jawOpen": 0.8, **dict.fromkeys(BARES, 0.4)}, a_row(0.3))
    assert (light - dark).min() > 60


@pytest.mark.parametrize("raised", [-0.3, 0.0, 0.1, 0.3])
def test_a_sliver_of_teeth_of_ones_own_does_not_flash_up_as_a_lip_passes_it(
    warp: WarpGenerator, raised: float
) -> None:
    lip = dict.fromkeys(("mouthUpperUpLeft", "mouthUpperUpRight"), raised)
    request = ask(a_row(0.25), {"jawOpen": 0.8, **lip}, driving=seen(a_row(0.5)))
    now = rims_of(Displacer(smiling(), smiling().face.points)(request).points, MOUTH)
    x, y = np.rint(now.upper[5] + 0.3 * (now.lower[5] - now.upper[5])).astype(int)
    assert whole(draw(warp, request))[y - 1 : y + 2, x - 2 : x + 3].mean() > 130


def test_teeth_that_a_lip_comes_to_hide_go_up_behind_it_and_do_not_fade(
    warp: WarpGenerator,
) -> None:
    rgb = smiling().frame.rgb.copy()
    outline = rims_of(smiling().face.points, MOUTH).outline
    cv2.fillPoly(rgb, [np.rint(outline).astype(np.int32)], (30, 10, 10))
    driving = seen(replace(smiling(), frame=replace(smiling().frame, rgb=rgb)))

    def tall(share: float, jaw: float = 0.8) -> tuple[float, int]:
        """How bright the brightest row of teeth is, and how many are bright."""
        lowered = {name: share * value for name, value in LOWERED.items()}
        request = ask(smiling(), {"jawOpen": jaw, **lowered}, driving=driving)
        rims = rims_of(Displacer(smiling(), smiling().face.points)(request).points, MOUTH)
        x, top = np.rint(rims.upper[5]).astype(int).tolist()
        rows = whole(draw(warp, request))[top : top + 12, x - 2 : x + 3].mean(axis=(1, 2))
        return float(rows.max()), int((rows > 120).sum())

    full = tall(0.0)[0]
    for share in np.linspace(0.3, 0.7, 9):
        brightest, rows = tall(share)
        assert rows <= 2 or brightest > 0.8 * full  # these lie at the edge of the lip
    assert rows == 0
    assert tall(0.65, jaw=0.0)[0] > 0.85 * full  # they still fill a mouth that is less open


@pytest.mark.parametrize(
    ("jaws", "shares"),
    [((0.2, 0.2), (0.1, 0.8)), ((0.8, 0.8), (0.1, 0.8)), ((0.0, 0.18), (0.65, 0.65))],
    ids=["lip, half open", "lip, open", "jaw"],
)
def test_teeth_of_ones_own_hide_not_much_faster_than_lips_move(
    warp: WarpGenerator, jaws: tuple[float, float], shares: tuple[float, float]
) -> None:
    """Else they flicker where lips that hide most of them tremble."""
    rgb = smiling().frame.rgb.copy()
    outline = rims_of(smiling().face.points, MOUTH).outline
    cv2.fillPoly(rgb, [np.rint(outline).astype(np.int32)], (30, 10, 10))
    driving = seen(replace(smiling(), frame=replace(smiling().frame, rgb=rgb)))
    lips, long = [], []
    for jaw, share in zip(np.linspace(*jaws, 36), np.linspace(*shares, 36), strict=True):
        lowered = {name: share * value for name, value in LOWERED.items()}
        request = ask(smiling(), {"jawOpen": jaw, **lowered}, driving=driving)
        now = rims_of(Displacer(smiling(), smiling().face.points)(request).points, MOUTH)
        lips.append([now.upper[5] @ now.down, now.lower[5] @ now.down])
        across = now.upper[5] + np.arange(0, now.gap, 0.1, np.float32)[:, None] * now.down
        bright = read(whole(draw(warp, request)), across[None])[0].mean(axis=1)
        long.append(0.1 * float((np.clip(bright, 60, 180) - 60).sum()) / 120)
    moved = np.abs(np.diff(np.array(lips)[::4], axis=0)).max(axis=1)  # pixels, by either lip
    assert moved.min() > 0.3
    assert (np.abs(np.diff(long[::4])) / moved).max() < 3
