"""The inside of a driving mouth in the light of a photo."""

from __future__ import annotations

import numpy as np
import pytest

from retarget.flow.arrays import Floats
from retarget.generate.warp.mouth.driving_light import Light
from retarget.generate.warp.palette import LUMA, Palette, luma
from retarget.generate.warp.tones import Tones, teeth_in


def rgb(*values: float) -> Floats:
    """One colour."""
    return np.array(values, np.float32)


SHADED = Tones(skin=rgb(170, 116, 103), lip=rgb(172, 108, 106), white=rgb(112, 79, 73))
"""A driving face whose laughing eyes show white in warm shade only."""
TOOTH, TONGUE = rgb(180, 155, 137), rgb(134, 80, 79)
"""What it has in its mouth."""
PHOTO = Tones(skin=rgb(210, 153, 123), lip=rgb(190, 95, 95), white=rgb(172, 160, 152))
DRAWN = Palette.of(PHOTO.skin, PHOTO.lip, rgb(172, 160, 152)).tooth


def on_teeth(light: Light, *colours: Floats) -> Floats:
    """(n, 3) teeth of these colours, as they are drawn."""
    drawn = light.on_teeth(
        np.array([colours]).astype(np.uint8), np.ones((1, len(colours)), np.float32)
    )
    return np.asarray(drawn[0], np.float32)


def test_teeth_keep_the_shade_that_lies_between_them() -> None:
    """Compressed below the brightest that they may be, they would merge into a slab."""
    shades = np.linspace(0.85, 1.12, 40)
    drawn = on_teeth(Light.between(SHADED, PHOTO, DRAWN), *(TOOTH * np.float32(k) for k in shades))
    kept = np.std(np.log(drawn @ LUMA)) / np.std(np.log(shades))
    assert 0.85 < kept < 1.1


def test_the_white_of_shaded_eyes_does_not_turn_a_tongue_grey() -> None:
    drawn = Light.between(SHADED, PHOTO, DRAWN)(TONGUE[None, None].astype(np.uint8))[0, 0]
    assert drawn[0] / drawn[1] > 0.85 * TONGUE[0] / TONGUE[1]
    assert drawn[0] / drawn[2] > 0.85 * TONGUE[0] / TONGUE[2]


def test_teeth_beside_bright_ones_of_ones_own_are_as_bright() -> None:
    own = rgb(229, 228, 218)
    photo = Tones(skin=rgb(193, 134, 104), lip=rgb(170, 120, 105), tooth=own)
    drawn = on_teeth(Light.between(SHADED, photo, own), TOOTH)[0]
    assert luma(drawn) > 0.9 * luma(own)
    assert drawn / luma(drawn) == pytest.approx(own / luma(own), abs=0.05)


def test_gloss_on_teeth_is_not_bluer_than_they_are() -> None:
    gloss = rgb(200, 196, 200)
    drawn = on_teeth(Light.between(SHADED, PHOTO, DRAWN), gloss)[0]
    assert drawn[2] / drawn[0] <= 1.01 * DRAWN[2] / DRAWN[0]


def test_a_tongue_in_the_light_is_not_taken_for_teeth() -> None:
    """It is paler than lips, though less so than teeth that are as dark."""
    face = Tones(skin=rgb(182, 132, 118), lip=rgb(132, 64, 66), white=rgb(173, 151, 148))
    tongue, lit, shaded = rgb(147, 93, 97), rgb(195, 160, 152), rgb(129, 98, 92)
    share = teeth_in(np.array([[tongue, lit, shaded]]), face)[0]
    assert share[0] < 0.2
    assert share[1] > 0.9
    assert share[2] > 0.6


def test_teeth_in_warm_light_are_not_green_beside_skin() -> None:
    """Their green is no nearer to their red than to their blue in most photos."""
    red, green, blue = Palette.of(rgb(147, 92, 81), rgb(115, 65, 60), rgb(120, 76, 70)).tooth
    assert blue + 0.3 * (red - blue) < green < blue + 0.45 * (red - blue)
