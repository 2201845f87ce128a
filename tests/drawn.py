"""What the warp makes of requests, as whole pictures, for its tests."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from retarget.flow.arrays import Picture
from retarget.flow.values import (
    ExpressedFrame,
    FaceRequest,
    GeneratedFace,
    Identity,
    TrackedFrame,
)
from retarget.generate.warp.warp import WarpGenerator


def draw(warp: WarpGenerator, request: FaceRequest) -> GeneratedFace:
    return next(iter(warp(iter([request]))))


def whole(face: GeneratedFace) -> Picture:
    """The photo with the crop pasted in."""
    out = face.request.identity.frame.rgb.copy()
    assert face.crop.offset is not None
    left, top = face.crop.offset
    height, width = face.rgb.shape[:2]
    out[top : top + height, left : left + width] = face.rgb
    return out


def around(identity: Identity, points: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """(height, width) the polygon of some points of the photo's mesh."""
    mask = np.zeros(identity.frame.rgb.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(identity.face.points[list(points), :2]).astype(np.int32)], (1,))
    return mask > 0


def seen(other: Identity) -> ExpressedFrame:
    """Someone as a driving moment with its pixels."""
    frame = other.frame
    return ExpressedFrame(
        index=0, at=frame.at, duration=frame.duration, expression=other.expression,
        pose=other.pose, tracked=TrackedFrame(frame=frame, face=other.face),
    )  # fmt: skip
