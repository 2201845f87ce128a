"""Skin folds where an expression folds it, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm, smiling
from drawn import Picture, around, draw, whole

from retarget.flow import blendshapes
from retarget.flow.face_model import face_model
from retarget.flow.values import Expression, Identity
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.skin.crease_lines import crease_lines
from retarget.generate.warp.warp import WarpGenerator

Change = npt.NDArray[np.float64]

LOWERED = {"browDownLeft": 0.8, "browDownRight": 0.8}
RAISED = {"browInnerUp": 0.8, "browOuterUpLeft": 0.8, "browOuterUpRight": 0.8}
BETWEEN_BROWS = (8, 55, 285, 9, 107, 336)
FOREHEAD = (68, 69, 151, 299, 298, 63, 66, 296, 293)
BESIDE_RIGHT, BESIDE_LEFT = (203, 206, 216), (423, 426, 436)


def still(identity: Identity, weights: Mapping[str, float], creases: float = 1.0) -> Picture:
    """The photo, its mesh where it was, told to show an expression: only creases may be drawn."""
    request = replace(
        ask(identity, {"cheekPuff": 0.05}),  # something has to move, or the photo is passed on
        expression=Expression(weights=blendshapes.weights(weights)),
    )
    return whole(draw(WarpGenerator(WarpSettings(threads=1, creases=creases)), request))


def darker(identity: Identity, weights: Mapping[str, float], creases: float = 1.0) -> Change:
    """(h, w) by how many grey levels creases darken a photo."""
    plain = still(identity, weights, 0.0).mean(axis=2)
    out: Change = plain - still(identity, weights, creases).mean(axis=2)
    return out


def at(identity: Identity, points: tuple[int, ...], change: Change) -> Change:
    """The part of a picture around mesh points."""
    places = identity.face.points[list(points), :2]
    near = 0.1 * identity.face.eye_distance
    (left, top) = (places.min(axis=0) - near).astype(int)
    (right, bottom) = (places.max(axis=0) + near).astype(int)
    return change[top : bottom + 1, left : right + 1]


@pytest.mark.parametrize(
    ("weights", "where"),
    [
        (LOWERED, BETWEEN_BROWS),
        (RAISED, FOREHEAD),
        ({"mouthUpperUpRight": 0.9}, BESIDE_RIGHT),
        ({"mouthUpperUpLeft": 0.9}, BESIDE_LEFT),
    ],
)
def test_a_crease_is_dark_where_the_expression_folds_the_skin(
    weights: dict[str, float], where: tuple[int, ...]
) -> None:
    change = darker(calm(), weights)
    inside = at(calm(), where, change)
    assert inside.max() > 4
    inside[...] = 0
    assert change.max() < 3


def test_one_side_of_the_face_folds_alone() -> None:
    change = darker(calm(), {"mouthSmileLeft": 0.9})
    assert at(calm(), BESIDE_LEFT, change).max() > 8
    assert np.abs(at(calm(), BESIDE_RIGHT, change)).max() == 0


def test_brows_that_a_smile_lowers_are_not_knitted() -> None:
    """Cheeks that a smile lifts draw the brows down; the muscle that folds between them rests."""
    brows = dict.fromkeys(LOWERED, 0.45)
    smile = {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0}
    assert at(calm(), BETWEEN_BROWS, darker(calm(), brows)).max() > 5
    assert at(calm(), BETWEEN_BROWS, darker(calm(), brows | smile)).max() < 1
    grin = dict.fromkeys(LOWERED, 0.9) | smile
    assert at(calm(), BETWEEN_BROWS, darker(calm(), grin)).max() > 5


@pytest.mark.parametrize("turned", [-40.0, 0.0, 40.0])
def test_the_fold_beside_a_smile_is_an_arc_and_no_s(turned: float) -> None:
    lines = crease_lines()
    cos, sin = np.cos(np.radians(turned)), np.sin(np.radians(turned))
    front = face_model().neutral[:468]
    mesh = np.stack([cos * front[:, 0] + sin * front[:, 2], front[:, 1]], axis=1)
    for side, name in ((-1, "mouthSmileRight"), (1, "mouthSmileLeft")):
        part = lines.parts[int(np.argmax(lines.by[:, blendshapes.index(name)]))]
        x, y = np.diff(lines.along[part] @ mesh[lines.points], axis=0).T
        length = np.hypot(x, y)
        bends = side * (x[:-1] * y[1:] - y[:-1] * x[1:]) / (length[:-1] * length[1:])
        assert -bends.min() < 0.5 * bends.max()


def test_a_face_that_hardly_moves_keeps_every_pixel() -> None:
    assert not darker(calm(), dict.fromkeys(LOWERED, 0.05)).any()


def test_creases_deepen_with_the_expression_and_with_their_strength() -> None:
    def depth(weight: float, creases: float) -> float:
        change = darker(calm(), dict.fromkeys(LOWERED, weight), creases)
        return float(at(calm(), BETWEEN_BROWS, change).max())

    assert depth(0.3, 1.0) < 0.7 * depth(0.6, 1.0)
    assert depth(0.6, 0.5) < 0.7 * depth(0.6, 1.0)


def test_what_the_photo_itself_does_is_not_folded_once_more() -> None:
    smile = blendshapes.weights({"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9})
    own = replace(calm(), expression=Expression(weights=smile))
    assert not darker(own, blendshapes.named(smile)).any()


def test_hair_over_the_forehead_is_not_folded() -> None:
    someone = calm()
    rgb = someone.frame.rgb.copy()
    across = someone.face.points[[68, 104, 69, 108, 151, 337, 299, 333, 298], :2]
    top, bottom = int(across[:, 1].min()) - 20, int(someone.face.points[[9, 66, 296], 1].min())
    rgb[max(top, 0) : bottom] = (40, 30, 25)
    fringed = replace(someone, frame=replace(someone.frame, rgb=rgb))
    change = darker(fringed, RAISED)
    assert not change[max(top, 0) + 4 : bottom - 4].any()


def test_skin_that_is_seen_edgewise_is_not_folded() -> None:
    someone = smiling()
    turned = someone.face.points.copy()
    right, left = turned[33, 0], turned[263, 0]
    turned[168, 0] = right + 0.1 * (left - right)  # the bridge of the nose nears the right eye
    aside = replace(someone, face=replace(someone.face, points=turned))
    said = {"noseSneerRight": 0.9, "noseSneerLeft": 0.9}
    assert at(someone, BESIDE_LEFT, darker(aside, said)).max() > 5
    assert at(someone, BESIDE_RIGHT, darker(aside, said)).max() < 1


@pytest.mark.parametrize("tint", [(0.6, 1.05, 1.6), (0.95, 1.0, 1.1)])
def test_a_crease_has_the_colour_of_the_photos_own_shadows(tint: tuple[float, ...]) -> None:
    rgb, face = calm().frame.rgb.copy(), calm().face.points
    lit = np.median(rgb[around(calm(), (50, 280, 425, 205))], axis=0)
    rgb[:] = np.rint(lit)
    middle = round(float(face[4, 0]))
    rgb[:, middle:] = np.rint(lit * np.exp(-0.5 * np.array(tint)))
    painted = replace(calm(), frame=replace(calm().frame, rgb=rgb))
    smooth, folded = (still(painted, {"mouthUpperUpRight": 0.9}, c) for c in (0.0, 1.0))
    fall = np.log(smooth + 1.0) - np.log(folded + 1.0)
    deep = at(calm(), BESIDE_RIGHT, fall[..., 1] > 0.5 * fall[..., 1].max())
    red, _, blue = at(calm(), BESIDE_RIGHT, fall)[deep].mean(axis=0)
    assert red / blue == pytest.approx(tint[0] / tint[2], rel=0.15)
