"""Eyes that the photo does not show: nothing of them is drawn on what hides them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm, smiling
from drawn import Picture, draw, whole

from retarget.flow.values import Identity
from retarget.generate.warp.rims import LEFT_EYE, RIGHT_EYE, rims_of
from retarget.generate.warp.unseen_eyes import unseen_eyes
from retarget.generate.warp.warp import WarpGenerator

LENS = (34, 30, 33)


def lenses(identity: Identity, size: float) -> npt.NDArray[np.bool_]:
    """(height, width) round lenses before both eyes, so many eye widths from middle to rim."""
    mask = np.zeros(identity.frame.rgb.shape[:2], np.uint8)
    for eye in (RIGHT_EYE, LEFT_EYE):
        rims = rims_of(identity.face.points, eye)
        x, y = rims.middle_of_corners + np.float32(0.1 * rims.width) * rims.down
        cv2.circle(mask, (round(float(x)), round(float(y))), round(size * rims.width), (1,), -1)
    return mask > 0


def in_sunglasses(identity: Identity, tone: tuple[int, int, int] = LENS) -> Identity:
    rgb = identity.frame.rgb.copy()
    rgb[lenses(identity, 0.85)] = tone
    return replace(identity, frame=replace(identity.frame, rgb=rgb))


@pytest.mark.parametrize(
    "does",
    [
        {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
        {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0},
        {"eyeWideLeft": 1.0, "eyeWideRight": 1.0, "eyeLookUpLeft": 0.8, "eyeLookUpRight": 0.8},
    ],
)
@pytest.mark.parametrize("who", [calm, smiling])
def test_nothing_of_an_eye_is_drawn_on_a_dark_lens(
    warp: WarpGenerator, who: type, does: dict[str, float]
) -> None:
    hidden = in_sunglasses(who())
    drawn = whole(draw(warp, ask(hidden, does)))
    off = np.abs(drawn.astype(int) - hidden.frame.rgb).max(axis=2)
    assert off[lenses(hidden, 0.6)].max() <= 3


def darker(picture: Picture, share: float) -> Picture:
    return np.rint(share * picture.astype(np.float32)).astype(np.uint8)


@pytest.mark.parametrize("who", [calm, smiling])
def test_eyes_in_a_hats_shadow_and_in_a_dim_photo_are_seen(who: type) -> None:
    rgb, points = who().frame.rgb, who().face.points
    shaded = rgb.copy()
    brim = int(points[[4, 50, 280], 1].min())
    shaded[:brim] = darker(shaded[:brim], 0.4)
    for picture in (rgb, shaded, darker(rgb, 0.15)):
        assert unseen_eyes(picture, points) == (False, False)


def test_each_eye_is_hidden_for_itself() -> None:
    rgb, points = calm().frame.rgb.copy(), calm().face.points
    left_half = np.arange(rgb.shape[1])[None] < points[168, 0]
    rgb[lenses(calm(), 0.85) & left_half] = LENS
    assert unseen_eyes(rgb, points) == (True, False)
