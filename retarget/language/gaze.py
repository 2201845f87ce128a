"""Directions in degrees: where the eyes look and where the head points.

Left and right are the person's own, as everywhere; up is positive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from retarget.errors import RetargetError, UnknownWord
from retarget.flow import blendshapes
from retarget.flow.arrays import Floats
from retarget.flow.gaze import GAZE_DEGREES

_AXES: Mapping[str, tuple[int, float]] = {
    "yaw": (0, 1.0),
    "left": (0, 1.0),
    "right": (0, -1.0),
    "pitch": (1, 1.0),
    "up": (1, 1.0),
    "down": (1, -1.0),
    "roll": (2, 1.0),
    "lean_left": (2, 1.0),
    "lean_right": (2, -1.0),
}
"""Word → index into (yaw, pitch, roll), and sign."""
_LIMITS: Mapping[str, tuple[float, ...]] = {
    "gaze": (GAZE_DEGREES["Out"], GAZE_DEGREES["Up"]),
    "head": (45.0, 30.0, 45.0),
}
"""The largest degrees that are accepted; a photo may show less."""


def degrees(what: str, given: Sequence[tuple[str, float]]) -> tuple[float, float, float]:
    """(yaw, pitch, roll) from `gaze(…)` or `head(…)`.

    Args:
        what: gaze or head.
        given: (word, degrees) in order; an empty word stands for the axis at its index.

    Raises:
        UnknownWord: a word is not a direction.
        RetargetError: a direction is given twice, or beyond what an eye or a neck can do.
    """
    limits = _LIMITS[what]
    out: dict[int, float] = {}
    for place, (word, value) in enumerate(given):
        axis, sign = _axis(what, word, place)
        if axis in out:
            raise RetargetError(
                f"{what}(…) gives the same direction twice.", do="Give each direction once."
            )
        if abs(value) > limits[axis]:
            raise RetargetError(
                f"{what}(…) asks for {abs(value):g} degrees, and {limits[axis]:g} are the most.",
                do="Use a smaller angle.",
            )
        out[axis] = sign * value
    return out.get(0, 0.0), out.get(1, 0.0), out.get(2, 0.0)


def _axis(what: str, word: str, place: int) -> tuple[int, float]:
    axes = len(_LIMITS[what])
    if not word:
        if place >= axes:
            raise RetargetError(f"{what}(…) takes {axes} angles.", do="Leave out the rest.")
        return place, 1.0
    known = [name for name, (axis, _) in _AXES.items() if axis < axes]
    if word not in known:
        raise UnknownWord("direction", word, known)
    return _AXES[word]


def weights(yaw: float, pitch: float) -> Floats:
    """(52,) eyeLook weights that turn both eyes to the person's left by `yaw`, up by `pitch`."""
    left, right, up, down = max(yaw, 0.0), max(-yaw, 0.0), max(pitch, 0.0), max(-pitch, 0.0)
    return blendshapes.weights(
        {
            "eyeLookOutLeft": left / GAZE_DEGREES["Out"],
            "eyeLookInRight": left / GAZE_DEGREES["In"],
            "eyeLookInLeft": right / GAZE_DEGREES["In"],
            "eyeLookOutRight": right / GAZE_DEGREES["Out"],
            "eyeLookUpLeft": up / GAZE_DEGREES["Up"],
            "eyeLookUpRight": up / GAZE_DEGREES["Up"],
            "eyeLookDownLeft": down / GAZE_DEGREES["Down"],
            "eyeLookDownRight": down / GAZE_DEGREES["Down"],
        }
    )
