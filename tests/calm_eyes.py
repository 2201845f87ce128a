"""The calm face with its eyes painted anew, and what is drawn of it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from asked import ask, calm
from drawn import Picture, draw, whole

from retarget.flow.arrays import Floats
from retarget.flow.values import Identity
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.rims import LEFT_EYE, Rims, rims_of
from retarget.generate.warp.warp import WarpGenerator


def lids() -> Rims:
    return rims_of(calm().face.points, LEFT_EYE)


def repainted(rgb: Picture) -> Identity:
    return replace(calm(), frame=replace(calm().frame, rgb=rgb))


def shut(identity: Identity, *, seen: bool = True) -> Picture:
    """The whole photo with eyes that shut, as was seen or said."""
    blink = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
    return drawn_again(identity, blink, aperture=0.0 if seen else None)


def drawn_again(
    identity: Identity, weights: dict[str, float], aperture: float | None = None
) -> Picture:
    """The whole photo doing something else."""
    return whole(draw(WarpGenerator(WarpSettings()), ask(identity, weights, aperture=aperture)))


def with_rim(rim: Floats, colour: tuple[int, int, int]) -> Picture:
    rgb = calm().frame.rgb.copy()
    cv2.polylines(rgb, [np.rint(rim).astype(np.int32)], False, colour, 7, cv2.LINE_AA)
    return rgb
