"""Morph between two pictures of one person, including hair, neck and clothes.

Each picture is a person before a background. The heads are aligned; what still differs is matched
by optical flow (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016), along
which both pictures are warped to meet. Only then is one faded into the other, so that no second
head is visible. Backgrounds are not warped: of two pictures from one camera, each fills in what the
person hides in the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from retarget.composite.background import blurred, without_person
from retarget.flow.arrays import Doubles, Floats, Picture

_SAME_CAMERA = 10.0
"""The largest mean difference (of 255) of two backgrounds seen by one still camera."""
_SEEN_BY_BOTH = 0.01
"""The least part of a picture that is background in both, to compare backgrounds."""
_FEATHER = 0.06
"""Width of the soft border of a picture over another, in parts of the latter's side."""
_LONGEST = 512
"""Pixels of the longer side at which flow is computed."""
_REACH = (0.2, 0.12)
"""Blur of the flow (eye distances) in each round, as single hairs have no match."""
_BEHIND = 200
"""Grey that replaces the backgrounds, so that they do not affect the flow."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Portrayed:
    """A picture and the person in it."""

    rgb: Picture
    """(height, width, 3)"""
    share: Floats
    """(height, width) how much of each pixel is the person, 0..1."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]


class Join:
    """Any picture of a morph from one to another, in the first one's size.

    Args:
        first: the first picture.
        second: the last picture.
        over: (2, 3) similarity from the first's pixels to the second's that aligns the heads.
        head: (2,) middle of the first's head, in its pixels.
        unit: pixels between the first's outer eye corners.
    """

    def __init__(
        self, first: Portrayed, second: Portrayed, over: Doubles, head: Doubles, unit: float
    ) -> None:
        self._over, self._head, self._unit = over, head, unit
        self.one_camera = _one_camera(first, second, unit)
        """Whether both show the same background. If so, the person moves before it; else the
        second's head is aligned with the first's."""
        size = first.size
        self._grid = _pixels(size)
        plates = [_plate(picture, unit) for picture in (first, second)]
        self._behind_second: Floats | Picture = plates[1].rgb
        if self.one_camera:
            self._cover = np.ones(size[::-1], np.float32)
        else:
            self._cover = _cover(second.size, _inverse(over), size)
            plates = [_all_seen(plates[0]), _all_seen(_laid(plates[1], over, size))]
        self._plates = plates
        self._behind_first = self._background(0.0)
        if self.one_camera:
            self._behind_second = self._background(1.0)

    def __call__(self, way: float, one: Portrayed, two: Portrayed, share: float) -> Picture:
        """The picture at `way` (0 the first, 1 the second).

        Args:
            way: how far everything has moved.
            one: the first picture with this moment's expression.
            two: the second picture with this moment's expression.
            share: the opacity of the second's colours.
        """
        at = _moved(
            self._grid, _inverse(self._place(way))
        )  # places in the first, with aligned heads
        flow = self._flow(one, _laid(two, self._over, one.size), way, at)
        from_one = at - np.float32(way) * flow
        from_two = _moved(at + np.float32(1 - way) * flow, self._over)
        first, first_share = _taken(one, self._behind_first, from_one)
        second, second_share = _taken(two, self._behind_second, from_two)
        part = np.float32(share) * self._cover
        person = first + part[..., None] * (second - first)
        hidden = first_share + part * (second_share - first_share)
        out = person + (1 - hidden)[..., None] * self._background(share)
        return _picture(out)

    def _place(self, way: float) -> Doubles:
        """(2, 3) similarity from the first's pixels to its head's place at `way`."""
        if not self.one_camera:
            return np.eye(2, 3)
        scale = np.sqrt(np.linalg.det(self._over[:, :2]))
        angle = way * np.arctan2(self._over[1, 0], self._over[0, 0])
        turn = scale**way * np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )
        there = self._over[:, :2] @ self._head + self._over[:, 2]
        middle = (1 - way) * self._head + way * there
        return np.hstack([turn, (middle - turn @ self._head)[:, None]])

    def _flow(self, one: Portrayed, two: Portrayed, way: float, at: Floats) -> Floats:
        """(height, width, 2) flow from the first's person to the second's, at places at `way`."""
        scale = min(1.0, _LONGEST / max(one.size))
        size = max(1, round(one.size[0] * scale)), max(1, round(one.size[1] * scale))
        grid = _pixels(size)
        flow = _flow_between(one, two, size, self._unit * scale)
        met = flow
        for _ in range(5):  # the flow at warped places, by fixed-point iteration
            met = _read(flow, grid - np.float32(way) * met, cv2.INTER_LINEAR)
        there = (at + np.float32(0.5)) * np.float32(scale) - np.float32(0.5)
        return _read(met, there, cv2.INTER_LINEAR) / np.float32(scale)

    def _background(self, share: float) -> Floats:
        """(height, width, 3) mix of both backgrounds; where only one was visible, that one."""
        first, second = self._plates
        old = (1 - share) * first.share + 1e-4  # where the second has no pixels
        new = share * second.share * self._cover
        part = (new / (old + new))[..., None]
        mixed = first.rgb + part * (second.rgb.astype(np.float32) - first.rgb)
        return np.asarray(mixed, np.float32)


