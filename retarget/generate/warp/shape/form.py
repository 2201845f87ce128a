"""Preserve the shape of brows, lips and chin while they move.

A mesh from a tracker or from blendshapes stretches them freely; on a photo this is obvious, as a
brow of twice its thickness or a lower lip that reaches the chin.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Floats, Ints
from retarget.flow.ease import smoothstep
from retarget.flow.face_model import face_model
from retarget.flow.values import Expression
from retarget.generate.warp.rims import MOUTH, rims_of

BROWS = (
    (landmarks.RIGHT_BROW[:5], landmarks.RIGHT_BROW[:4:-1], (225, 224, 223, 222, 221)),
    (landmarks.LEFT_BROW[:5], landmarks.LEFT_BROW[:4:-1], (445, 444, 443, 442, 441)),
)
"""Upper and lower row of each brow, and the row of skin below it."""
LIDS = (landmarks.RIGHT_EYE_UPPER[2:-2], landmarks.LEFT_EYE_UPPER[2:-2])
ALONG = 0.5
"""Share of the brow's movement given to that row: hairs reach below the mesh's brow."""
HIDDEN, STRETCHED = 0.1, 0.5
"""The largest rise of a brow: eye distances of skin hidden in the fold below it, plus a share of
the skin visible from there to the lid. Stretched farther, lashes and shadows smear."""

LOWER_LIP = np.array([row[1:-1] for row in landmarks.LOWER_LIP_ROWS[::-1]])
BELOW_LIP = np.array([landmarks.LIPS_OUTER_LOWER[2:-2], *landmarks.BELOW_LIP_ROWS])
CHIN = np.array([BELOW_LIP[-1, 2:5], *landmarks.CHIN_ROWS])
UPPER_LIP = np.array([row[1:-1] for row in landmarks.UPPER_LIP_ROWS[::-1]])
"""Rows of points from the rim of the mouth outwards, the same columns in each."""
CORNERS = ((61, {57: 1.0, 43: 0.8, 186: 0.8}), (291, {287: 1.0, 273: 0.8, 410: 0.8}))
"""Each corner of the mouth, and the least share of its movement that skin outside it takes. A
tracked mesh leaves that skin behind, and the crease in it would be stretched into a smile."""
BESIDE_LIPS = np.array([
    (61, 146, 91, 181, 185, 40, 291, 375, 321, 405, 409, 270),
    (57, 43, 106, 182, 186, 92, 287, 273, 335, 406, 410, 322),
])  # fmt: skip
"""Points of the outer rim of the lips, each with the skin beside it."""
NEAREST = 0.5
"""Smallest distance of such a pair relative to the photo: widening lips push the skin outwards."""
ROUND, ROUNDED = (0.05, 0.2), 0.7
"""Movement of a rim's middle away from its corners, in mouth widths, between which the rim is
blended to an arc, and the share of the blend: blendshapes make a hexagon of a wide-open mouth."""
THINNEST, THICKEST = 0.6, 1.4
"""Limits of the distance of two rows relative to the photo,"""
ROLLED_IN = 0.3
"""and its lower limit for a lip that rolls in, or is pressed on the other, fully."""
_NARROWS_LOWER, _NARROWS_UPPER = (
    blendshapes.weights({roll: 1.0, "mouthPressLeft": 0.5, "mouthPressRight": 0.5})
    for roll in ("mouthRollLower", "mouthRollUpper")
)
UNFOLDED = (0.14, 0.18, 0.2, 0.2)
"""Least distance of each row of skin below the lower lip from the row above, relative to the height
from lip to chin: in the mesh of a gaping mouth these rows may lie within the lip, which would be
drawn twice."""
LEAST_ROW = 0.012
"""Smallest row distance used, in head units: smaller ones are unreliable."""


class Brows:
    """Keeps brows as thick as in one photo, and no higher than the skin below them allows.

    Args:
        points: (478, 3) the photo's mesh.
        down: (2,) unit vector towards the chin.
        unit: pixels per head unit.
    """

    def __init__(self, points: Floats, down: Floats, unit: float) -> None:
        self._down = down
        height = points[:, :2] @ -down
        self._brows = []
        for brow, lid in zip(BROWS, LIDS, strict=True):
            upper, lower, below = (np.array(row) for row in brow)
            seen = max(float(height[lower].mean() - height[list(lid)].mean()), 0.0)
            self._brows.append((upper, lower, below, HIDDEN * unit + STRETCHED * seen))

    def keep_their_form(self, moved: Floats) -> None:
        """Give both rows of each brow the same displacements (468, 3), in place."""
        for upper, lower, below, most in self._brows:
            brow = np.float32(0.5) * (moved[upper] + moved[lower])
            raised = max(-float(brow[:, :2].mean(axis=0) @ self._down), 0.0)
            less = (1 + (raised / most) ** 4) ** -0.25
            for row in (brow, skin := moved[below]):
                up = np.minimum(row[:, :2] @ self._down, 0)
                row[:, :2] -= np.float32(1 - less) * up[:, None] * self._down
            moved[upper] = moved[lower] = brow
            moved[below] = skin + np.float32(ALONG) * (brow - skin)


def corners_keep_their_form(moved: Floats, along: Floats) -> None:
    """Move the skin outside the corners of the mouth with them, in place.

    Inwards, up and down only: outwards, skin bunches up instead.

    Args:
        moved: (468, 3) displacements.
        along: (2,) from the picture-left corner to the other.
    """
    down = np.array([-along[1], along[0]], np.float32)
    for inwards, (corner, beside) in zip((along, -along), CORNERS, strict=True):
        to = moved[corner, :2]
        ways = ((inwards, max(float(to @ inwards), 0.0)), (down, float(to @ down)))
        for point, share in beside.items():
            for way, goes in ways:
                behind = share * goes - float(moved[point, :2] @ way)
                if behind * goes > 0:
                    moved[point, :2] += np.float32(behind) * way


class _Rows(NamedTuple):
    """Two rows of points that roughly keep their distance."""

    inner: Ints
    outer: Ints
    way: Floats
    """(2,) direction from one to the other."""
    limits: Floats
    """(2, n) pixels by which they may approach (negative) and part."""
    closer: Floats
    """(n,) how much nearer they may come where rolled in."""
    narrows: Floats | None
    """(52,) blendshapes that roll them in."""
    shut: Floats | None
    """(2, n) added to the limits for closing lips; None where the photo's mesh has no folds."""


