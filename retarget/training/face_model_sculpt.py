"""What the 52 blendshapes do, sculpted by hand.

Each shape is a few handles (mesh points and where they go, in head units: x to the person's left,
y down, z away from the camera; one unit is about 90 mm) and how far the skin follows. Directions
follow the muscles behind the action units each ARKit name stands for (Ekman & Friesen, Facial
Action Coding System). Only the person's left is written down; the right is its mirror image.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Doubles
from retarget.flow.gaze import EYEBALL, GAZE_DEGREES
from retarget.training.face_model_mesh import CanonicalFace

Handles = dict[int, tuple[float, float, float]]

# Rows of the left half, from the corner of the mouth to its middle.
_UPPER_ROWS = tuple(row[:4:-1] for row in landmarks.UPPER_LIP_ROWS)
_LOWER_ROWS = tuple(row[:4:-1] for row in landmarks.LOWER_LIP_ROWS)
_CORNER = tuple(row[0] for row in _UPPER_ROWS)
_CHIN = (152, 377, 400, 378, 175, 396, 369, 199, 428, 262, 200, 421, 418)
_CHEEK = (425, 427, 411, 416, 434, 436, 432)
_CHEEKBONE = (330, 347, 346, 280, 352, 329, 348)
_ALAR = (358, 279, 429, 331, 294, 278)
_UPPER_LID, _LOWER_LID = landmarks.LEFT_EYE_UPPER, landmarks.LEFT_EYE_LOWER
_CREASE = landmarks.LEFT_EYE_FOLD[1:-1]
_UNDER_EYE = (255, 339, 254, 253, 252, 256, 341)
_FROM_CORNER = (0.0, 0.35, 0.7, 0.9, 1.0, 1.0)
_SIDE_LIP = (0.3, 0.75, 1.0, 1.0, 0.7, 0.35)
_ASIDE = (0.80, 0.86, 0.92, 0.97, 1.0, 1.0, 0.97, 0.91, 0.83, 0.75, 0.68)
_ASIDE_UP = (-0.07, -0.07, -0.07, -0.05, -0.03, 0.0, 0.01, 0.04, 0.18, 0.29, 0.38)
"""How far lips that go to the left do so, and rise, from the right corner of the mouth to the left:
the one is dragged along, the other pushed up against its cheek."""


def _row(
    ids: Sequence[int], to: tuple[float, float, float], profile: Sequence[float] | None = None
) -> Handles:
    share = profile if profile is not None else [1.0] * len(ids)
    return {i: (to[0] * s, to[1] * s, to[2] * s) for i, s in zip(ids, share, strict=True)}


def _rows(rows: Sequence[Sequence[int]], tos: Sequence[tuple[float, float, float]],
          profile: Sequence[float]) -> Handles:  # fmt: skip
    out: Handles = {}
    for ids, to in zip(rows, tos, strict=True):
        out |= _row(ids, to, profile)
    return out


def _lid(ids: Sequence[int], dy: float, dz: float = 0.0) -> Handles:
    """A lid rim moves most in its middle and not at the corners."""
    arch = np.sin(np.linspace(0.0, np.pi, len(ids))) ** 0.7
    return {i: (0.0, dy * a, dz * a) for i, a in zip(ids, arch, strict=True)}


def _arch(ids: Sequence[int], dy: float) -> Handles:
    arch = 0.35 + 0.65 * np.sin(np.linspace(0.0, np.pi, len(ids)))
    return {i: (0.0, dy * a, 0.0) for i, a in zip(ids, arch, strict=True)}


_EYE_CORNERS: Handles = {263: (0, 0, 0), 362: (0, 0, 0)}
_LOOK_LIDS: Mapping[str, Handles] = {
    "Down": _lid(_UPPER_LID, 0.045) | _lid(_LOWER_LID, 0.012) | _arch(_CREASE, 0.012),
    "Up": _lid(_UPPER_LID, -0.022) | _lid(_LOWER_LID, -0.012) | _arch(_CREASE, -0.008),
    "In": _lid(_UPPER_LID, 0.0),
    "Out": _lid(_UPPER_LID, 0.0),
}

ONE_SIDED: Mapping[str, tuple[Handles, float]] = {
    "browDown": (
        _row((285, 336), (-0.022, 0.055, 0.0)) | _row((295, 296), (-0.016, 0.055, 0.0))
        | _row((282, 334), (-0.008, 0.042, 0.0)) | _row((283, 293), (0.0, 0.022, 0.0))
        | _row((276, 300), (0.0, 0.008, 0.0)) | _arch(_CREASE, 0.010) | _lid(_UPPER_LID, 0.0),
        0.16,
    ),
    "browOuterUp": (
        _row((276, 300), (0.0, -0.055, 0.0)) | _row((283, 293), (0.0, -0.075, 0.0))
        | _row((282, 334), (0.0, -0.060, 0.0)) | _row((295, 296), (0.0, -0.025, 0.0))
        | _row((285, 336), (0.0, -0.004, 0.0)) | _arch(_CREASE, -0.012) | _lid(_UPPER_LID, -0.002),
        0.22,
    ),
    "cheekSquint": (
        _row(_CHEEKBONE, (0.004, -0.045, -0.018)) | _arch(_UNDER_EYE, -0.030)
        | _lid(_LOWER_LID, -0.018) | _row((425, 411), (0.01, -0.02, -0.01)) | _EYE_CORNERS,
        0.16,
    ),
    "eyeSquint": (
        _lid(_LOWER_LID, -0.026) | _arch(_UNDER_EYE, -0.020) | _lid(_UPPER_LID, 0.010), 0.10
    ),
    "eyeWide": (
        _lid(_UPPER_LID, -0.032) | _arch(_CREASE, -0.020) | _lid(_LOWER_LID, 0.006), 0.10
    ),
    "mouthDimple": (
        _row(_CORNER, (0.045, -0.004, 0.040)) | _row((287,), (0.035, 0.0, 0.030))
        | _row((409, 270, 375, 321), (0.022, 0.0, 0.012)) | _row((0, 17), (0.004, 0.0, 0.0)),
        0.22,
    ),
    "mouthFrown": (
        _row(_CORNER, (0.004, 0.065, 0.010)) | _row((287, 273), (0.006, 0.060, 0.008))
        | _row((409, 408, 375, 307), (0.0, 0.038, 0.0)) | _row((270, 321), (0.0, 0.016, 0.0))
        | _row((410,), (0.0, 0.035, 0.0)) | _row((0, 17, 13, 14), (0.0, -0.002, 0.0)),
        0.22,
    ),
    "mouth": (
        {i: (0.125 * aside, -0.125 * up, 0.0)
         for row in (*landmarks.UPPER_LIP_ROWS, *landmarks.LOWER_LIP_ROWS)
         for i, aside, up in zip(row, _ASIDE, _ASIDE_UP, strict=True)}
        | _row((164, 18), (0.08, 0.0, 0.0)) | _row((57, 43, 186), (0.075, 0.0, 0.0))
        | _row((287, 273, 410), (0.065, -0.025, 0.02)),
        0.30,
    ),
    "mouthLowerDown": (
        _rows(_LOWER_ROWS, ((0.008, 0.065, 0.0),) * 4, (0.0, 0.5, 0.9, 1.0, 0.7, 0.4))
        | _row(_CORNER, (0.006, 0.008, 0.0)) | _row(_UPPER_ROWS[3][1:], (0.0, 0.0, 0.0)),
        0.18,
    ),
    "mouthPress": (
        _rows(_UPPER_ROWS, ((0.0, 0.012, 0.016), (0.0, 0.008, 0.018), (0.0, 0.004, 0.014),
                            (0.0, 0.0, 0.006)), _SIDE_LIP)
        | _rows(_LOWER_ROWS, ((0.0, -0.018, 0.016), (0.0, -0.012, 0.018), (0.0, -0.006, 0.014),
                              (0.0, 0.0, 0.006)), _SIDE_LIP)
        | _row(_CORNER, (0.012, -0.004, 0.016)) | _row((_CHIN[0],), (0.0, -0.006, 0.0)),
        0.16,
    ),
    "mouthSmile": (
        _row(_CORNER, (0.085, -0.075, 0.050)) | _row((287,), (0.085, -0.075, 0.05))
        | _row((409, 408, 407, 415), (0.065, -0.048, 0.03))
        | _row((375, 307, 325, 324), (0.065, -0.045, 0.03))
        | _row((270, 304), (0.042, -0.022, 0.015)) | _row((321, 320), (0.042, -0.020, 0.015))
        | _row((0, 17, 13, 14), (0.0, -0.004, 0.008)) | _row((425, 411), (0.03, -0.045, -0.012))
        | _row((330, 280), (0.01, -0.028, -0.012)) | _lid(_LOWER_LID, -0.006),
        0.30,
    ),
    "mouthStretch": (
        _row(_CORNER, (0.085, 0.025, 0.040)) | _row((287,), (0.085, 0.03, 0.04))
        | _row((409, 375), (0.058, 0.012, 0.02)) | _row((270, 321), (0.034, 0.004, 0.010))
        | _row((0, 17), (0.004, 0.0, 0.004)) | _row((432, 434), (0.04, 0.03, 0.01)),
        0.30,
    ),
    "mouthUpperUp": (
        _rows(_UPPER_ROWS, ((0.004, -0.052, -0.004), (0.004, -0.052, -0.004),
                            (0.004, -0.052, 0.0), (0.004, -0.052, 0.0)),
              (0.05, 0.5, 0.9, 1.0, 0.7, 0.35))
        | _row((358, 294), (0.006, -0.014, 0.0)) | _row(_LOWER_ROWS[3][1:], (0.0, 0.0, 0.0)),
        0.20,
    ),
    "noseSneer": (
        _row(_ALAR, (0.010, -0.034, 0.0)) | _row((420, 437, 355, 371), (0.0, -0.026, 0.0))
        | _rows(_UPPER_ROWS, ((0.0, -0.024, 0.0),) * 4, (0.1, 0.4, 0.8, 1.0, 0.6, 0.25))
        | _row((285, 417), (-0.008, 0.018, 0.0)) | _row((1, 4), (0.002, -0.006, 0.0))
        | _row((341, 256), (0.0, -0.010, 0.0)) | _row(_LOWER_ROWS[3][1:], (0.0, 0.0, 0.0)),
        0.20,
    ),
}  # fmt: skip
"""Handles of the left shape and reach; blink, gaze and jaw are built below."""

TWO_SIDED: Mapping[str, tuple[Handles, float]] = {
    "browInnerUp": (
        _row((285, 336), (0.004, -0.075, 0.0)) | _row((295, 296), (0.002, -0.060, 0.0))
        | _row((282, 334), (0.0, -0.030, 0.0)) | _row((283, 293), (0.0, -0.008, 0.0))
        | _row((276, 300), (0.0, 0.004, 0.0)) | _row((9,), (0.0, -0.045, 0.0))
        | _lid(_UPPER_LID, 0.0),
        0.20,
    ),
    "cheekPuff": (
        _row(_CHEEK, (0.105, 0.0, -0.13)) | _row((433, 376, 435, 367, 364), (0.095, 0.0, -0.09))
        | _row((288, 397), (0.075, 0.0, -0.04)) | _row((361, 365), (0.05, 0.0, -0.03))
        | _row((430,), (0.07, 0.0, -0.05)) | _row((287, 410), (0.035, 0.0, -0.07))
        | _row(_CORNER, (-0.006, 0.0, -0.02)) | _row((322, 335), (0.008, 0.0, -0.045))
        | _row((0, 17), (0.0, 0.0, -0.02)),
        0.24,
    ),
    "mouthFunnel": (
        _rows(_UPPER_ROWS, ((0.0, -0.028, -0.075), (0.0, -0.03, -0.085), (0.0, -0.032, -0.08),
                            (0.0, -0.034, -0.06)), (0.2, 0.6, 0.85, 0.95, 1.0, 1.0))
        | _rows(_LOWER_ROWS, ((0.0, 0.032, -0.070), (0.0, 0.036, -0.08), (0.0, 0.038, -0.075),
                              (0.0, 0.040, -0.06)), (0.2, 0.6, 0.85, 0.95, 1.0, 1.0))
        | _row(_CORNER, (-0.070, 0.002, -0.035)) | _row((409, 375), (-0.052, 0.0, -0.05))
        | _row((287,), (-0.045, 0.0, -0.02)),
        0.26,
    ),
    "mouthPucker": (
        _row(_CORNER, (-0.105, 0.002, -0.030)) | _row((287,), (-0.065, 0.0, -0.015))
        | _rows(tuple(r[1:] for r in _UPPER_ROWS), ((-0.062, 0.004, -0.06),) * 4,
                (1.1, 0.85, 0.55, 0.28, 0.0))
        | _rows(tuple(r[1:] for r in _LOWER_ROWS), ((-0.062, -0.004, -0.06),) * 4,
                (1.1, 0.85, 0.55, 0.28, 0.0))
        | _row((0, 11), (0.0, 0.0, -0.070)) | _row((17, 16), (0.0, 0.0, -0.065))
        | _row((12, 13, 14, 15), (0.0, 0.0, -0.06)),
        0.28,
    ),
    "mouthRollLower": (
        _rows(_LOWER_ROWS, ((0.0, -0.042, 0.022), (0.0, -0.034, 0.036), (0.0, -0.016, 0.034),
                            (0.0, -0.002, 0.024)), _FROM_CORNER)
        | _row(_UPPER_ROWS[3][1:], (0.0, 0.0, 0.0)) | _row((18, 313), (0.0, -0.016, 0.008)),
        0.16,
    ),
    "mouthRollUpper": (
        _rows(_UPPER_ROWS, ((0.0, 0.036, 0.022), (0.0, 0.028, 0.034), (0.0, 0.014, 0.032),
                            (0.0, 0.002, 0.022)), _FROM_CORNER)
        | _row(_LOWER_ROWS[3][1:], (0.0, 0.0, 0.0)) | _row((164, 393), (0.0, 0.012, 0.006)),
        0.16,
    ),
    "mouthShrugLower": (
        _rows(_LOWER_ROWS, ((0.0, -0.046, -0.022), (0.0, -0.046, -0.026), (0.0, -0.044, -0.02),
                            (0.0, -0.040, -0.012)), (0.1, 0.45, 0.75, 0.95, 1.0, 1.0))
        | _rows(_UPPER_ROWS, ((0.0, -0.022, -0.006),) * 4, (0.05, 0.35, 0.7, 0.9, 1.0, 1.0))
        | _row(_CHIN, (0.0, -0.040, 0.004)) | _row((18, 313), (0.0, -0.05, 0.0)),
        0.20,
    ),
    "mouthShrugUpper": (
        _rows(_UPPER_ROWS, ((0.0, -0.034, -0.018), (0.0, -0.034, -0.020), (0.0, -0.03, -0.014),
                            (0.0, -0.026, -0.008)), (0.1, 0.4, 0.75, 0.95, 1.0, 1.0))
        | _rows(_LOWER_ROWS, ((0.0, -0.010, 0.0),) * 4, (0.1, 0.4, 0.75, 0.95, 1.0, 1.0)),
        0.18,
    ),
}  # fmt: skip

# How much of the jaw's turn a point takes part in; the skin between follows smoothly.
_JAW_SHARE: Mapping[float, tuple[int, ...]] = {
    1.0: (152, 377, 400, 175, 199, 200, 18, 17, 16, 15, 14, 314, 315, 316, 317, 405, 404, 403,
          402, 313, 406, 396, 369, 428, 262, 421, 418, 378),
    0.93: (321, 320, 319, 318, 335, 379),
    0.80: (375, 307, 325, 324, 365, 424, 431, 395, 394),
    0.62: (397, 364, 273, 422, 430),
    0.42: (288, 287, *_CORNER, 432, 434, 367, 435),
    0.22: (361, 401, 410, 436, 416, 433, 409, 408, 407),
    0.0: (0, 11, 12, 13, 267, 302, 268, 312, 269, 303, 271, 311, 270, 304, 272, 310, 164, 393, 391,
          322, 426, 425, 427, 411, 376, 323, 352, 454, 1, 2, 280, 346, 423, 358, 294),
}  # fmt: skip
_JAW_HINGE = (0.0, 0.25, 0.60)
_JAW_OPEN_DEGREES = 24.0
_UPPER_COMES = 0.3
"""Share of the way between open lips that the upper one goes to close them."""


class Sculptor:
    """Makes the 52 fields on one neutral face."""

    def __init__(self, face: CanonicalFace, neutral: Doubles) -> None:
        self.face = face
        self.neutral = neutral
        share = {i: (s, 0.0, 0.0) for s, ids in _JAW_SHARE.items() for i in ids}
        self.jaw_share = np.clip(self._field(self._symmetric(share, even=True), 0.4)[:, 0], 0, 1)

    def all(self) -> Doubles:
        """(52, 478, 3) every shape at weight 1."""
        shapes = {name: self._shape(name) for name in blendshapes.NAMES if name != "mouthClose"}
        shapes["mouthClose"] = self.closing(shapes["jawOpen"])
        return np.stack([shapes[name] for name in blendshapes.NAMES])

    def _shape(self, name: str) -> Doubles:
        if name.endswith("Right"):
            return self.face.mirrored(self._shape(blendshapes.mirrored(name)))
        plain = name.removesuffix("Left")
        if plain.startswith("eyeLook"):
            return self.gaze(plain.removeprefix("eyeLook"))
        special: dict[str, Callable[[], Doubles]] = {
            "eyeBlink": self.blink, "jawOpen": self.jaw_open, "tongueOut": self.tongue_out,
            "jawForward": lambda: self.jaw_shift((0.0, 0.012, -0.085)),
            "jaw": lambda: self.jaw_shift((0.105, 0.006, 0.0)),
        }  # fmt: skip
        if plain in special:
            return special[plain]()
        if name in TWO_SIDED:
            handles, reach = TWO_SIDED[name]
            return self._field(self._symmetric(handles), reach)
        handles, reach = ONE_SIDED[plain]
        return self._field(handles, reach)

    def _field(self, handles: Handles, reach: float) -> Doubles:
        out = np.zeros((landmarks.COUNT, 3))
        out[: landmarks.MESH_COUNT] = self.face.smooth_field(handles, reach)
        return out

    def _symmetric(self, handles: Handles, *, even: bool = False) -> Handles:
        """Add the right half; in `even` the first number is a share, not a direction."""
        out = dict(handles)
        for i, (x, y, z) in handles.items():
            j = int(self.face.mirror[i])
            if i == j:
                out[i] = (x if even else 0.0, y, z)
            else:
                out[j] = (x if even else -x, y, z)
        return out

    def blink(self) -> Doubles:
        """The left lids meet, the upper one doing most of the way."""
        handles: Handles = dict(_EYE_CORNERS)
        mid = len(_UPPER_LID) // 2
        for upper, lower in zip(_UPPER_LID[1:-1], _LOWER_LID[1:-1], strict=True):
            gap = self.neutral[lower] - self.neutral[upper]
            handles[upper] = tuple(0.82 * gap)
            handles[lower] = tuple(-0.18 * gap)
        middle = self.neutral[_LOWER_LID[mid], 1] - self.neutral[_UPPER_LID[mid], 1]
        handles |= _arch(_CREASE, 0.28 * middle) | _arch(_UNDER_EYE, -0.07 * middle)
        return self._field(handles, 0.09)

    def gaze(self, direction: str) -> Doubles:
        """The left iris rides on its eyeball; the lids follow it up and down."""
        angle = np.radians(GAZE_DEGREES[direction])
        out = self._field(_EYE_CORNERS | _LOOK_LIDS[direction], 0.08)
        ids = list(landmarks.LEFT_IRIS)
        centre = self.neutral[ids[0]] + (0.0, 0.0, EYEBALL)
        ball = self.neutral[ids] - centre
        c, s = np.cos(angle), np.sin(angle)
        turn = {
            "Out": [[c, 0, -s], [0, 1, 0], [s, 0, c]], "In": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
            "Down": [[1, 0, 0], [0, c, -s], [0, s, c]], "Up": [[1, 0, 0], [0, c, s], [0, -s, c]],
        }[direction]  # fmt: skip
        out[ids] = ball @ np.array(turn).T - ball
        return out

    def jaw_open(self) -> Doubles:
        """The mandible turns about its hinge; the corners of the mouth come in a little."""
        angle = np.radians(_JAW_OPEN_DEGREES)
        c, s = np.cos(angle), np.sin(angle)
        arm = self.neutral - np.array(_JAW_HINGE)
        turned = arm @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]).T - arm
        corners = self._field(self._symmetric(_row(_CORNER, (-0.035, 0.0, 0.01))), 0.2)
        return np.asarray(turned * self.jaw_share[:, None] + corners)

    def jaw_shift(self, to: tuple[float, float, float]) -> Doubles:
        """The mandible slides as a whole."""
        return np.outer(self.jaw_share, to)

    def tongue_out(self) -> Doubles:
        """Lips part and the lower one is pushed out under the tongue, which is drawn elsewhere."""
        upper = _rows(_UPPER_ROWS, ((0.0, -0.010, -0.008),) * 4, _FROM_CORNER)
        lower = _rows(_LOWER_ROWS, ((0.0, 0.040, -0.030),) * 4, _FROM_CORNER)
        lips = self._field(self._symmetric(upper | lower | _row(_CORNER, (-0.02, 0.01, 0))), 0.16)
        return np.asarray(lips + 0.15 * self.jaw_open())

    def closing(self, jaw_open: Doubles) -> Doubles:
        """What brings the lips of an open jaw back into contact, over an open jaw."""
        opened = self.neutral + jaw_open
        handles: Handles = {}
        rows = landmarks.UPPER_LIP_ROWS, landmarks.LOWER_LIP_ROWS
        for up, low in zip(*(zip(*lip, strict=True) for lip in rows), strict=True):
            gap = opened[low[-1]] - opened[up[-1]]
            for a, b in zip(up, low, strict=True):
                handles[a] = tuple(_UPPER_COMES * gap)
                handles[b] = tuple((_UPPER_COMES - 1.0) * gap)
        return self._field(handles, 0.17)
