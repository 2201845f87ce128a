"""Faces drawn by moving a photo's pixels: what moves, what does not, and how it looks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm, in_mirror, on_its_side, smiling
from drawn import Picture, around, draw, seen, whole
from outside import mesh_points

from retarget.flow import blendshapes, landmarks
from retarget.flow.values import (
    Face,
    GeneratedFace,
    HeadPose,
    Identity,
)
from retarget.generate.warp.rims import LEFT_EYE, RIGHT_EYE, rims_of
from retarget.generate.warp.warp import WarpGenerator

SHUT = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}


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


@mesh_points
@pytest.mark.parametrize(
    "does",
    [
        {"mouthSmileLeft": 0.8, "browOuterUpLeft": 0.9, "noseSneerRight": 0.8},
        {"jawOpen": 0.5, "jawLeft": 0.4, "eyeLookOutLeft": 0.7, "eyeLookInRight": 0.7},
        {"jawOpen": 0.4, "tongueOut": 1.0, "eyeBlinkLeft": 1.0, "mouthStretchRight": 0.6},
    ],
)
def test_a_mirrored_photo_that_does_the_opposite_is_the_mirrored_picture(
    warp: WarpGenerator, does: dict[str, float]
) -> None:
    opposite = {blendshapes.mirrored(name): value for name, value in does.items()}
    asked = ask(calm(), does), ask(in_mirror(calm()), opposite)
    here, there = (whole(draw(warp, request)) for request in asked)
    off = np.abs(here.astype(int) - there[:, ::-1]).max(axis=2)
    moved = np.abs(here.astype(int) - calm().frame.rgb).max(axis=2)
    assert (off > 8).sum() < 0.002 * (moved > 8).sum()


@pytest.mark.parametrize("way", [(-1, 0), (1, 0), (0, -1), (0, 1)])
def test_an_iris_that_is_asked_too_far_goes_as_far_as_eyes_turn(
    warp: WarpGenerator, way: tuple[int, int]
) -> None:
    request = ask(calm())
    pictures = []
    for widths in (0.05, 0.4, 0.6):
        points = request.points.copy()
        for opening, iris in (
            (LEFT_EYE, landmarks.LEFT_IRIS), (RIGHT_EYE, landmarks.RIGHT_IRIS),
        ):  # fmt: skip
            eye = rims_of(points, opening)
            points[list(iris), :2] += widths * eye.width * (way[0] * eye.along + way[1] * eye.down)
        pictures.append(whole(draw(warp, replace(request, points=points))).astype(int))
    little, far, farther = pictures
    assert np.abs(far - little).max() > 30
    assert np.abs(far - farther).max() <= 2


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_an_eye_that_turns_alone_is_that_eye(warp: WarpGenerator, side: str) -> None:
    moved = changed(draw(warp, ask(calm(), {f"eyeLookIn{side}": 0.7})))
    rims = {
        "Left": (landmarks.LEFT_EYE_UPPER, landmarks.LEFT_EYE_LOWER),
        "Right": (landmarks.RIGHT_EYE_UPPER, landmarks.RIGHT_EYE_LOWER),
    }
    for name, (upper, lower) in rims.items():
        inside = around(calm(), (*upper, *lower[-2:0:-1]))
        assert (moved[inside].mean() > 0.2) == (name == side)
        assert name == side or not moved[inside].any()


@pytest.mark.parametrize(
    "does",
    [
        {"jawOpen": 0.6, "eyeLookOutLeft": 0.6, "eyeLookInRight": 0.6},
        {"jawOpen": 0.5, "tongueOut": 1.0},
        {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 0.6, "browInnerUp": 0.8},
        {"eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5},
    ],
)
def test_a_photo_that_lies_on_its_side_does_the_same(
    warp: WarpGenerator, does: dict[str, float]
) -> None:
    """Light that falls from above and eyes that look aside go with the face."""
    upright, lying = (whole(draw(warp, ask(who, does))) for who in (calm(), on_its_side(calm())))
    off = np.abs(upright.astype(int) - np.rot90(lying)).max(axis=2)
    moved = np.abs(upright.astype(int) - calm().frame.rgb).max(axis=2)
    assert (off > 20).sum() < 0.006 * (moved > 8).sum()


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
            return float(np.median(np.abs(picture[eye] - skin)))

        assert unlike_skin(shut) < 0.7 * unlike_skin(photo)  # save along the lashes


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


def test_a_grey_photo_stays_grey(warp: WarpGenerator) -> None:
    identity = calm()
    grey = np.repeat(identity.frame.rgb.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    photo = replace(identity, frame=replace(identity.frame, rgb=grey))
    for driving in (None, seen(smiling())):
        face = draw(warp, ask(photo, {"jawOpen": 0.9, **SHUT}, driving=driving)).rgb.astype(int)
        assert (face.max(axis=2) - face.min(axis=2)).max() <= 4
