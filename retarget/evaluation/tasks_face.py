"""Read a face with MediaPipe's Tasks FaceLandmarker: 52 scores, mesh, head pose, gaze.

A result is driven by MediaPipe's older face mesh. This bundle is another release of networks, with
a blendshape network that is never used for driving, but of the same family: errors common to both
stay hidden. `dlib_face` is independent of that family.

Every picture is read by itself. MediaPipe's video mode would smooth: it hides jitter, shrinks quick
movements and lags a third of a frame. Instead each face is read from several slightly different
crops, which are averaged: on painted faces the noise of a single crop alone would lower every
correlation by a tenth. The spread of the crops gives the noise. A large face is shrunk first, as
MediaPipe samples a network's input without a filter, and fine grain would move its points.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Doubles, Picture
from retarget.flow.crop import Crop
from retarget.flow.quiet import quiet
from retarget.flow.shutdown import unbroken

_EYEBALL = 0.4
"""Radius of the eyeball (12 mm) in widths of the eye's opening (30 mm)."""
_ORDER = [n for n in blendshapes.NAMES if n != "tongueOut"]
_CUTS = ((0.05, -0.03, 1.08, 5.0), (-0.05, 0.03, 0.93, -5.0))
"""The looks beside the whole picture: shift right and down in sizes of the face, enlargement, and
degrees of turn. They are opposite, so that what each of them shifts cancels out."""
LOOKS = 1 + len(_CUTS)
"""The number of looks at each frame that are averaged."""
_AROUND = 2.2
"""Width of a cut in sizes of the face, with a margin for the detector."""
_LARGEST = 170.0
"""Size of a face in pixels up to which the network's input is no smaller than what it shows."""
_ELSEWHERE = 0.1
"""Mean distance of two meshes, in sizes of the face, from which on they are of two faces."""


@dataclass(frozen=True, slots=True, eq=False)
class TasksFace:
    """The bundle's reading of one picture."""

    scores: Doubles
    """(52,) 0..1 in the order of `blendshapes.NAMES`; tongueOut, which it lacks, is 0."""
    points: Doubles
    """(478, 2) pixels."""
    gaze: Doubles
    """(2,) degrees against the head: yaw (positive to the person's left), pitch (up)."""
    pose: Doubles
    """(3,) degrees: yaw, pitch, roll, as `HeadPose.angles`."""
    looks: Doubles
    """(n, 52) the scores of each look by itself, `LOOKS` of them where none failed."""


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What one look saw, in the whole picture's pixels."""

    scores: Doubles
    points: Doubles
    """(478, 3)"""
    rotation: Doubles


