"""Eyes that the photo does not show: nothing of them is drawn on what hides them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from asked import ask, calm, smiling
from drawn import Picture, draw, whole
from eyewear import LENS, in_sunglasses, lenses

from retarget.flow.values import Identity
from retarget.generate.warp.eyes.unseen_eyes import unseen_eyes
from retarget.generate.warp.warp import WarpGenerator


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
    warp: WarpGenerator, who: Callable[[], Identity], does: dict[str, float]
) -> None:
    hidden = in_sunglasses(who())
    drawn = whole(draw(warp, ask(hidden, does)))
    off = np.abs(drawn.astype(int) - hidden.frame.rgb).max(axis=2)
    assert off[lenses(hidden, 0.6)].max() <= 3


def darker(picture: Picture, share: float) -> Picture:
    return np.rint(share * picture.astype(np.float32)).astype(np.uint8)


@pytest.mark.parametrize("who", [calm, smiling])
def test_eyes_in_a_hats_shadow_and_in_a_dim_photo_are_seen(who: Callable[[], Identity]) -> None:
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