def _one_camera(first: Portrayed, second: Portrayed, unit: float) -> bool:
    if first.size != second.size:
        return False
    side = max(3, round(0.06 * unit)) // 2 * 2 + 1
    nobody = cv2.erode((1 - first.share) * (1 - second.share), np.ones((side, side), np.uint8))
    if float(nobody.mean()) < _SEEN_BY_BOTH:
        return False
    apart = cv2.absdiff(first.rgb, second.rgb).mean(axis=2)
    return bool((apart * nobody).sum() / nobody.sum() < _SAME_CAMERA)


def _plate(picture: Portrayed, unit: float) -> Portrayed:
    """The background with the person's place filled; `share` is 1 where it was visible."""
    person = np.asarray(cv2.dilate(picture.share, np.ones((7, 7), np.uint8)), np.float32)
    guess = without_person(picture.rgb, person, 0.03 * unit)
    near = cv2.GaussianBlur(np.clip(4 * person, 0, 1), (0, 0), 2)
    near = np.where(picture.share > 0.004, np.float32(1), near)[..., None]
    rgb = picture.rgb + near * (guess.astype(np.float32) - picture.rgb)
    hidden = np.clip(1.5 * cv2.GaussianBlur(person, (0, 0), 0.03 * unit), 0, 1)
    seen = np.asarray(1 - hidden, np.float32)
    return Portrayed(rgb=np.asarray(np.rint(rgb), np.uint8), share=seen)


def _all_seen(plate: Portrayed) -> Portrayed:
    """The same background, as if visible everywhere."""
    return replace(plate, share=np.ones_like(plate.share))


def _taken(picture: Portrayed, behind: Floats | Picture, places: Floats) -> tuple[Floats, Floats]:
    """The person's colours times their share, and the share, sampled at (height, width, 2) places.

    The colours are the difference to the background, so that over the same background the picture
    is unchanged, with every hair.
    """
    share = picture.share[..., None]
    person = (picture.rgb - (1 - share) * behind) * np.clip(20 * share, 0, 1)
    colours = _read(person.astype(np.float32), places, cv2.INTER_CUBIC)
    return colours, _read(picture.share, places, cv2.INTER_LINEAR)


def _flow_between(one: Portrayed, two: Portrayed, size: tuple[int, int], unit: float) -> Floats:
    """(height, width, 2) from the person in one to the person in two, both in this size."""
    old, new = (_before_grey(picture, size) for picture in (one, two))
    trust = cv2.resize(one.share, size, interpolation=cv2.INTER_AREA) + np.float32(0.02)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grid = _pixels(size)
    flow = np.zeros_like(grid)
    for reach in _REACH:
        shown = _read(new, grid + flow, cv2.INTER_LINEAR)
        flow = flow + search.calc(old, np.asarray(shown, np.uint8), np.zeros_like(grid))
        wide = blurred(flow * trust[..., None], reach * unit)
        flow = wide / blurred(trust, reach * unit)[..., None]
    return flow


def _before_grey(picture: Portrayed, size: tuple[int, int]) -> Picture:
    share = picture.share[..., None]
    mixed = np.asarray(share * picture.rgb + (1 - share) * _BEHIND, np.uint8)
    small = cv2.resize(mixed, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def _laid(picture: Portrayed, over: Doubles, size: tuple[int, int]) -> Portrayed:
    """A picture warped to another, from whose pixels `over` maps to this one; edges repeated."""
    scale = float(np.sqrt(np.linalg.det(over[:, :2])))
    rgb = picture.rgb
    if scale > 1:
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.42 * scale), np.uint8)
    places = _moved(_pixels(size), over)
    return Portrayed(
        rgb=_picture(_read(rgb, places, cv2.INTER_CUBIC)),
        share=_read(picture.share, places, cv2.INTER_LINEAR),
    )


def _cover(shape: tuple[int, int], matrix: Doubles, size: tuple[int, int]) -> Floats:
    """(height, width) mask of a picture (width, height) warped by a matrix, with a soft border."""
    laid = cv2.warpAffine(np.ones(shape[::-1], np.uint8), matrix, size, flags=cv2.INTER_NEAREST)
    padded = cv2.copyMakeBorder(laid, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    away = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1] - 2
    return np.asarray(np.clip(away / max(2, _FEATHER * max(size)), 0, 1), np.float32)


def _read(values: Floats | Picture, places: Floats, method: int) -> Floats:
    """Values at (height, width, 2) places; edges are repeated."""
    across, down = places[..., 0], places[..., 1]
    out = cv2.remap(values, across, down, method, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)


def _picture(values: Floats) -> Picture:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _pixels(size: tuple[int, int]) -> Floats:
    """(height, width, 2) each pixel's own coordinates."""
    rows, columns = np.indices(size[::-1], np.float32)
    return np.stack([columns, rows], axis=-1)


def _moved(places: Floats, matrix: Doubles) -> Floats:
    return np.asarray(cv2.transform(places, matrix), np.float32)


def _inverse(matrix: Doubles) -> Doubles:
    return np.asarray(cv2.invertAffineTransform(matrix))
