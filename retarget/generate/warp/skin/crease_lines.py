"""Where an expression folds the skin, which blendshapes fold it, and how deep.

Defined for the person's right half and for lines across the middle, after the places where the
Facial Action Coding System has folds: between lowered brows and across the forehead above raised
ones, over a wrinkled nose, beside a smile and below a frown, beside and under eyes that narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Floats, Ints
from retarget.flow.face_model import face_model
from retarget.generate.warp.rims import curve

Place = Mapping[int, float]
"""A place on the face: mesh points with their barycentric shares."""
BETWEEN = 4
"""Places drawn for each one defined."""
_SIDES = {-1: ("Right",), 0: ("Left", "Right"), 1: ("Left",)}


@dataclass(frozen=True, slots=True, eq=False)
class CreaseLines:
    """The lines along which skin folds, as consecutive places on the mesh."""

    points: Ints
    """(k,) the mesh points used."""
    along: Floats
    """(n, k) share of each point in each place."""
    way: Floats
    """(n, k) the same for the direction to the next place."""
    depth: Floats
    """(n,) depth of the line at each place relative to its deepest, 0..1."""
    parts: tuple[slice, ...]
    """The places of each line."""
    areas: tuple[tuple[float, slice], ...]
    """Groups of neighbouring lines, each with the width of its lines in eye distances."""
    by: Floats
    """(lines, 52) how much each blendshape folds a line or, negative, smooths it."""
    dark: Floats
    """(lines,) darkening at the deepest place of a full fold, as a positive logarithm."""
    bulge: Floats
    """(lines, 2) offset of the bulge beside a line, in its widths: to the person's left, down."""
    side: Ints
    """(lines,) side of the face: -1 the person's right, 1 the left, 0 both."""


@dataclass(frozen=True)
class _Sculpted:
    places: Sequence[Place]
    """From end to end; a line across the middle only to the middle."""
    depth: Sequence[float]
    by: Mapping[str, float]
    """Blendshapes, paired ones without their side. Negative: it folds less with them, as between
    brows that a smile's cheeks lower without knitting them."""
    dark: float
    bulge: tuple[float, float]
    """Away from the middle of the face, and towards the chin."""
    across: bool = False


_BROWS_LOWERED = [
    _Sculpted(
        ({9: 0.4, 107: 0.5, 151: 0.1}, {9: 0.3, 107: 0.4, 8: 0.1, 55: 0.2}, {8: 0.45, 55: 0.55},
         {168: 0.5, 193: 0.3, 55: 0.2}),
        (0, 0.8, 1, 0), {"browDown": 1.0, "mouthSmile": -0.4}, 0.20, (1, 0.2),
    ),
]  # fmt: skip
_NOSE_WRINKLED = [
    _Sculpted(
        ({193: 0.8, 55: 0.2}, {193: 0.5, 168: 0.5}, {168: 0.9, 8: 0.1}),
        (0, 0.8, 1), {"noseSneer": 0.35}, 0.08, (0, -1), across=True,
    ),
    _Sculpted(
        ({193: 0.4, 122: 0.6}, {122: 0.6, 188: 0.4}, {188: 0.6, 217: 0.4}),
        (0, 1, 0), {"noseSneer": 0.8}, 0.08, (1, -0.2),
    ),
]  # fmt: skip
_BROWS_RAISED = [
    _Sculpted(
        ({66: 1 - high, 69: high}, {107: 1 - high, 108: high}, {9: 1 - high, 151: high}),
        (0, 0.9, 1), {"browInnerUp": 0.8}, 0.066, (0, -1), across=True,
    )
    for high in (0.45, 0.77)
] + [
    _Sculpted(
        ({63: 0.6, 104: 0.4}, {105: 0.55, 104: 0.45}, {66: 0.55, 69: 0.45}, {107: 0.5, 108: 0.5}),
        (0, 0.9, 1, 0), {"browOuterUp": 0.8}, 0.06, (0, -1),
    ),
    _Sculpted(
        ({68: 0.5, 104: 0.5}, {105: 0.15, 104: 0.85}, {66: 0.2, 69: 0.8}, {107: 0.2, 108: 0.8}),
        (0, 0.9, 1, 0), {"browOuterUp": 0.8}, 0.06, (0, -1),
    ),
]  # fmt: skip
_BESIDE_THE_MOUTH = [
    _Sculpted(
        ({129: 0.6, 203: 0.4}, {203: 0.8, 206: 0.2}, {206: 0.75, 216: 0.25}, {216: 0.7, 57: 0.3},
         {216: 0.2, 57: 0.8}),
        (0.2, 0.9, 1, 0.7, 0),
        {"mouthSmile": 0.7, "noseSneer": 0.6, "mouthUpperUp": 0.25, "mouthStretch": 0.2},
        0.18, (0.8, -0.6),
    ),
    _Sculpted(
        ({61: 0.35, 57: 0.35, 43: 0.3}, {43: 0.7, 202: 0.3}, {43: 0.2, 202: 0.3, 204: 0.5}),
        (0, 1, 0), {"mouthFrown": 0.9}, 0.16, (1, -0.2),
    ),
    _Sculpted(
        ({186: 0.55, 57: 0.45}, {57: 0.8, 61: 0.2}, {57: 0.45, 43: 0.45, 202: 0.1}),
        (0, 1, 0), {"mouthDimple": 0.9, "cheekPuff": 0.7, "mouthSmile": 0.2}, 0.12, (1, 0),
    ),
]  # fmt: skip
_BESIDE_THE_EYE = [
    _Sculpted(
        (start, {p: 0.5 * (start.get(p, 0) + end.get(p, 0)) for p in {**start, **end}}, end),
        (0.2, 1, 0), {"cheekSquint": 0.8, "mouthSmile": 0.3}, 0.08, (0, -1),
    )
    for start, end in (
        ({226: 0.6, 130: 0.4}, {35: 0.5, 156: 0.5}),
        ({226: 0.4, 31: 0.3, 130: 0.3}, {35: 0.8, 143: 0.2}),
        ({31: 0.7, 130: 0.3}, {143: 0.5, 111: 0.5}),
    )
]  # fmt: skip
_UNDER_THE_EYE = [
    _Sculpted(
        ({243: 0.3, 232: 0.7}, {231: 0.9, 230: 0.1}, {229: 0.8, 230: 0.2}, {228: 1.0},
         {31: 0.7, 226: 0.3}),
        (0, 0.7, 1, 0.7, 0), {"cheekSquint": 0.6, "eyeSquint": 0.5, "mouthSmile": 0.2}, 0.09,
        (0, -1),
    ),
]  # fmt: skip


