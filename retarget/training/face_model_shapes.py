"""The 52 blendshapes as sculpted by hand: what a few points of each do.

Each shape is a few handles (mesh points and their displacement in head units: x to the person's
left, y down, z away from the camera; one unit is about 90 mm) and how far the skin follows, in head
units along the skin. Directions follow the muscles of the action units behind each ARKit name
(Ekman & Friesen, Facial Action Coding System). Only the person's left is given; the right is its
mirror image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from retarget.flow import landmarks

Handles = dict[int, tuple[float, float, float]]

# Rows of the left half, from the corner of the mouth to its middle.
UPPER_ROWS = tuple(row[:4:-1] for row in landmarks.UPPER_LIP_ROWS)
LOWER_ROWS = tuple(row[:4:-1] for row in landmarks.LOWER_LIP_ROWS)
CORNER = tuple(row[0] for row in UPPER_ROWS)
_CHIN = (152, 377, 400, 378, 175, 396, 369, 199, 428, 262, 200, 421, 418)
_CHEEK = (425, 427, 411, 416, 434, 436, 432)
_CHEEKBONE = (330, 347, 346, 280, 352, 329, 348)
_ALAR = (358, 279, 429, 331, 294, 278)
UPPER_LID, LOWER_LID = landmarks.LEFT_EYE_UPPER, landmarks.LEFT_EYE_LOWER
CREASE = landmarks.LEFT_EYE_FOLD[1:-1]
UNDER_EYE = (255, 339, 254, 253, 252, 256, 341)
FROM_CORNER = (0.0, 0.35, 0.7, 0.9, 1.0, 1.0)
_SIDE_LIP = (0.3, 0.75, 1.0, 1.0, 0.7, 0.35)
_ASIDE = (0.80, 0.86, 0.92, 0.97, 1.0, 1.0, 0.97, 0.91, 0.83, 0.75, 0.68)
_ASIDE_UP = (-0.07, -0.07, -0.07, -0.05, -0.03, 0.0, 0.01, 0.04, 0.18, 0.29, 0.38)
"""How far lips that move to the left do so, and rise, from the right corner to the left one, which
is pushed up against the cheek."""


def row(
    ids: Sequence[int], to: tuple[float, float, float], profile: Sequence[float] | None = None
) -> Handles:
    """Points that all move by `to`, or by parts of it."""
    share = profile if profile is not None else [1.0] * len(ids)
    return {i: (to[0] * s, to[1] * s, to[2] * s) for i, s in zip(ids, share, strict=True)}


def rows(rows: Sequence[Sequence[int]], tos: Sequence[tuple[float, float, float]],
         profile: Sequence[float]) -> Handles:  # fmt: skip
    """Rows of points, each with its own displacement; `profile` is the part along a row."""
    out: Handles = {}
    for ids, to in zip(rows, tos, strict=True):
        out |= row(ids, to, profile)
    return out


def _lid(ids: Sequence[int], dy: float, dz: float = 0.0) -> Handles:
    """A lid rim moves most in its middle and not at the corners."""
    arch = np.sin(np.linspace(0.0, np.pi, len(ids))) ** 0.7
    return {i: (0.0, dy * a, dz * a) for i, a in zip(ids, arch, strict=True)}


def arch(ids: Sequence[int], dy: float) -> Handles:
    """Points that move up or down, most in the middle and a third as much at the ends."""
    share = 0.35 + 0.65 * np.sin(np.linspace(0.0, np.pi, len(ids)))
    return {i: (0.0, dy * a, 0.0) for i, a in zip(ids, share, strict=True)}


EYE_CORNERS: Handles = {263: (0, 0, 0), 362: (0, 0, 0)}
LOOK_LIDS: Mapping[str, Handles] = {
    "Down": _lid(UPPER_LID, 0.045) | _lid(LOWER_LID, 0.012) | arch(CREASE, 0.012),
    "Up": _lid(UPPER_LID, -0.022) | _lid(LOWER_LID, -0.012) | arch(CREASE, -0.008),
    "In": _lid(UPPER_LID, 0.0),
    "Out": _lid(UPPER_LID, 0.0),
}

ONE_SIDED: Mapping[str, tuple[Handles, float]] = {
    "browDown": (
        row((285, 336), (-0.022, 0.055, 0.0)) | row((295, 296), (-0.016, 0.055, 0.0))
        | row((282, 334), (-0.008, 0.042, 0.0)) | row((283, 293), (0.0, 0.022, 0.0))
        | row((276, 300), (0.0, 0.008, 0.0)) | arch(CREASE, 0.010) | _lid(UPPER_LID, 0.0),
        0.16,
    ),
    "browOuterUp": (
        row((276, 300), (0.0, -0.055, 0.0)) | row((283, 293), (0.0, -0.075, 0.0))
        | row((282, 334), (0.0, -0.060, 0.0)) | row((295, 296), (0.0, -0.025, 0.0))
        | row((285, 336), (0.0, -0.004, 0.0)) | arch(CREASE, -0.012) | _lid(UPPER_LID, -0.002),
        0.22,
    ),
    "cheekSquint": (
        row(_CHEEKBONE, (0.004, -0.045, -0.018)) | arch(UNDER_EYE, -0.030)
        | _lid(LOWER_LID, -0.018) | row((425, 411), (0.01, -0.02, -0.01)) | EYE_CORNERS,
        0.16,
    ),
    "eyeSquint": (
        _lid(LOWER_LID, -0.026) | arch(UNDER_EYE, -0.020) | _lid(UPPER_LID, 0.010), 0.10
    ),
    "eyeWide": (
        _lid(UPPER_LID, -0.032) | arch(CREASE, -0.020) | _lid(LOWER_LID, 0.006), 0.10
    ),
    "mouthDimple": (
        row(CORNER, (0.045, -0.004, 0.040)) | row((287,), (0.035, 0.0, 0.030))
        | row((409, 270, 375, 321), (0.022, 0.0, 0.012)) | row((0, 17), (0.004, 0.0, 0.0)),
        0.22,
    ),
    "mouthFrown": (
        row(CORNER, (0.004, 0.065, 0.010)) | row((287, 273), (0.006, 0.060, 0.008))
        | row((409, 408, 375, 307), (0.0, 0.038, 0.0)) | row((270, 321), (0.0, 0.016, 0.0))
        | row((410,), (0.0, 0.035, 0.0)) | row((0, 17, 13, 14), (0.0, -0.002, 0.0)),
        0.22,
    ),
    "mouth": (
        {i: (0.125 * aside, -0.125 * up, 0.0)
         for row in (*landmarks.UPPER_LIP_ROWS, *landmarks.LOWER_LIP_ROWS)
         for i, aside, up in zip(row, _ASIDE, _ASIDE_UP, strict=True)}
        | row((164, 18), (0.08, 0.0, 0.0)) | row((57, 43, 186), (0.075, 0.0, 0.0))
        | row((287, 273, 410), (0.065, -0.025, 0.02)),
        0.30,
    ),
    "mouthLowerDown": (
        rows(LOWER_ROWS, ((0.008, 0.065, 0.0),) * 4, (0.0, 0.5, 0.9, 1.0, 0.7, 0.4))
        | row(CORNER, (0.006, 0.008, 0.0)) | row(UPPER_ROWS[3][1:], (0.0, 0.0, 0.0)),
        0.18,
    ),
    "mouthPress": (
        rows(UPPER_ROWS, ((0.0, 0.012, 0.016), (0.0, 0.008, 0.018), (0.0, 0.004, 0.014),
                            (0.0, 0.0, 0.006)), _SIDE_LIP)
        | rows(LOWER_ROWS, ((0.0, -0.018, 0.016), (0.0, -0.012, 0.018), (0.0, -0.006, 0.014),
                              (0.0, 0.0, 0.006)), _SIDE_LIP)
        | row(CORNER, (0.012, -0.004, 0.016)) | row((_CHIN[0],), (0.0, -0.006, 0.0)),
        0.16,
    ),
    "mouthSmile": (
        row(CORNER, (0.085, -0.075, 0.050)) | row((287,), (0.085, -0.075, 0.05))
        | row((409, 408, 407, 415), (0.065, -0.048, 0.03))
        | row((375, 307, 325, 324), (0.065, -0.045, 0.03))
        | row((270, 304), (0.042, -0.022, 0.015)) | row((321, 320), (0.042, -0.020, 0.015))
        | row((0, 17, 13, 14), (0.0, -0.004, 0.008)) | row((425, 411), (0.03, -0.045, -0.012))
        | row((330, 280), (0.01, -0.028, -0.012)) | _lid(LOWER_LID, -0.006),
        0.30,
    ),
    "mouthStretch": (
        row(CORNER, (0.085, 0.025, 0.040)) | row((287,), (0.085, 0.03, 0.04))
        | row((409, 375), (0.058, 0.012, 0.02)) | row((270, 321), (0.034, 0.004, 0.010))
        | row((0, 17), (0.004, 0.0, 0.004)) | row((432, 434), (0.04, 0.03, 0.01)),
        0.30,
    ),
    "mouthUpperUp": (
        rows(UPPER_ROWS, ((0.004, -0.052, -0.004), (0.004, -0.052, -0.004),
                            (0.004, -0.052, 0.0), (0.004, -0.052, 0.0)),
              (0.05, 0.5, 0.9, 1.0, 0.7, 0.35))
        | row((358, 294), (0.006, -0.014, 0.0)) | row(LOWER_ROWS[3][1:], (0.0, 0.0, 0.0)),
        0.20,
    ),
    "noseSneer": (
        row(_ALAR, (0.010, -0.034, 0.0)) | row((420, 437, 355, 371), (0.0, -0.026, 0.0))
        | rows(UPPER_ROWS, ((0.0, -0.024, 0.0),) * 4, (0.1, 0.4, 0.8, 1.0, 0.6, 0.25))
        | row((285, 417), (-0.008, 0.018, 0.0)) | row((1, 4), (0.002, -0.006, 0.0))
        | row((341, 256), (0.0, -0.010, 0.0)) | row(LOWER_ROWS[3][1:], (0.0, 0.0, 0.0)),
        0.20,
    ),
}  # fmt: skip
"""Handles of the left shape, and reach; the `Sculptor` builds blink, gaze and jaw."""

TWO_SIDED: Mapping[str, tuple[Handles, float]] = {
    "browInnerUp": (
        row((285, 336), (0.004, -0.075, 0.0)) | row((295, 296), (0.002, -0.060, 0.0))
        | row((282, 334), (0.0, -0.030, 0.0)) | row((283, 293), (0.0, -0.008, 0.0))
        | row((276, 300), (0.0, 0.004, 0.0)) | row((9,), (0.0, -0.045, 0.0))
        | _lid(UPPER_LID, 0.0),
        0.20,
    ),
    "cheekPuff": (
        row(_CHEEK, (0.105, 0.0, -0.13)) | row((433, 376, 435, 367, 364), (0.095, 0.0, -0.09))
        | row((288, 397), (0.075, 0.0, -0.04)) | row((361, 365), (0.05, 0.0, -0.03))
        | row((430,), (0.07, 0.0, -0.05)) | row((287, 410), (0.035, 0.0, -0.07))
        | row(CORNER, (-0.006, 0.0, -0.02)) | row((322, 335), (0.008, 0.0, -0.045))
        | row((0, 17), (0.0, 0.0, -0.02)),
        0.24,
    ),
    "mouthFunnel": (
        rows(UPPER_ROWS, ((0.0, -0.028, -0.075), (0.0, -0.03, -0.085), (0.0, -0.032, -0.08),
                            (0.0, -0.034, -0.06)), (0.2, 0.6, 0.85, 0.95, 1.0, 1.0))
        | rows(LOWER_ROWS, ((0.0, 0.032, -0.070), (0.0, 0.036, -0.08), (0.0, 0.038, -0.075),
                              (0.0, 0.040, -0.06)), (0.2, 0.6, 0.85, 0.95, 1.0, 1.0))
        | row(CORNER, (-0.070, 0.002, -0.035)) | row((409, 375), (-0.052, 0.0, -0.05))
        | row((287,), (-0.045, 0.0, -0.02)),
        0.26,
    ),
    "mouthPucker": (
        row(CORNER, (-0.105, 0.002, -0.030)) | row((287,), (-0.065, 0.0, -0.015))
        | rows(tuple(r[1:] for r in UPPER_ROWS), ((-0.062, 0.004, -0.06),) * 4,
                (1.1, 0.85, 0.55, 0.28, 0.0))
        | rows(tuple(r[1:] for r in LOWER_ROWS), ((-0.062, -0.004, -0.06),) * 4,
                (1.1, 0.85, 0.55, 0.28, 0.0))
        | row((0, 11), (0.0, 0.0, -0.070)) | row((17, 16), (0.0, 0.0, -0.065))
        | row((12, 13, 14, 15), (0.0, 0.0, -0.06)),
        0.28,
    ),
    "mouthRollLower": (
        rows(LOWER_ROWS, ((0.0, -0.042, 0.022), (0.0, -0.034, 0.036), (0.0, -0.016, 0.034),
                            (0.0, -0.002, 0.024)), FROM_CORNER)
        | row(UPPER_ROWS[3][1:], (0.0, 0.0, 0.0)) | row((18, 313), (0.0, -0.016, 0.008)),
        0.16,
    ),
    "mouthRollUpper": (
        rows(UPPER_ROWS, ((0.0, 0.036, 0.022), (0.0, 0.028, 0.034), (0.0, 0.014, 0.032),
                            (0.0, 0.002, 0.022)), FROM_CORNER)
        | row(LOWER_ROWS[3][1:], (0.0, 0.0, 0.0)) | row((164, 393), (0.0, 0.012, 0.006)),
        0.16,
    ),
    "mouthShrugLower": (
        rows(LOWER_ROWS, ((0.0, -0.046, -0.022), (0.0, -0.046, -0.026), (0.0, -0.044, -0.02),
                            (0.0, -0.040, -0.012)), (0.1, 0.45, 0.75, 0.95, 1.0, 1.0))
        | rows(UPPER_ROWS, ((0.0, -0.022, -0.006),) * 4, (0.05, 0.35, 0.7, 0.9, 1.0, 1.0))
        | row(_CHIN, (0.0, -0.040, 0.004)) | row((18, 313), (0.0, -0.05, 0.0)),
        0.20,
    ),
    "mouthShrugUpper": (
        rows(UPPER_ROWS, ((0.0, -0.034, -0.018), (0.0, -0.034, -0.020), (0.0, -0.03, -0.014),
                            (0.0, -0.026, -0.008)), (0.1, 0.4, 0.75, 0.95, 1.0, 1.0))
        | rows(LOWER_ROWS, ((0.0, -0.010, 0.0),) * 4, (0.1, 0.4, 0.75, 0.95, 1.0, 1.0)),
        0.18,
    ),
}  # fmt: skip

# How much of the jaw's turn a point takes part in; the skin between follows smoothly.
JAW_SHARE: Mapping[float, tuple[int, ...]] = {
    1.0: (152, 377, 400, 175, 199, 200, 18, 17, 16, 15, 14, 314, 315, 316, 317, 405, 404, 403,
          402, 313, 406, 396, 369, 428, 262, 421, 418, 378),
    0.93: (321, 320, 319, 318, 335, 379),
    0.80: (375, 307, 325, 324, 365, 424, 431, 395, 394),
    0.62: (397, 364, 273, 422, 430),
    0.42: (288, 287, *CORNER, 432, 434, 367, 435),
    0.22: (361, 401, 410, 436, 416, 433, 409, 408, 407),
    0.0: (0, 11, 12, 13, 267, 302, 268, 312, 269, 303, 271, 311, 270, 304, 272, 310, 164, 393, 391,
          322, 426, 425, 427, 411, 376, 323, 352, 454, 1, 2, 280, 346, 423, 358, 294),
}  # fmt: skip
