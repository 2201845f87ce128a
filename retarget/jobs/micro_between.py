"""From one real picture of a person to another, through blendshape space.

Both photos act: each does what lies between the two expressions, and the picture passes from the
first, at whose own expression the way begins, to the second, at whose own it ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np

from retarget.flow.crop import Crop
from retarget.flow.values import (
    ExpressedFrame,
    Expression,
    Face,
    FinishedFrame,
    HeadPose,
    Identity,
    Instant,
    Measurement,
    VideoFrame,
)
from retarget.jobs.act import Actor

if TYPE_CHECKING:
    import numpy.typing as npt


_FEATHER = 0.06
"""Width of the soft border of the second photo, in sides of the first."""


def between(one: Expression, two: Expression, way: float) -> Expression:
    """An expression on the way from one (0) to the other (1), with what was measured of both."""
    weights = (1 - way) * one.weights + way * two.weights
    a, b = one.measured, two.measured
    measured = None
    if a is not None and b is not None:
        detail = None
        if a.detail is not None and b.detail is not None:
            detail = ((1 - way) * a.detail + way * b.detail).astype(np.float32)
        measured = Measurement(
            gaze=((1 - way) * a.gaze + way * b.gaze).astype(np.float32),
            aperture=((1 - way) * a.aperture + way * b.aperture).astype(np.float32),
            lip_gap=(1 - way) * a.lip_gap + way * b.lip_gap,
            detail=detail,
        )
    return Expression(weights=weights.astype(np.float32), measured=measured)


def transition(
    first: Actor,
    second: Actor,
    cover: npt.NDArray[np.float32],
    ways: Sequence[float],
    rate: Fraction,
) -> Iterator[FinishedFrame]:
    """One frame for each way (0 the first photo, 1 the second), in the first photo's size.

    Args:
        first: the first photo.
        second: the second, laid over the first by `aligned`.
        cover: (height, width) where the second has pixels, as `aligned` says.
        ways: 0..1, one for each frame.
        rate: frames per second.
    """
    one, two = first.identity, second.identity
    turn = two.pose.rotation @ one.pose.rotation.T
    expressions = [between(one.expression, two.expression, way) for way in ways]
    leaving = _frames(expressions, [_part(turn, way) for way in ways], rate)
    coming = _frames(expressions, [_part(turn, way - 1) for way in ways], rate)
    pairs = zip(first.perform(leaving), second.perform(coming), ways, strict=True)
    for old, new, way in pairs:
        share = np.float32(way) * cover
        mixed = old.frame.rgb + share[..., None] * (
            new.frame.rgb.astype(np.float32) - old.frame.rgb
        )
        yield replace(old, frame=replace(old.frame, rgb=np.rint(mixed).astype(np.uint8)))


def aligned(photo: Identity, to: Identity) -> tuple[Identity, npt.NDArray[np.float32]]:
    """A photo moved, turned and scaled in its plane so that its head lies on another's.

    Returns:
        The photo in the other's size, and (height, width) 0..1 where it has pixels.
    """
    matrix = _similarity(photo.pose, to.pose)
    size = to.frame.size
    crop = Crop(to_frame=matrix, size=photo.frame.size)
    picture = photo.frame.rgb
    scale = to.pose.scale / photo.pose.scale
    if scale < 1:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.42 / scale), np.uint8)
    shown = cv2.warpAffine(
        picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    points = photo.face.points.copy()
    points[:, :2] = crop.points_to_frame(points[:, :2])
    points[:, 2] *= scale
    roll = np.eye(3)
    roll[:2, :2] = matrix[:, :2] / scale
    place = photo.pose.translation * scale
    place[:2] = crop.points_to_frame(photo.pose.translation[None, :2])[0]
    pose = HeadPose(
        rotation=roll @ photo.pose.rotation, translation=place, scale=photo.pose.scale * scale
    )
    frame = VideoFrame(rgb=np.asarray(shown, np.uint8), index=0, at=photo.frame.at)
    laid = replace(photo, frame=frame, face=Face(points=points), pose=pose)
    return laid, _cover(picture.shape[:2], matrix, size)


def _similarity(photo: HeadPose, to: HeadPose) -> npt.NDArray[np.float64]:
    angle = np.radians(to.angles[2] - photo.angles[2])
    scale = to.scale / photo.scale
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = to.translation[:2] - turn @ photo.translation[:2]
    return np.hstack([turn, shift[:, None]])


def _part(turn: npt.NDArray[np.float64], share: float) -> npt.NDArray[np.float64]:
    """A share, of either sign, of a rotation."""
    axis, _ = cv2.Rodrigues(turn)
    part, _ = cv2.Rodrigues(axis * share)
    return np.asarray(part, np.float64)


def _frames(
    expressions: Sequence[Expression],
    turns: Sequence[npt.NDArray[np.float64]],
    rate: Fraction,
) -> Iterator[ExpressedFrame]:
    for i, (expression, turn) in enumerate(zip(expressions, turns, strict=True)):
        yield ExpressedFrame(
            index=i,
            at=Instant(i, 1 / rate),
            duration=1 / rate,
            expression=expression,
            pose=HeadPose(rotation=turn, translation=np.zeros(3), scale=1.0),
        )


def _cover(
    shape: tuple[int, ...], matrix: npt.NDArray[np.float64], size: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """(height, width) where a photo laid over another has pixels, with a soft border."""
    laid = cv2.warpAffine(np.ones(shape, np.uint8), matrix, size, flags=cv2.INTER_NEAREST)
    padded = cv2.copyMakeBorder(laid, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    away = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1] - 2
    return np.clip(away / max(2, _FEATHER * max(size)), 0, 1).astype(np.float32)