class _Line(NamedTuple):
    places: list[Place]
    depth: list[float]
    side: int
    written: _Sculpted


@cache
def crease_lines() -> CreaseLines:
    """Every line of a whole face."""
    across = ((0.020, _BROWS_LOWERED + _NOSE_WRINKLED), (0.016, _BROWS_RAISED))
    beside = ((0.026, _BESIDE_THE_MOUTH), (0.020, _UNDER_THE_EYE), (0.012, _BESIDE_THE_EYE))
    areas = [(width, [x for one in lines for x in _whole(one)]) for width, lines in across]
    areas += [
        (width, [_half(one, side) for one in lines]) for width, lines in beside for side in (-1, 1)
    ]
    lines = [line for _, inside in areas for line in inside]
    points = sorted({point for line in lines for place in line.places for point in place})
    along = [_smooth(np.array([_shares(place, points) for place in x.places])) for x in lines]
    return CreaseLines(
        points=np.array(points),
        along=np.concatenate(along),
        way=np.concatenate([np.gradient(part, axis=0) for part in along]),
        depth=np.concatenate([np.clip(_smooth(np.array(x.depth)), 0, 1) for x in lines]),
        parts=_slices([len(part) for part in along]),
        areas=tuple(zip((w for w, _ in areas), _slices([len(x) for _, x in areas]), strict=True)),
        by=np.stack([_by(x.written.by, _SIDES[x.side]) for x in lines]),
        dark=np.array([x.written.dark for x in lines], np.float32),
        bulge=np.array([(x.side * x.written.bulge[0], x.written.bulge[1]) for x in lines]),
        side=np.array([x.side for x in lines]),
    )


def _whole(written: _Sculpted) -> list[_Line]:
    """A line across the middle of the face, or one on each side."""
    if not written.across:
        return [_half(written, -1), _half(written, 1)]
    places = [*written.places, *map(_mirrored, written.places[-2::-1])]
    return [_Line(places, [*written.depth, *written.depth[-2::-1]], 0, written)]


def _half(written: _Sculpted, side: int) -> _Line:
    places = [place if side < 0 else _mirrored(place) for place in written.places]
    return _Line(places, list(written.depth), side, written)


def _shares(place: Place, points: Sequence[int]) -> list[float]:
    total = sum(place.values())
    return [place.get(point, 0.0) / total for point in points]


def _smooth(values: Floats) -> Floats:
    """The places with further ones interpolated between them on a curve."""
    return curve(len(values), BETWEEN) @ values.astype(np.float32)


def _slices(lengths: Sequence[int]) -> tuple[slice, ...]:
    ends = np.cumsum(lengths).tolist()
    return tuple(slice(end - length, end) for end, length in zip(ends, lengths, strict=True))


def _by(names: Mapping[str, float], sides: Sequence[str]) -> Floats:
    """(52,) shares by blendshape; a name without side stands for those of `sides`."""
    out = np.zeros(blendshapes.COUNT, np.float32)
    for name, share in names.items():
        if name in blendshapes.INDEX:
            out[blendshapes.index(name)] = share
            continue
        for side in sides:
            out[blendshapes.index(name + side)] = share / len(sides)
    return out


def _mirrored(place: Place) -> Place:
    return {int(_mirror()[point]): share for point, share in place.items()}


@cache
def _mirror() -> Ints:
    """(468,) each point's mirror image, found on the symmetric average face."""
    face = face_model().neutral[: landmarks.MESH_COUNT]
    flipped = face * np.array([-1, 1, 1], np.float32)
    far = np.linalg.norm(flipped[:, None] - face[None], axis=2)
    return np.asarray(far.argmin(axis=1), np.int64)
