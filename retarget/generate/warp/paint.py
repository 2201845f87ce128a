"""Basic picture operations at subpixel positions, used by all painters."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from retarget.flow.arrays import Bytes, Floats

_SHIFT = 4
Pixels = TypeVar("Pixels", Bytes, Floats)


def fill(mask: Bytes, outline: Floats, *, value: int = 255) -> None:
    """Set the inside of a polygon (n, 2) in a mask to a value, its edge by coverage."""
    cv2.fillPoly(mask, [_sixteenths(outline)], (value,), lineType=cv2.LINE_AA, shift=_SHIFT)


def stroke(mask: Bytes, line: Floats, thick: float) -> None:
    """Draw a polyline (n, 2); one thinner than a pixel is drawn fainter."""
    value = round(255 * min(1.0, max(thick, 0.05)))
    cv2.polylines(
        mask, [_sixteenths(line)], False, (value,), max(1, round(thick)), cv2.LINE_AA, _SHIFT
    )


def _sixteenths(points: Floats) -> npt.NDArray[np.int32]:
    return np.asarray(np.rint(points * (1 << _SHIFT)), np.int32)


def blurred(picture: Pixels, deviation: float) -> Pixels:
    """A Gaussian blur; the picture itself where the blur would be invisible."""
    if deviation < 0.3:
        return picture
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), deviation), picture.dtype)


def averaged(picture: Floats, deviation: float) -> Floats:
    """Approximate Gaussian blur of (h, w) or (h, w, channels) at a cost independent of its width.

    Args:
        picture: float32.
        deviation: in pixels.
    """
    reach = max(1, round(deviation * np.sqrt(6) - 1))  # a triangle's deviation is (reach + 1) / √6
    return np.asarray(cv2.stackBlur(picture, (2 * reach + 1, 2 * reach + 1)), picture.dtype)


def read(picture: Pixels, where: Floats) -> Pixels:
    """The picture linearly interpolated at positions (h, w, 2), repeating its edge outside."""
    return _read(picture, where, cv2.INTER_LINEAR)


def read_finely(picture: Pixels, where: Floats) -> Pixels:
    """As `read`, with a sharper and slower filter."""
    return _read(picture, where, cv2.INTER_CUBIC)


def _read(picture: Pixels, where: Floats, how: int) -> Pixels:
    border = cv2.BORDER_REPLICATE
    out = cv2.remap(picture, where, None, how, borderMode=border)  # type: ignore[call-overload]
    return np.asarray(out, picture.dtype)


def placed(
    picture: Pixels, place: npt.NDArray[np.float64], size: tuple[int, int], *, repeat: bool = False
) -> Pixels:
    """A picture moved by an affine map (2, 3) onto a canvas (width, height).

    Args:
        picture: (h, w, channels).
        place: map from its pixels to the canvas.
        size: (width, height) of the canvas.
        repeat: whether its edge is repeated outside; otherwise zero.
    """
    border = cv2.BORDER_REPLICATE if repeat else cv2.BORDER_CONSTANT
    out = cv2.warpAffine(picture, place, size, flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(out, picture.dtype)


def box_of(points: Floats, margin: float, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
    """Rows and columns of a picture around points (n, 2); None where they lie outside it."""
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    left, top = (max(math.floor(v - margin), 0) for v in (left, top))
    right = min(math.ceil(right + margin) + 1, shape[1])
    bottom = min(math.ceil(bottom + margin) + 1, shape[0])
    if right - left < 3 or bottom - top < 3:
        return None
    return slice(top, bottom), slice(left, right)


def per_channel(values: Floats) -> Floats:
    """(h, w, 3) the values (h, w) repeated for each channel.

    numpy multiplies equal shapes ten times as fast as it broadcasts over channels.
    """
    return np.asarray(cv2.merge((values, values, values)), values.dtype)


def colours(picture: Bytes, points: Floats) -> Floats:
    """(n, 3) a picture's colours at the pixels nearest to points (n, 2), 0..255."""
    at = np.clip(np.rint(points).astype(int), 0, (picture.shape[1] - 1, picture.shape[0] - 1))
    return np.asarray(picture[at[:, 1], at[:, 0]], np.float32)


def to_bytes(picture: npt.NDArray[np.floating[Any]]) -> Bytes:
    """The picture rounded and clipped to 0..255."""
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


def ramp(ends: tuple[float, float], x: Floats) -> Floats:
    """0 below the first end, 1 above the second, linear between."""
    low, high = ends
    return np.clip((x - np.float32(low)) / np.float32(high - low), 0, 1)
