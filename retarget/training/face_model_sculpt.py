"""Make the 52 blendshape fields of one neutral face from the handles of `face_model_shapes.py`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Doubles
from retarget.flow.gaze import EYEBALL, GAZE_DEGREES
from retarget.training import face_model_shapes as table
from retarget.training.face_model_mesh import CanonicalFace

_JAW_HINGE = (0.0, 0.25, 0.60)
_JAW_OPEN_DEGREES = 24.0
_UPPER_COMES = 0.3
"""Part of the gap between open lips that the upper one closes."""


class Sculptor:
    """Makes the 52 fields on one neutral face."""

    def __init__(self, face: CanonicalFace, neutral: Doubles) -> None:
        self.face = face
        self.neutral = neutral
        share = {i: (s, 0.0, 0.0) for s, ids in table.JAW_SHARE.items() for i in ids}
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
        if name in table.TWO_SIDED:
            handles, reach = table.TWO_SIDED[name]
            return self._field(self._symmetric(handles), reach)
        handles, reach = table.ONE_SIDED[plain]
        return self._field(handles, reach)

    def _field(self, handles: table.Handles, reach: float) -> Doubles:
        out = np.zeros((landmarks.COUNT, 3))
        out[: landmarks.MESH_COUNT] = self.face.smooth_field(handles, reach)
        return out

    def _symmetric(self, handles: table.Handles, *, even: bool = False) -> table.Handles:
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
        handles: table.Handles = dict(table.EYE_CORNERS)
        mid = len(table.UPPER_LID) // 2
        for upper, lower in zip(table.UPPER_LID[1:-1], table.LOWER_LID[1:-1], strict=True):
            gap = self.neutral[lower] - self.neutral[upper]
            handles[upper] = tuple(0.82 * gap)
            handles[lower] = tuple(-0.18 * gap)
        middle = self.neutral[table.LOWER_LID[mid], 1] - self.neutral[table.UPPER_LID[mid], 1]
        handles |= table.arch(table.CREASE, 0.28 * middle)
        handles |= table.arch(table.UNDER_EYE, -0.07 * middle)
        return self._field(handles, 0.09)

    def gaze(self, direction: str) -> Doubles:
        """The left iris rotates with its eyeball; the lids follow it up and down."""
        angle = np.radians(GAZE_DEGREES[direction])
        out = self._field(table.EYE_CORNERS | table.LOOK_LIDS[direction], 0.08)
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
        corners = self._field(self._symmetric(table.row(table.CORNER, (-0.035, 0.0, 0.01))), 0.2)
        return np.asarray(turned * self.jaw_share[:, None] + corners)

    def jaw_shift(self, to: tuple[float, float, float]) -> Doubles:
        """The mandible slides as a whole."""
        return np.outer(self.jaw_share, to)

    def tongue_out(self) -> Doubles:
        """Lips part and the lower one is pushed out under the tongue, which is drawn elsewhere."""
        upper = table.rows(table.UPPER_ROWS, ((0.0, -0.010, -0.008),) * 4, table.FROM_CORNER)
        lower = table.rows(table.LOWER_ROWS, ((0.0, 0.040, -0.030),) * 4, table.FROM_CORNER)
        corners = table.row(table.CORNER, (-0.02, 0.01, 0))
        lips = self._field(self._symmetric(upper | lower | corners), 0.16)
        return np.asarray(lips + 0.15 * self.jaw_open())

    def closing(self, jaw_open: Doubles) -> Doubles:
        """`mouthClose`: closes the lips of an open jaw."""
        opened = self.neutral + jaw_open
        handles: table.Handles = {}
        rows = landmarks.UPPER_LIP_ROWS, landmarks.LOWER_LIP_ROWS
        for up, low in zip(*(zip(*lip, strict=True) for lip in rows), strict=True):
            gap = opened[low[-1]] - opened[up[-1]]
            for a, b in zip(up, low, strict=True):
                handles[a] = tuple(_UPPER_COMES * gap)
                handles[b] = tuple((_UPPER_COMES - 1.0) * gap)
        return self._field(handles, 0.17)
