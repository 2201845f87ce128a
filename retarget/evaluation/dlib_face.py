"""Read a face with dlib: 68 landmarks, their ratios, and who it is.

dlib's detector (gradient histograms), landmarks (a cascade of regression trees) and recogniser
share neither networks nor training data with MediaPipe, so their figures do not depend on the
family of estimators that drives the result. They are noisier: compare them, do not read them as
absolute. The files come with the package `face_recognition_models`; nothing is fetched.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from retarget.errors import MissingPackage
from retarget.extras import extra
from retarget.flow.arrays import Doubles, Picture

SAME_PERSON = 0.6
"""dlib's own threshold on the distance of two descriptors (99.38 % right on LFW)."""

_FACE = 96
"""Pixels to which a face is scaled before the detector, trained at 80, searches it again."""
_BOXES = (
    (0.0, 0.0, 0.0),
    (0.05, 0.05, 0.05), (-0.05, -0.05, -0.05), (0.05, -0.05, 0.0), (-0.05, 0.05, 0.0),
    (0.03, 0.0, -0.06), (-0.03, 0.0, 0.06), (0.0, 0.03, 0.03), (0.0, -0.03, -0.03),
)  # fmt: skip
"""Shifts and growth, in widths, of the boxes whose landmarks are averaged: the trees are sensitive
to the box, which jumps by steps of the detector's grid. Nine boxes instead of one halve jitter."""

_SURE = 0.4
"""Part of the best detection's score below which others are not faces: badges, folds of cloth and
patterns score a tenth of a face."""

Box = tuple[float, float, float]
"""left, top, width of a square in pixels."""


def model_folder() -> Path:
    """Where `face_recognition_models` keeps its files.

    Found without importing the package, which needs a part of setuptools that newer ones lack.

    Raises:
        MissingPackage: it is not installed.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise MissingPackage(
            "Measuring identity needs the package 'face_recognition_models', "
            "which is not installed.",
            do="Install it with: pip install 'retarget[evaluate]'",
        )
    return Path(next(iter(spec.submodule_search_locations))) / "models"


class DlibModels:
    """dlib's detector, landmarks and recogniser (130 MB, about 3 s)."""

    def __init__(self) -> None:
        with extra("evaluate", purpose="Measuring faces with dlib"):
            import dlib
        folder = model_folder()
        self.dlib: Any = dlib
        self.detector: Any = dlib.get_frontal_face_detector()
        self.shape: Any = dlib.shape_predictor(
            str(folder / "shape_predictor_68_face_landmarks.dat")
        )
        self.recogniser: Any = dlib.face_recognition_model_v1(
            str(folder / "dlib_face_recognition_resnet_model_v1.dat")
        )

    def descriptor(self, rgb: Picture, points: Doubles) -> Doubles:
        """(128,) descriptor of the person whose face has these 68 points."""
        at = [self.dlib.point(round(x), round(y)) for x, y in points]
        low, high = points.min(axis=0), points.max(axis=0)
        box = self.dlib.rectangle(*(round(float(v)) for v in (*low, *high)))
        shape = self.dlib.full_object_detection(box, at)
        return np.array(self.recogniser.compute_face_descriptor(rgb, shape))


@cache
def dlib_models() -> DlibModels:
    """The models, loaded once for the whole process; they have no state."""
    return DlibModels()


