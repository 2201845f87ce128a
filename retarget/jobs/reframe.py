"""Crop and scale a photo together with everything that is known about the face in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from retarget.flow.arrays import Doubles, Picture
from retarget.flow.crop import Crop
from retarget.flow.values import Face, Identity, VideoFrame

TILE = 1.45
"""Side of a tile of a sheet, in multiples of the face's larger side."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a photo in pixels; outside the photo its edge pixels are repeated."""

    left: float
    top: float
    width: float
    height: float


def around_face(identity: Identity, sides: float) -> Box:
    """A square around a face, its side `sides` times the larger side of the face."""
    low, high = _face(identity)
    side = sides * float(max(high - low))
    middle = (low + high) / 2
    return Box(float(middle[0]) - side / 2, float(middle[1]) - side / 2, side, side)


def on_face(
    identity: Identity, size: tuple[int, int], share: tuple[float, float], down: float
) -> Box:
    """The part of a photo, within its edges, in which the face has a given share of the picture.

    Args:
        identity: the analysed photo.
        size: (width, height) of the new picture; only the aspect ratio counts.
        share: the largest (width, height) of the face in parts of the picture's; one of the two is
            reached where the photo is large enough.
        down: the wanted middle of the face, in parts of the picture's height from its top.
    """
    across, tall = identity.frame.size
    low, high = _face(identity)
    for_width, for_height = (high - low) / share
    height = min(max(for_width * size[1] / size[0], for_height), tall, across * size[1] / size[0])
    width = height * size[0] / size[1]
    middle = (low + high) / 2
    left = float(np.clip(middle[0] - width / 2, 0, across - width))
    top = float(np.clip(middle[1] - down * height, 0, tall - height))
    return Box(left, top, width, height)


def within_size(identity: Identity, longest: int) -> Identity:
    """The identity in a picture whose longer side is at most `longest` pixels."""
    width, height = identity.frame.size
    factor = longest / max(width, height)
    if factor >= 1:
        return identity
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return reframed(identity, Box(0.0, 0.0, height * size[0] / size[1], height), size)


def reframed(identity: Identity, box: Box, size: tuple[int, int]) -> Identity:
    """The identity in a crop of its photo, cheaper to draw where a face is shown small.

    Args:
        identity: the analysed photo.
        box: the part to show, in the aspect ratio of `size`.
        size: (width, height) of the new picture in pixels.
    """
    crop, scale = crop_of(box, size), box.height / size[1]
    points = identity.face.points.copy()
    points[:, :2] = crop.points_to_crop(points[:, :2])
    points[:, 2] /= scale
    place = identity.pose.translation / scale
    place[:2] = crop.points_to_crop(identity.pose.translation[None, :2])[0]
    shown = cut_out(identity.frame.rgb, crop)
    return replace(
        identity,
        frame=VideoFrame(rgb=shown, index=identity.frame.index, at=identity.frame.at),
        face=Face(points=points, scores=identity.face.scores),
        pose=replace(identity.pose, translation=place, scale=identity.pose.scale / scale),
        person=None,
    )


def _face(identity: Identity) -> tuple[Doubles, Doubles]:
    points = identity.face.points[:, :2].astype(np.float64)
    return points.min(0), points.max(0)


def crop_of(box: Box, size: tuple[int, int]) -> Crop:
    """The map from the pixels of a picture of (width, height) that shows `box` to the photo."""
    scale = box.height / size[1]
    centre = (scale - 1) / 2  # pixel centres are whole numbers
    matrix = np.array([[scale, 0.0, box.left + centre], [0.0, scale, box.top + centre]])
    return Crop(to_frame=matrix, size=size)


def cut_out(rgb: Picture, crop: Crop) -> Picture:
    """The crop's picture; outside the photo its edge pixels are repeated."""
    scale = float(crop.to_frame[0, 0])
    if scale > 1:  # blur before scaling down, against aliasing
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.42 * scale), np.uint8)
    way = cv2.INTER_LINEAR if scale > 1 else cv2.INTER_CUBIC
    out = cv2.warpAffine(
        rgb,
        crop.to_frame,
        crop.size,
        flags=cv2.WARP_INVERSE_MAP | way,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(out, np.uint8)
