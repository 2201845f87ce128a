"""Gaze, and the position of irises on a mesh.

The iris lies on an eyeball of constant size whose centre lies behind the middle of the corners of
the eye. Angles are (2, 2) degrees relative to the head: rows left and right eye, columns yaw
(positive to the person's left) and pitch (positive up).
"""

from __future__ import annotations

import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Doubles, Reals

EYEBALL = 0.135
"""Radius of an eyeball in head units (12 mm)."""
GAZE_DEGREES = {"Up": 25.0, "Down": 25.0, "In": 32.0, "Out": 32.0}
"""How far an eye has turned when its eyeLook weight is 1."""
_EYES = (
    (landmarks.LEFT_EYE_UPPER, landmarks.LEFT_IRIS),
    (landmarks.RIGHT_EYE_UPPER, landmarks.RIGHT_IRIS),
)


def read_gaze(head: Reals) -> Doubles:
    """(2, 2) degrees, from a mesh (478, 3) in the head frame."""
    turned = off_middle(head) * (1.0, -1.0) / EYEBALL
    return np.asarray(np.degrees(np.arcsin(np.clip(turned, -0.95, 0.95))))


def said_gaze(weights: Reals) -> Doubles:
    """(2, 2) degrees of the eyeLook weights among (52,) weights."""
    left, right = (
        {way: most * weights[blendshapes.INDEX[f"eyeLook{way}{side}"]]
         for way, most in GAZE_DEGREES.items()}
        for side in ("Left", "Right")
    )  # fmt: skip
    return np.array([
        [left["Out"] - left["In"], left["Up"] - left["Down"]],
        [right["In"] - right["Out"], right["Up"] - right["Down"]],
    ])  # fmt: skip


def off_middle(head: Reals) -> Doubles:
    """(2, 2) head units, right and down in the picture, from the middle of each eye to its iris."""
    return np.array([
        (head[iris[0]] - (head[lid[0]] + head[lid[-1]]) / 2)[:2] for lid, iris in _EYES
    ])  # fmt: skip


def carried(degrees: Reals) -> Doubles:
    """(2, 2) head units, right and down in the picture, by which a gaze moves the two irises."""
    return np.asarray(EYEBALL * np.sin(np.radians(degrees)) * (1.0, -1.0))


def move_irises(head: Reals, by: Reals) -> None:
    """Move the left and the right iris of a mesh (478, 3), in place, by (2, 2) head units."""
    for (_, iris), step in zip(_EYES, by, strict=True):
        head[list(iris), :2] += step
