"""Read a face with MediaPipe's Tasks FaceLandmarker: 52 scores, mesh, head pose, gaze.

A result is driven by MediaPipe's older face mesh. This bundle is another network release, with a
blendshape network that the product never drives with, but of the same family: where both err
alike, the error is not seen. `dlib_face` is the witness from outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from retarget.evaluation.values import Floats
from retarget.flow import blendshapes, landmarks

NAME = "MediaPipe FaceLandmarker (Tasks bundle)"
_EYEBALL = 0.4
"""Radius of the eyeball (12 mm) in widths of the eye's opening (30 mm)."""
_ORDER = [n for n in blendshapes.NAMES if n != "tongueOut"]


@dataclass(frozen=True, slots=True, eq=False)
class TasksFace:
    """What the bundle says about one picture."""

    scores: Floats
    """(52,) 0..1 in the order of `blendshapes.NAMES`; tongueOut, which it lacks, is 0."""
    points: Floats
    """(478, 2) pixels."""
    gaze: Floats
    """(2,) degrees against the head: yaw (positive to the person's left), pitch (up)."""
    pose: Floats
    """(3,) degrees: yaw, pitch, roll, as `HeadPose.angles`."""


class TasksEstimator:
    """The bundle, opened; use it in a `with` block.

    Args:
        bundle: face_landmarker.task.
        smooth: MediaPipe's video mode, which follows and smooths; else every picture by itself.
    """

    def __init__(self, bundle: Path, *, smooth: bool = False) -> None:
        import mediapipe as mp
        from mediapipe.tasks.python import BaseOptions, vision

        mode = vision.RunningMode.VIDEO if smooth else vision.RunningMode.IMAGE
        self._smooth = smooth
        self._last = -1
        self._image: Any = lambda rgb: mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb)
        self._landmarker: Any = vision.FaceLandmarker.create_from_options(
            vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(bundle)),
                running_mode=mode,
                output_face_blendshapes=True,
                output_facial_transformation_matrixes=True,
            )
        )

    def __enter__(self) -> TasksEstimator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._landmarker.close()

    def read(self, rgb: npt.NDArray[np.uint8], seconds: float) -> TasksFace | None:
        """The most certain face of a picture (height, width, 3); None where there is none."""
        image = self._image(np.ascontiguousarray(rgb))
        if self._smooth:
            self._last = max(self._last + 1, round(seconds * 1000))  # it insists on rising times
            found = self._landmarker.detect_for_video(image, self._last)
        else:
            found = self._landmarker.detect(image)
        if not found.face_landmarks or not found.face_blendshapes:
            return None
        height, width = rgb.shape[:2]
        raw = np.array([(p.x, p.y, p.z) for p in found.face_landmarks[0]], float)
        points = raw * np.array([width, height, width], float)
        rotation = np.asarray(found.facial_transformation_matrixes[0], float)[:3, :3]
        return TasksFace(
            scores=_scores(found.face_blendshapes[0]),
            points=points[:, :2],
            gaze=_gaze(points, rotation),
            pose=_angles(rotation),
        )


def _scores(categories: Any) -> Floats:
    by_name = {c.category_name: c.score for c in categories}
    return np.array([*(by_name.get(n, 0.0) for n in _ORDER), 0.0])


def _angles(rotation: Floats) -> Floats:
    """(yaw, pitch, roll) in degrees from the bundle's rotation (x right, y up, z to the camera)."""
    from retarget.flow.values import HeadPose

    flip = np.diag([1.0, -1.0, -1.0])  # to x right, y down, z away
    u, _, vt = np.linalg.svd(flip @ rotation @ flip)
    return np.array(HeadPose(rotation=u @ vt, translation=np.zeros(3), scale=1.0).angles)


def _gaze(points: Floats, rotation: Floats) -> Floats:
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
    out: Floats = np.mean(angles, axis=0)
    return out
