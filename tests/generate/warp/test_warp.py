"""Faces drawn by moving a photo's pixels: what moves, what does not, and how it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm, smiling
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import dictionaries, floats, sampled_from

from retarget.flow import blendshapes, landmarks
from retarget.flow.values import (
    ExpressedFrame,
    Face,
    FaceRequest,
    GeneratedFace,
    HeadPose,
    Identity,
    TrackedFrame,
)
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.displace import Displacer
from retarget.generate.warp.driving_mouth import Tones, inside_of
from retarget.generate.warp.mesh import signed_areas, topology
from retarget.generate.warp.mouth import Hole
from retarget.generate.warp.rims import MOUTH, rims_of
from retarget.generate.warp.warp import WarpGenerator

Picture = npt.NDArray[np.uint8]
SHUT = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}


@pytest.fixture(scope="module")
def warp() -> WarpGenerator:
    return WarpGenerator(WarpSettings(threads=1))


def draw(warp: WarpGenerator, request: FaceRequest) -> GeneratedFace:
    return next(iter(warp(iter([request]))))


def whole(face: GeneratedFace) -> Picture:
    """The photo with the crop pasted in."""
    out = face.request.identity.frame.rgb.copy()
    assert face.crop.offset is not None
    left, top = face.crop.offset
    height, width = face.rgb.shape[:2]
    out[top : top + height, left : left + width] = face.rgb
    return out


def around(identity: Identity, points: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """(height, width) the polygon of some points of the photo's mesh."""
    mask = np.zeros(identity.frame.rgb.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(identity.face.points[list(points), :2]).astype(np.int32)], (1,))
    return mask > 0


def seen(other: Identity) -> ExpressedFrame:
    """Someone as a driving moment with its pixels."""
    frame = other.frame
    return ExpressedFrame(
        index=0, at=frame.at, duration=frame.duration, expression=other.expression,
        pose=other.pose, tracked=TrackedFrame(frame=frame, face=other.face),
    )  # fmt: skip


def eye_area(identity: Identity) -> npt.NDArray[np.bool_]:
    upper, lower = landmarks.LEFT_EYE_UPPER, landmarks.LEFT_EYE_LOWER
    return around(identity, (*upper, *lower[-2:0:-1]))


def changed(face: GeneratedFace) -> npt.NDArray[np.bool_]:
    """(height, width) which pixels of the photo are not as they were."""
    return (whole(face) != face.request.identity.frame.rgb).any(axis=2)


@pytest.mark.parametrize("weights", [{"jawOpen": 1.0}, {"mouthSmileLeft": 1.0}, SHUT])
def test_the_border_of_the_crop_equals_the_photo(
    warp: WarpGenerator, weights: dict[str, float]
) -> None:
    for identity in (calm(), smiling()):
        face = draw(warp, ask(identity, weights))
        left, top = face.crop.offset or (0, 0)
        height, width = face.rgb.shape[:2]
        photo = identity.frame.rgb[top : top + height, left : left + width]
        wide, high = identity.frame.size
        off = (face.rgb != photo).any(axis=2)
        seams = [
            line for line, inside in (
                (off[0], top > 0), (off[-1], top + height < high),
                (off[:, 0], left > 0), (off[:, -1], left + width < wide),
            ) if inside
        ]  # fmt: skip
        assert seams
        assert not any(line.any() for line in seams)


def test_a_blink_leaves_every_pixel_away_from_the_eyes_untouched(warp: WarpGenerator) -> None:
    identity = calm()
    moved = changed(draw(warp, ask(identity, SHUT, aperture=0.0)))
    mouth = around(identity, landmarks.LIPS_OUTER_UPPER + landmarks.LIPS_OUTER_LOWER[::-1])
    below = np.zeros_like(moved)
    below[int(identity.face.points[landmarks.CHIN, 1]) + 5 :] = True
    assert moved.any()
    assert not (moved & below).any()
    assert (moved & mouth).mean() < 0.01


def test_nothing_moves_in_a_far_corner_of_the_picture(warp: WarpGenerator) -> None:
    moved = changed(draw(warp, ask(calm(), {"jawOpen": 1.0, "jawLeft": 1.0})))
    assert moved.any()
    assert not moved[:40, :40].any()
    assert not moved[:40, -40:].any()