class Lips:
    """Keeps the rows of lips and chin near their distances in one photo.

    Args:
        points: (478, 3) the photo's mesh.
        down: (2,) unit vector towards the chin.
        unit: pixels per head unit.
    """

    def __init__(self, points: Floats, down: Floats, unit: float) -> None:
        self._rows = []
        height = float((points[landmarks.CHIN, :2] - points[BELOW_LIP[0, 3], :2]) @ down)
        for rows, way, narrows, unfolded in (
            (LOWER_LIP, down, _NARROWS_LOWER, (0, 0, 0)), (BELOW_LIP, down, None, UNFOLDED[:2]),
            (CHIN, down, None, (*UNFOLDED[2:], 0)), (UPPER_LIP, -down, _NARROWS_UPPER, (0, 0, 0)),
        ):  # fmt: skip
            seen = np.diff(points[rows, :2] @ way, axis=0)
            apart = np.maximum(seen, LEAST_ROW * unit)
            for inner, outer, rest, real, share in zip(
                rows[:-1], rows[1:], apart, seen, unfolded, strict=True
            ):
                limits = np.stack([np.float32(s - 1) * rest for s in (THINNEST, THICKEST)])
                closer = np.float32(ROLLED_IN - THINNEST) * rest
                whole = np.maximum(rest, np.float32(share * height)) - rest
                shut = np.stack([rest - real + s * whole for s in (THINNEST, THICKEST)])
                folded = shut if shut.any() else None
                self._rows.append(_Rows(inner, outer, way, limits, closer, narrows, folded))
        self._points = points[: landmarks.MESH_COUNT]
        lip, skin = BESIDE_LIPS
        out = points[skin, :2] - points[lip, :2]
        self._room = np.linalg.norm(out, axis=1, keepdims=True)
        self._out = out / np.maximum(self._room, np.float32(1e-3))

    def keep_their_form(self, moved: Floats, expression: Expression, shut: float) -> None:
        """Adjust displacements in place; rims only where the mouth is wide open.

        Args:
            moved: (468, 3) requested displacements.
            expression: the requested expression.
            shut: 0..1 how far lips close over a mouth that is open in the photo.
        """
        if expression.measured is None:  # from words: there is no driving mouth with that form
            self._round(moved)
        for row in self._rows:
            narrows = row.narrows
            much = 0.0 if narrows is None else min(float(narrows @ expression.weights), 1.0)
            low, high = row.limits
            if shut and row.shut is not None:
                low, high = row.limits + np.float32(shut) * row.shut
            low = low + np.float32(much) * row.closer if much else low
            change = (moved[row.outer, :2] - moved[row.inner, :2]) @ row.way
            off = np.minimum(np.maximum(change, low), high) - change
            moved[row.outer, :2] += off[:, None] * row.way
        lip, skin = BESIDE_LIPS
        nearer = ((moved[skin, :2] - moved[lip, :2]) * self._out).sum(axis=1, keepdims=True)
        short = np.maximum(np.float32(NEAREST - 1) * self._room - nearer, 0)
        moved[skin, :2] += short * self._out

    def _round(self, moved: Floats) -> None:
        """Blend each rim of a wide-open mouth to an arc through its middle and corners."""
        now = rims_of(self._points + moved, MOUTH)
        for rim, line, way in ((MOUTH[0], now.upper, -now.down), (MOUTH[1], now.lower, now.down)):
            farther = moved[rim[4:7], :2].mean(axis=0) - moved[rim[[0, -1]], :2].mean(axis=0)
            much = smoothstep(*ROUND, float(farther @ way) / now.width)
            if much == 0:
                continue
            out = (line - now.middle_of_corners) @ way
            off = float(out[4:7].mean()) * _bow() - out
            moved[rim[1:-1], :2] += np.float32(ROUNDED * much) * off[1:-1, None] * way


@cache
def _bow() -> Floats:
    """(11,) height of each point of an arc above the line of its corners, 0..1."""
    across = face_model().neutral[MOUTH[0], 0]
    return np.asarray(np.sqrt(1 - np.square(across / across[-1])), np.float32)
