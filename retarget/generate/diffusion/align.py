"""Crop faces as each network was trained.

A crop is a similarity of the frame; the same matrix maps the drawn picture back.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Doubles, Picture, Reals
from retarget.flow.crop import Crop
from retarget.flow.rigid import similarity

_RIGHT_EYE = (33, 160, 158, 133, 153, 144)
_LEFT_EYE = (362, 385, 387, 263, 373, 380)
"""The mesh points nearest to the six points of each eye in the 68-point annotation."""
_ARCFACE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
ARCFACE_SIDE, SMIRK_SIDE = 112, 224
_SMIRK_MARGIN = 1.4


def ffhq(points: Reals, side: int) -> Crop:
    """The crop of FFHQ (Karras et al. 2019), which generators of faces are trained on.

    Args:
        points: (478, 2 or 3) mesh points in pixels of the frame.
        side: width and height of the crop in pixels.
    """
    flat = np.asarray(points[:, :2], np.float64)
    right, left = flat[list(_RIGHT_EYE)].mean(axis=0), flat[list(_LEFT_EYE)].mean(axis=0)
    eyes, mouth = (right + left) / 2, flat[list(landmarks.MOUTH_CORNERS)].mean(axis=0)
    across, down = left - right, mouth - eyes
    x = across - np.array([-down[1], down[0]])
    x *= max(2.0 * np.hypot(*across), 1.8 * np.hypot(*down)) / np.hypot(*x)
    y = np.array([-x[1], x[0]])
    centre = eyes + 0.1 * down
    # The crop's edges, not the centres of its outermost pixels, lie on the square.
    to_frame = np.stack([2 * x / side, 2 * y / side, centre - x - y], axis=1)
    to_frame[:, 2] += to_frame[:, :2] @ (0.5, 0.5)
    return Crop(to_frame=to_frame, size=(side, side))


def smirk(points: Reals) -> Crop:
    """The box of the mesh, enlarged, as SMIRK's own preparation makes it."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    size = max(int(float((high - low).mean()) * _SMIRK_MARGIN), 1)
    scale = size / (SMIRK_SIDE - 1)
    corner = (low + high) / 2 - size / 2
    to_frame = np.array([[scale, 0.0, corner[0]], [0.0, scale, corner[1]]], np.float64)
    return Crop(to_frame=to_frame, size=(SMIRK_SIDE, SMIRK_SIDE))


def arcface(keypoints: Reals) -> Crop:
    """The crop that aligns five points as in ArcFace's training.

    Args:
        keypoints: (5, 2) right eye, left eye, nose tip, right and left mouth corner of the
            person, in pixels of the frame.
    """
    if np.ptp(keypoints, axis=0).max() < 1e-3:
        raise ValueError("five keypoints that lie on one another are not a face")
    to_frame = cv2.invertAffineTransform(similarity(keypoints, _ARCFACE))
    size = (ARCFACE_SIDE, ARCFACE_SIDE)
    return Crop(to_frame=np.asarray(to_frame, np.float64), size=size)


def keypoints(points: Reals) -> Doubles:
    """ArcFace's five points (5, 2) from the mesh, without a detector."""
    which = [
        landmarks.RIGHT_IRIS[0],
        landmarks.LEFT_IRIS[0],
        landmarks.NOSE_TIP,
        *landmarks.MOUTH_CORNERS,
    ]
    return np.asarray(points[which, :2], np.float64)


def cut(
    rgb: Picture, crop: Crop, *, smooth: bool = True, outside: int = cv2.BORDER_REFLECT
) -> Picture:
    """The crop's pixels.

    Args:
        rgb: the frame.
        crop: where to cut.
        smooth: average where the frame is finer than the crop, against aliasing; some networks
            were trained without.
        outside: OpenCV's border mode.
    """
    matrix = crop.to_frame.copy()
    finer = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if smooth and finer > 1.5:
        height, width = rgb.shape[:2]
        smaller = max(round(width / finer), 1), max(round(height / finer), 1)
        rgb = np.asarray(cv2.resize(rgb, smaller, interpolation=cv2.INTER_AREA), np.uint8)
        ratio = np.array([smaller[0] / width, smaller[1] / height])
        matrix[:, 2] = (matrix[:, 2] + 0.5) * ratio - 0.5
        matrix[:, :2] *= ratio[:, None]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(rgb, matrix, crop.size, flags=flags, borderMode=outside), np.uint8
    )


def face_mask(points: Reals, size: tuple[int, int]) -> Bytes:
    """A mask of the face: 255 inside, with a soft edge around the oval.

    Args:
        points: (478, 2) mesh points in pixels of the picture that is masked.
        size: its (width, height).
    """
    oval = points[list(landmarks.FACE_OVAL), :2]
    width = float(np.linalg.norm(np.ptp(oval, axis=0)))
    grown = oval.mean(axis=0) + 1.04 * (oval - oval.mean(axis=0))
    mask = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(grown).astype(np.int32)), (255.0,))
    reach = max(width * 0.03, 0.5)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), reach), np.uint8)


def within(inner: Crop, outer: Crop) -> Crop:
    """One crop of a frame as a crop of another crop's picture."""
    to_outer = outer.to_crop
    linear = to_outer[:, :2] @ inner.to_frame[:, :2]
    shift = to_outer[:, :2] @ inner.to_frame[:, 2:] + to_outer[:, 2:]
    return Crop(to_frame=np.hstack([linear, shift]), size=inner.size)