class TasksEstimator:
    """The bundle (face_landmarker.task), opened; use it in a `with` block."""

    def __init__(self, bundle: Path) -> None:
        import mediapipe as mp
        from mediapipe.tasks.python import BaseOptions, vision

        self._image: Any = lambda rgb: mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb)
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(bundle)),
            running_mode=vision.RunningMode.IMAGE,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        with quiet():
            self._landmarker: Any = vision.FaceLandmarker.create_from_options(options)
            self._landmarker.detect(self._image(np.zeros((64, 64, 3), np.uint8)))

    def __enter__(self) -> TasksEstimator:
        return self

    def __exit__(self, *_: object) -> None:
        self._landmarker.close()

    def read(self, rgb: Picture) -> TasksFace | None:
        """The most certain face of a picture (height, width, 3); None where there is none.

        The head's rotation is read in the whole picture only, whose perspective it depends on.
        """
        found = self._first_look(rgb)
        if found is None:
            return None
        picture, first = found
        again = (self._look_again(picture, first, cut) for cut in _CUTS)
        every = [first, *(look for look in again if look is not None)]
        points: Doubles = np.mean([look.points for look in every], axis=0)
        scores = np.array([look.scores for look in every])
        return TasksFace(
            scores=scores.mean(axis=0),
            points=points[:, :2] * np.divide(rgb.shape[1::-1], picture.shape[1::-1]),
            gaze=_gaze(points, first.rotation),
            pose=_angles(first.rotation),
            looks=scores,
        )

    def _first_look(self, rgb: Picture) -> tuple[Picture, _Look] | None:
        """The picture, shrunk where its face is large, and what is seen in it."""
        look = self._look(rgb)
        if look is None:
            return None
        shrink = _LARGEST / _size(look.points[:, :2])
        if shrink >= 1:
            return rgb, look
        size = [max(round(shrink * side), 1) for side in rgb.shape[1::-1]]
        small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        again = self._look(small)
        return (rgb, look) if again is None else (small, again)

    @unbroken()
    def _look(self, rgb: Picture) -> _Look | None:
        found = self._landmarker.detect(self._image(np.ascontiguousarray(rgb)))
        if not found.face_landmarks or not found.face_blendshapes:
            return None
        height, width = rgb.shape[:2]
        raw = np.array([(p.x, p.y, p.z) for p in found.face_landmarks[0]], float)
        return _Look(
            scores=_scores(found.face_blendshapes[0]),
            points=raw * np.array([width, height, width], float),
            rotation=np.asarray(found.facial_transformation_matrixes[0], float)[:3, :3],
        )

    def _look_again(
        self, rgb: Picture, first: _Look, cut: tuple[float, float, float, float]
    ) -> _Look | None:
        """The same face, cut out and read anew; None where the cut shows another one."""
        crop, size = _cut(first.points[:, :2], cut)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        part = cv2.warpAffine(
            rgb, crop.to_frame, crop.size, flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        seen = self._look(np.asarray(part, np.uint8))
        if seen is None:
            return None
        depth = seen.points[:, 2:] / cut[2]
        points = np.hstack([crop.points_to_frame(seen.points), depth])
        apart = np.linalg.norm(points[:, :2] - first.points[:, :2], axis=1).mean()
        if apart > _ELSEWHERE * size:
            return None
        return _Look(scores=seen.scores, points=points, rotation=seen.rotation)


class ReadingNoise:
    """Standard deviation of the scores that comes from reading, not from the face.

    The looks at one frame show one face, so what moves between them is noise. A look's steady
    offset is not: it is there in every frame.
    """

    def __init__(self) -> None:
        self._count = 0
        self._sum: Doubles = np.zeros((LOOKS, blendshapes.COUNT))
        self._squares: Doubles = np.zeros((LOOKS, blendshapes.COUNT))

    def add(self, face: TasksFace | None) -> None:
        """Count one frame in; one that not every look could read is left out."""
        if face is None or len(face.looks) < LOOKS:
            return
        apart = face.looks - face.scores
        self._count += 1
        self._sum += apart
        self._squares += apart**2

    def of_the_mean(self) -> Doubles | None:
        """(52,) of the mean of all looks; None where no frame was counted."""
        if self._count == 0:
            return None
        mean = self._sum / self._count
        single = np.maximum(self._squares / self._count - mean**2, 0).sum(axis=0) / (LOOKS - 1)
        return np.asarray(np.sqrt(single / LOOKS))


def _cut(points: Doubles, cut: tuple[float, float, float, float]) -> tuple[Crop, float]:
    """The crop of one of `_CUTS` around a face of points (478, 2), and the face's size."""
    right, down, grow, turn = cut
    low, high = points.min(axis=0), points.max(axis=0)
    size = _size(points)
    side = max(round(_AROUND * size), 2)
    cos, sin = np.cos(np.radians(turn)) / grow, np.sin(np.radians(turn)) / grow
    linear = np.array([[cos, -sin], [sin, cos]])
    middle = (low + high) / 2 + size * np.array([right, down])
    shift = middle - linear @ np.full(2, (side - 1) / 2)
    return Crop(to_frame=np.column_stack([linear, shift]), size=(side, side)), size


def _size(points: Doubles) -> float:
    """The larger side of a face of points (n, 2) in pixels, at least 1."""
    return max(float(np.ptp(points, axis=0).max()), 1.0)


def _scores(categories: Any) -> Doubles:
    by_name = {c.category_name: c.score for c in categories}
    return np.array([*(by_name.get(n, 0.0) for n in _ORDER), 0.0])


def _angles(rotation: Doubles) -> Doubles:
    """(yaw, pitch, roll) in degrees from the bundle's rotation (x right, y up, z to the camera)."""
    from retarget.flow.values import HeadPose

    flip = np.diag([1.0, -1.0, -1.0])  # to x right, y down, z away
    u, _, vt = np.linalg.svd(flip @ rotation @ flip)
    return np.array(HeadPose(rotation=u @ vt, translation=np.zeros(3), scale=1.0).angles)


def _gaze(points: Doubles, rotation: Doubles) -> Doubles:
    """Mean gaze of both eyes in degrees from where the iris lies between the lids' corners.

    The iris sits on a ball whose radius is 0.4 of the eye's width; the turn of the ball that
    brings it there is the gaze. The zero is the person's own: compare changes, not values.
    """
    flip = np.diag([1.0, -1.0, -1.0])
    to_head = flip @ np.linalg.inv(rotation) @ flip
    angles = []
    for outer, inner, iris in (
        (landmarks.RIGHT_EYE_OUTER, landmarks.RIGHT_EYE_INNER, landmarks.RIGHT_IRIS[0]),
        (landmarks.LEFT_EYE_OUTER, landmarks.LEFT_EYE_INNER, landmarks.LEFT_IRIS[0]),
    ):
        middle = (points[outer] + points[inner]) / 2
        radius = _EYEBALL * float(np.linalg.norm(points[outer] - points[inner]))
        x, y, _ = to_head @ (points[iris] - middle) / max(radius, 1e-6)
        angles.append(np.degrees(np.arcsin(np.clip([x, -y], -1.0, 1.0))))
    return np.asarray(np.mean(angles, axis=0))
