"""Glasses: their rims stay rigid before a face that moves, and nothing else is taken for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm, smiling
from drawn import Picture, around, draw, whole
from eyewear import in_glasses, in_sunglasses, lenses, repainted, rims

from retarget.flow import landmarks
from retarget.flow.values import HeadPose, Identity
from retarget.generate.warp.eyes.unseen_eyes import unseen_eyes
from retarget.generate.warp.glasses.glasses import Glasses
from retarget.generate.warp.glasses.glasses_seen import glasses_seen
from retarget.generate.warp.rims import LEFT_EYE, RIGHT_EYE, rims_of
from retarget.generate.warp.warp import WarpGenerator

RAISED = {"browInnerUp": 1.0, "browOuterUpLeft": 1.0, "browOuterUpRight": 1.0}
SQUINTED = {"eyeSquintLeft": 1.0, "eyeSquintRight": 1.0, "cheekSquintLeft": 1.0, "jawOpen": 0.4}
SHUT = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}


def off(drawn: Picture, photo: Picture) -> npt.NDArray[np.int64]:
    return np.abs(drawn.astype(np.int64) - photo).max(axis=2)


def seen(identity: Identity) -> bool:
    rgb, points = identity.frame.rgb, identity.face.points
    return glasses_seen(rgb, points, identity.pose, unseen_eyes(rgb, points)) is not None


@pytest.mark.parametrize("does", [RAISED, SQUINTED, SHUT])
@pytest.mark.parametrize("who", [calm, smiling])
def test_a_rim_does_not_bend_with_the_skin_behind_it(
    warp: WarpGenerator, who: Callable[[], Identity], does: dict[str, float]
) -> None:
    wearer = in_glasses(who())
    drawn = whole(draw(warp, ask(wearer, does)))
    changed = off(drawn, wearer.frame.rgb)
    assert changed.max() > 60
    assert np.percentile(changed[rims(wearer)], 95) < 40


def test_no_second_rim_is_left_on_the_skin_that_moved(warp: WarpGenerator) -> None:
    wearer = in_glasses(smiling())
    bare, worn = (whole(draw(warp, ask(who, RAISED))).astype(int) for who in (smiling(), wearer))
    beside = ~cv2.dilate(rims(wearer).astype(np.uint8), np.ones((3, 3))).astype(bool)
    darker = (bare - worn).min(axis=2) > 45
    assert (darker & beside).sum() < 0.05 * rims(wearer).sum()


def test_what_a_lens_reflects_stays_in_it(warp: WarpGenerator) -> None:
    wearer, shine = in_glasses(calm()), np.zeros(calm().frame.rgb.shape[:2], np.uint8)
    for eye in (RIGHT_EYE, LEFT_EYE):
        lids = rims_of(calm().face.points, eye)
        x, y = np.rint(lids.middle_of_corners + 0.6 * lids.width * lids.down).astype(int).tolist()
        cv2.ellipse(shine, (x, y), (10, 4), 0, 0, 360, (1,), -1)
    rgb = wearer.frame.rgb.copy()
    rgb[shine > 0] = (250, 252, 255)
    drawn = whole(draw(warp, ask(repainted(wearer, rgb), SQUINTED))).astype(int)
    plain = whole(draw(warp, ask(wearer, SQUINTED)))
    assert (drawn[shine > 0] > 200).mean() > 0.85
    near = cv2.dilate(shine, np.ones((5, 5), np.uint8)) > 0
    assert ((drawn - plain).min(axis=2)[~near] > 40).sum() < 0.1 * shine.sum()


def test_eyes_shut_behind_clear_lenses(warp: WarpGenerator) -> None:
    eye = around(calm(), (*landmarks.LEFT_EYE_UPPER, *landmarks.LEFT_EYE_LOWER[-2:0:-1]))
    bare, worn = (whole(draw(warp, ask(who, SHUT))) for who in (calm(), in_glasses(calm())))
    assert off(worn, bare)[eye].mean() < 0.2 * off(bare, calm().frame.rgb)[eye].mean()


def test_glasses_go_where_the_head_goes(warp: WarpGenerator) -> None:
    wearer = in_glasses(calm())
    pose = wearer.pose
    moved = replace(pose, translation=pose.translation + np.array([7.0, -4.0, 0.0]))
    drawn = whole(draw(warp, ask(wearer, RAISED, pose=moved)))
    there = np.roll(rims(wearer), (-4, 7), axis=(0, 1))
    photo = np.roll(wearer.frame.rgb, (-4, 7), axis=(0, 1))
    assert np.percentile(off(drawn, photo)[there], 95) < 12


def test_glasses_laid_back_over_the_face_they_were_lifted_off_give_the_photo() -> None:
    wearer = in_glasses(smiling())
    rgb, points = wearer.frame.rgb, wearer.face.points
    found = glasses_seen(rgb, points, wearer.pose, (False, False))
    assert found is not None
    glasses = Glasses(rgb, found, [rims_of(points, eye) for eye in (RIGHT_EYE, LEFT_EYE)])
    out = glasses.bare.copy()
    assert off(out, rgb)[rims(wearer)].mean() > 40
    for place in (None, np.eye(2, 3)):
        out = glasses.bare.copy()
        glasses.lay_over(out, place)
        np.testing.assert_array_equal(out, rgb)


@pytest.mark.parametrize("who", [calm, smiling])
def test_a_dark_lens_keeps_its_form_under_raised_brows(
    warp: WarpGenerator, who: Callable[[], Identity]
) -> None:
    hidden = in_sunglasses(who())
    changed = off(whole(draw(warp, ask(hidden, RAISED))), hidden.frame.rgb)
    assert changed[lenses(hidden, 0.82)].max() <= 3


def lined(identity: Identity, lines: list[tuple[int, ...]], tone: tuple[int, int, int]) -> Identity:
    """Someone with lines painted between points of the mesh."""
    rgb = identity.frame.rgb.copy()
    thick = max(1, round(0.02 * identity.face.eye_distance))
    for line in lines:
        points = np.rint(identity.face.points[list(line), :2]).astype(np.int32)
        cv2.polylines(rgb, [points], False, tone, thick, cv2.LINE_AA)
    return repainted(identity, rgb)


BAGS = [(130, 25, 110, 24, 23, 22, 26, 112), (359, 255, 339, 254, 253, 252, 256, 341)]
BROWS = [landmarks.RIGHT_BROW[:5], landmarks.LEFT_BROW[:5]]
STRANDS = [(109, 107, 55, 193, 244, 232, 119, 205), (338, 336, 285, 417, 464, 452, 348, 425)]
FROWN = [(107, 55, 193), (336, 285, 417), (55, 8, 285)]


@pytest.mark.parametrize("lines", [[], BAGS, BROWS, STRANDS, FROWN, BROWS + BAGS[:1] + FROWN])
@pytest.mark.parametrize("who", [calm, smiling])
def test_brows_bags_strands_and_frowns_are_no_glasses(
    who: Callable[[], Identity], lines: list[tuple[int, ...]]
) -> None:
    assert not seen(lined(who(), lines, (60, 40, 35)))


@pytest.mark.parametrize("who", [calm, smiling])
def test_noise_and_a_single_lens_are_no_glasses(who: Callable[[], Identity]) -> None:
    rgb = who().frame.rgb
    noise = np.random.default_rng(1).normal(0, 20, rgb.shape)
    assert not seen(repainted(who(), np.clip(rgb + noise, 0, 255).astype(np.uint8)))
    one = rims(who()) & (np.arange(rgb.shape[1]) < who().face.points[landmarks.NOSE_BRIDGE, 0])
    lens = rgb.copy()
    lens[one] = (40, 32, 30)
    assert not seen(repainted(who(), lens))


@pytest.mark.parametrize("turn", [(20.0, 0.0, 0.0), (0.0, 10.0, 15.0)])
def test_rims_are_seen_however_the_picture_is_turned(turn: tuple[float, float, float]) -> None:
    wearer = in_glasses(calm())
    assert seen(wearer)
    yaw, pitch, roll = turn
    rotation = HeadPose.rotation_of(yaw, pitch, roll)
    middle = wearer.face.points[landmarks.NOSE_BRIDGE]
    place = np.hstack([rotation[:2, :2], (middle - rotation @ middle)[:2, None]])
    size = wearer.frame.size
    rgb = cv2.warpAffine(wearer.frame.rgb, place, size, borderMode=cv2.BORDER_REPLICATE)
    points = ((wearer.face.points - middle) @ rotation.T + middle).astype(np.float32)
    pose = replace(wearer.pose, rotation=rotation @ wearer.pose.rotation)
    assert glasses_seen(rgb, points, pose, (False, False)) is not None