class DlibEstimator:
    """Reads 68 points frame by frame; one for each video, as it remembers where the face was."""

    def __init__(self, models: DlibModels) -> None:
        self._models = models
        self._around: Box | None = None

    def read(self, rgb: Picture) -> Doubles | None:
        """(68, 2) points in pixels of the largest face; None where there is none."""
        box = self._near(rgb) or self._anywhere(rgb)
        if box is None:
            self._around = None
            return None
        if self._around is None or _strayed(box, self._around):
            self._around = box
        return np.asarray(np.mean([self._points(rgb, box, *s) for s in _BOXES], axis=0))

    def _near(self, rgb: Picture) -> Box | None:
        """Search around where the face was, at the scale that suits the detector.

        The searched area moves only when the face leaves it: the detector's grid moves with it, and
        a still face must be found at the same place again.
        """
        if self._around is None:
            return None
        left, top, width = self._around
        margin, scale = 0.35 * width, _FACE / width
        side = round(_FACE * 1.7)
        to_crop = np.array(
            [[scale, 0, -scale * (left - margin)], [0, scale, -scale * (top - margin)]]
        )
        crop = cv2.warpAffine(
            rgb, to_crop, (side, side), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
        )
        found = self._largest(crop, 0)
        if found is None:
            return None
        x, y, w = found
        return x / scale + left - margin, y / scale + top - margin, w / scale

    def _anywhere(self, rgb: Picture) -> Box | None:
        """Search the whole picture, first small, then with small faces enlarged."""
        longest = max(rgb.shape[:2])
        for side in (512, 1280):
            scale = min(1.0, side / longest)
            small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            found = self._largest(np.asarray(small, np.uint8), 0 if side == 512 else 1)
            if found is not None:
                x, y, w = found
                return x / scale, y / scale, w / scale
        return None

    def _largest(self, rgb: npt.NDArray[Any], enlarge: int) -> Box | None:
        found, scores, _ = self._models.detector.run(np.ascontiguousarray(rgb), enlarge, 0.0)
        if not found:
            return None
        sure = [r for r, s in zip(found, scores, strict=True) if s >= _SURE * max(scores)]
        best = max(sure, key=lambda r: r.width())
        return float(best.left()), float(best.top()), float(best.width())

    def _points(self, rgb: Picture, box: Box, right: float, down: float, grow: float) -> Doubles:
        left, top, width = box
        left += (right - grow / 2) * width
        top += (down - grow / 2) * width
        side = width * (1 + grow)
        corners = (left, top, left + side, top + side)
        shape = self._models.shape(rgb, self._models.dlib.rectangle(*map(round, corners)))
        return np.array([(p.x, p.y) for p in shape.parts()], float)


def _strayed(box: Box, around: Box) -> bool:
    """True where a face has moved or grown by more than 15 % of its width."""
    apart = max(abs(a - b) for a, b in zip(box, around, strict=True))
    return apart > 0.15 * around[2]


def eye_distance(points: Doubles) -> float:
    """Pixels between the outer eye corners of points (68, 2)."""
    return float(np.linalg.norm(points[36] - points[45]))


def ratios(points: Doubles) -> Doubles:
    """(7,) landmark ratios of 68 points, in the order of `values.RATIOS`.

    Openings of the eyes in widths of that eye; everything else in distances of the outer eye
    corners: brows above the eyes, lips apart (inner rims), mouth corner to corner, and corners
    above the middle of the lips. Free of position, size and roll of the face. After the landmark
    amplitude ratios (LMS) of EmojiDiff, arXiv 2412.01254, whose exact list is not public.
    """
    unit = max(eye_distance(points), 1e-6)
    across = (points[45] - points[36]) / unit
    down = np.array([-across[1], across[0]])
    # dlib counts along the picture: points 36..41 are the person's right eye.
    right, left = points[36:42], points[42:48]
    lips = (points[62] + points[66]) / 2
    corners = (points[48] + points[54]) / 2
    return np.array(
        [
            _opening(left),
            _opening(right),
            (left.mean(axis=0) - points[22:27].mean(axis=0)) @ down / unit,
            (right.mean(axis=0) - points[17:22].mean(axis=0)) @ down / unit,
            np.linalg.norm(points[62] - points[66]) / unit,
            np.linalg.norm(points[48] - points[54]) / unit,
            (lips - corners) @ down / unit,
        ]
    )


def _opening(eye: Doubles) -> float:
    """Lid distance of six eye points in widths of the eye (the eye aspect ratio)."""
    lids = np.linalg.norm(eye[1] - eye[5]) + np.linalg.norm(eye[2] - eye[4])
    return float(lids / 2 / max(float(np.linalg.norm(eye[0] - eye[3])), 1e-6))