def test_a_blink_covers_the_eye(warp: WarpGenerator) -> None:
    for identity in (calm(), smiling()):
        eye = eye_area(identity)
        photo, shut = identity.frame.rgb, whole(draw(warp, ask(identity, SHUT, aperture=0.0)))
        skin = photo[around(identity, (253, 254, 450, 451))].mean(axis=0)

        def unlike_skin(
            picture: Picture, eye: npt.NDArray[np.bool_] = eye, skin: npt.NDArray[np.float64] = skin
        ) -> float:
            return float(np.abs(picture[eye] - skin).mean())

        assert unlike_skin(shut) < 0.7 * unlike_skin(photo)  # lashes and crease remain


@pytest.mark.parametrize(
    ("look", "way"),
    [
        ({"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}, +1),
        ({"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0}, -1),
    ],
)
def test_gaze_moves_the_iris_the_right_way(
    warp: WarpGenerator, look: dict[str, float], way: int
) -> None:
    identity = calm()
    eye = eye_area(identity)
    columns = np.broadcast_to(np.arange(eye.shape[1]), eye.shape)

    def iris(picture: Picture) -> float:
        darkness = np.where(eye, np.maximum(120.0 - picture.mean(axis=2), 0), 0)
        return float((darkness * columns).sum() / darkness.sum())

    before, after = iris(identity.frame.rgb), iris(whole(draw(warp, ask(identity, look))))
    assert way * (after - before) > 1.5  # the person's left is the picture's right


def test_eyes_that_look_aside_in_the_photo_turn_no_further_than_eyes_turn(
    warp: WarpGenerator,
) -> None:
    look = ask(calm(), {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0})
    photo = whole(draw(warp, look))
    aside = replace(calm(), frame=replace(calm().frame, rgb=photo), face=Face(points=look.points))
    eye = eye_area(aside)
    points = look.points.copy()
    points[list(landmarks.LEFT_IRIS), 0] += 0.2 * np.ptp(np.flatnonzero(eye.any(axis=0)))
    further = whole(draw(warp, replace(look, identity=aside, points=points)))

    def dark(picture: Picture) -> float:
        return float(np.where(eye, np.maximum(90.0 - picture.mean(axis=2), 0), 0).sum())

    assert dark(further) > 0.6 * dark(photo)


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


@pytest.mark.parametrize("grey", [False, True])
def test_teeth_of_ones_own_are_kept_and_a_mere_gap_is_not(warp: WarpGenerator, grey: bool) -> None:
    toothy = smiling()
    if grey:
        flat = cv2.cvtColor(toothy.frame.rgb, cv2.COLOR_RGB2GRAY)
        toothy = replace(toothy, frame=replace(toothy.frame, rgb=np.dstack([flat] * 3)))
    rgb = toothy.frame.rgb.copy()
    rgb[around(toothy, landmarks.LIPS_INNER_UPPER + landmarks.LIPS_INNER_LOWER[::-1])] //= 5
    toothless = replace(toothy, frame=replace(toothy.frame, rgb=rgb))
    for identity, follows in ((toothy, False), (toothless, True)):
        alone, driven = (
            whole(draw(warp, ask(identity, {"jawOpen": 0.4}, driving=d))).astype(int)
            for d in (None, seen(smiling()))
        )
        assert bool((np.abs(alone - driven).max(axis=2) > 12).sum() > 60) == follows


def test_a_tongue_comes_out_over_the_lower_lip(warp: WarpGenerator) -> None:
    with_tongue = ask(calm(), {"jawOpen": 0.4, "tongueOut": 1.0})
    face, without = (whole(draw(warp, r)) for r in (with_tongue, ask(calm(), {"jawOpen": 0.4})))
    apart = (face != without).any(axis=2)
    lowest = np.flatnonzero(apart.any(axis=1)).max()
    assert lowest > with_tongue.points[14, 1] + 0.1 * calm().face.eye_distance


def test_a_turned_head_stays_whole(warp: WarpGenerator) -> None:
    identity = calm()
    turn = HeadPose.rotation_of(12.0, 4.0, 3.0)
    pose = HeadPose(
        rotation=turn @ identity.pose.rotation,
        translation=identity.pose.translation,
        scale=identity.pose.scale,
    )
    face = draw(warp, ask(identity, pose=pose))
    assert changed(face).mean() > 0.1
    hair = identity.frame.rgb.reshape(-1, 3).min(axis=0)
    assert (face.rgb >= np.maximum(hair.astype(int) - 25, 0)).all()  # no hole, no ringing


SHAPES = sampled_from([n for n in blendshapes.NAMES if n != "tongueOut"])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(weights=dictionaries(SHAPES, floats(0.0, 1.0), max_size=5))
def test_hardly_a_triangle_folds_whatever_is_asked(weights: dict[str, float]) -> None:
    identity = calm()
    closing = min(weights.get("mouthClose", 0.0), weights.get("jawOpen", 0.0))
    weights |= {"mouthClose": closing}  # it undoes what the jaw opens, and means nothing alone
    displace = Displacer(identity, identity.face.points)
    moved = displace(ask(identity, weights))
    before = signed_areas(identity.face.points, topology().face)
    after = signed_areas(moved.points, topology().face)
    folded = -after[(after < 0) & (before > 0)].sum()
    assert folded < 0.002 * before[before > 0].sum()


def test_measured_lids_rule_over_the_mesh(warp: WarpGenerator) -> None:
    identity = calm()
    displace = Displacer(identity, identity.face.points)
    shut = displace(ask(identity, {}, aperture=0.0)).points
    up, low = list(landmarks.LEFT_EYE_UPPER[1:-1]), list(landmarks.LEFT_EYE_LOWER[1:-1])
    gap = np.abs(shut[low, 1] - shut[up, 1]).max()
    assert gap < 0.01 * identity.face.eye_distance


def test_lips_that_touch_by_measure_meet_in_the_mesh() -> None:
    identity = smiling()
    displace = Displacer(identity, identity.face.points)
    for weights in ({}, {"jawOpen": 0.1}):
        points = displace(ask(identity, weights, aperture=1.0, lip_gap=0.0)).points
        up, low = list(landmarks.LIPS_INNER_UPPER[2:-2]), list(landmarks.LIPS_INNER_LOWER[2:-2])
        assert np.abs(points[low, 1] - points[up, 1]).max() < 0.01 * identity.face.eye_distance


@pytest.mark.parametrize("said", ["mouthPucker", "mouthFrownLeft", "mouthSmileLeft"])
def test_the_crease_beside_a_corner_of_the_mouth_goes_with_it(said: str) -> None:
    identity = calm()
    moved = Displacer(identity, identity.face.points)(ask(identity, {said: 1.0})).expression
    corner, beside = moved[[291, 287]]
    assert abs(corner[1]) > 0.02 * identity.face.eye_distance
    assert beside[1] / corner[1] > 0.85
    if corner[0] < 0:  # this corner lies right in the picture: it goes inwards
        assert beside[0] / corner[0] > 0.8


@pytest.mark.parametrize("someone", [calm, smiling])
@pytest.mark.parametrize("also", [("mouthLeft",), ("mouthLowerDownLeft", "mouthLowerDownRight")])
def test_the_lower_lip_of_a_mouth_torn_open_keeps_its_body(
    someone: Callable[[], Identity], also: tuple[str, ...]
) -> None:
    points = someone().face.points[: landmarks.MESH_COUNT]
    displace = Displacer(someone(), someone().face.points)
    moved = displace(ask(someone(), {"jawOpen": 1.0, **dict.fromkeys(also, 0.9)})).points

    def thick(mesh: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        inner, outer = [88, 87, 14, 317, 318], [91, 84, 17, 314, 321]
        out: npt.NDArray[np.float32] = np.linalg.norm(mesh[inner, :2] - mesh[outer, :2], axis=1)
        return out

    assert (thick(moved) / thick(points)).min() > 0.35
    assert displace.folds(moved - points).sum() < 6


def placed(identity: Identity, right: float, down: float, *, scale: float = 1.0) -> HeadPose:
    """The photo's pose, moved by parts of the eye distance."""
    unit = identity.face.eye_distance
    return HeadPose(
        rotation=identity.pose.rotation,
        translation=identity.pose.translation + unit * np.array([right, down, 0.0]),
        scale=identity.pose.scale * scale,
    )


def test_the_hair_goes_with_a_head_that_moves(warp: WarpGenerator) -> None:
    identity = smiling()  # 61 pixels between the corners of the eyes, her hair half as much above
    out = whole(draw(warp, ask(identity, pose=placed(identity, 0.25, 0.0)))).astype(int)
    photo = identity.frame.rgb.astype(int)
    x, y = np.rint(identity.face.points[landmarks.FOREHEAD, :2]).astype(int)
    aside = round(0.25 * identity.face.eye_distance)
    hair = slice(y - 30, y - 8)
    before = photo[hair, x - 30 : x + 30]
    after = out[hair, x - 30 + aside : x + 30 + aside]
    stayed = out[hair, x - 30 : x + 30]
    assert np.abs(after - before).mean() < 0.4 * np.abs(stayed - before).mean()


@pytest.mark.parametrize("pose", [(0.3, 0.0, 1.0), (0.0, 0.3, 0.85), (-0.3, -0.3, 1.1)])
def test_nothing_is_drawn_in_from_beyond_the_photo(
    warp: WarpGenerator, pose: tuple[float, float, float]
) -> None:
    """A frame painted along the photo's edge neither shows twice nor is torn from it."""
    identity = calm()
    right, down, scale = pose
    rgb = identity.frame.rgb.copy()
    for edge in (np.s_[:1], np.s_[-1:], np.s_[:, :1], np.s_[:, -1:]):
        rgb[edge] = (255, 0, 255)
    framed = replace(identity, frame=replace(identity.frame, rgb=rgb))
    out = whole(draw(warp, ask(framed, pose=placed(framed, right, down, scale=scale))))
    painted = (out == (255, 0, 255)).all(axis=2)
    inside = painted[8:-8, 8:-8]
    assert not inside.any()


def test_points_at_odds_with_each_other_are_made_to_agree() -> None:
    identity = calm()
    displace = Displacer(identity, identity.face.points)
    noise = np.random.default_rng(7).normal(0, 0.02 * identity.face.eye_distance, (468, 3))
    moved = noise.astype(np.float32)
    before, after = (int(displace.folds(m).sum()) for m in (moved, displace.unfolded(moved)))
    assert before > 40
    assert after <= 2


def test_a_grey_photo_stays_grey(warp: WarpGenerator) -> None:
    identity = calm()
    grey = np.repeat(identity.frame.rgb.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    photo = replace(identity, frame=replace(identity.frame, rgb=grey))
    for driving in (None, seen(smiling())):
        face = draw(warp, ask(photo, {"jawOpen": 0.9, **SHUT}, driving=driving)).rgb.astype(int)
        assert (face.max(axis=2) - face.min(axis=2)).max() <= 4


def test_driving_lips_inside_the_opening_take_the_colour_of_the_photos_lips() -> None:
    driver, lip, own = smiling(), np.array([190, 90, 90], np.float32), (120, 90, 60)
    outline = landmarks.LIPS_OUTER_UPPER + landmarks.LIPS_OUTER_LOWER[::-1]
    rgb = driver.frame.rgb.copy()
    rgb[around(driver, outline)] = lip.astype(np.uint8)
    mouth = rims_of(driver.face.points, MOUTH)
    hole = Hole.between(mouth, rgb.shape)
    assert hole is not None
    tones = Tones(skin=np.array([180, 150, 130], np.float32), lip=np.array(own, np.float32))

    def inside(rgb: Picture, *, deep: bool = False) -> npt.NDArray[np.float32]:
        drawn = inside_of(
            rgb, driver.face, white=None, tones=tones, tooth=np.array([210, 200, 180], np.float32),
            box=hole.box, now=hole.rims, depth=hole.depth,
        )  # fmt: skip
        share = hole.depth / hole.rims.width
        where = share > 0.1 if deep else (hole.depth > 0.5) & (share < 0.05)
        shown: npt.NDArray[np.float32] = drawn[where]
        return shown

    assert np.abs(inside(rgb) - own).max() < 3
    assert np.abs(inside(rgb, deep=True) - own).min() > 10  # a tongue as red as lips is none
    teeth = rgb.copy()
    teeth[around(driver, landmarks.LIPS_INNER_UPPER + landmarks.LIPS_INNER_LOWER[::-1])] = 230
    seen = np.median(inside(teeth), axis=0)
    assert seen.max() - seen.min() < 40  # teeth stay teeth


def test_what_is_pale_deep_in_the_mouth_is_a_tongue() -> None:
    driver, blue = smiling(), np.array([120, 120, 240], np.float32)
    rgb = driver.frame.rgb.copy()
    rgb[around(driver, landmarks.LIPS_INNER_UPPER + landmarks.LIPS_INNER_LOWER[::-1])] = 190
    hole = Hole.between(rims_of(driver.face.points, MOUTH), rgb.shape)
    assert hole is not None
    middle = hole.depth == hole.depth.max()

    def blueness(depth: float) -> float:
        inside = inside_of(
            rgb, driver.face, white=None, tones=Tones.of(rgb, driver.face.points, None),
            tooth=blue, box=hole.box, now=hole.rims,
            depth=np.full_like(hole.depth, depth * hole.rims.width),
        )  # fmt: skip
        red, _, blue_ = inside[middle].mean(axis=0)
        return float(blue_ - red)

    assert blueness(0.1) > 40
    assert abs(blueness(0.35)) < 5
