"""The 52 ARKit blendshapes: their names, their order, their mirror images and their regions.

The order is alphabetical, which is MediaPipe's own order without its `_neutral` and with ARKit's
`tongueOut` at the end. Left and right are the person's own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from retarget.errors import UnknownWord
from retarget.flow.arrays import Floats, Reals

NAMES: tuple[str, ...] = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft",
    "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft",
    "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
COUNT = len(NAMES)
INDEX: Mapping[str, int] = {name: i for i, name in enumerate(NAMES)}

REGIONS: tuple[str, ...] = ("brows", "eyes", "gaze", "mouth", "jaw", "head")
"""What a gain can be given for. `head` is the pose and has no blendshape."""

_REGION_OF_PREFIX = {"brow": "brows", "eyeLook": "gaze", "eye": "eyes", "jaw": "jaw"}


def region(name: str) -> str:
    """The region (one of `REGIONS`) whose gain a blendshape follows."""
    for prefix, where in _REGION_OF_PREFIX.items():
        if name.startswith(prefix):
            return where
    return "mouth"


def index(name: str) -> int:
    """The place of a blendshape in every weight vector.

    Raises:
        UnknownWord: no blendshape is called that; the nearest name is offered.
    """
    try:
        return INDEX[name]
    except KeyError:
        raise UnknownWord("blendshape", name, NAMES) from None


def mirrored(name: str) -> str:
    """The same blendshape on the other side of the face; a two-sided one is its own mirror."""
    for side, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(side):
            return name[: -len(side)] + other
    return name


def weights(named: Mapping[str, float]) -> Floats:
    """A (52,) weight vector from names; everything not named is 0."""
    out = np.zeros(COUNT, np.float32)
    for name, value in named.items():
        out[index(name)] = value
    return out


def named(vector: Reals, above: float = 0.0) -> dict[str, float]:
    """The blendshapes of a (52,) vector that are larger than `above`, by name."""
    return {name: float(v) for name, v in zip(NAMES, vector, strict=True) if v > above}
