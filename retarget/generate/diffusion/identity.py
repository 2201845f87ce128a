"""The ArcFace vector of a person, from one photo or several.

Arc2Face was trained on vectors of its own recogniser, of faces found by insightface's detector
(SCRFD, Guo et al., arXiv 2105.04714). Both are ONNX files and run without insightface itself.
Without the detector, five points of the mesh are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from retarget.errors import MissingModel, NoFaceFound
from retarget.extras import extra
from retarget.flow.arrays import Doubles, Floats, Picture, Reals
from retarget.generate.diffusion import align

LICENCE = (
    "The face recogniser and detector come from insightface's packs, which are licensed for "
    "non-commercial research only."
)
_SIDE, _CERTAIN, _OVERLAP = 640, 0.5, 0.4
_STRIDES, _ANCHORS = (8, 16, 32), 2


class Recogniser:
    """ArcFace in ONNX: (3, 112, 112) → 512 numbers."""

    def __init__(self, path: Path) -> None:
        self._session = _open(path)
        shape = self._session.get_inputs()[0].shape[1:]
        width = self._session.get_outputs()[0].shape[-1]
        if list(shape) != [3, align.ARCFACE_SIDE, align.ARCFACE_SIDE] or width != 512:
            raise MissingModel(
                f"{path} is not an ArcFace network with 512 numbers.",
                do="Use the arcface.onnx that Arc2Face publishes.",
            )

    def __call__(self, rgb: Picture, keypoints: Reals) -> Floats:
        """(512,) unit vector of the face with five keypoints."""
        crop = align.arcface(keypoints)
        face = align.cut(rgb, crop, smooth=False, outside=cv2.BORDER_CONSTANT)
        pixels = (face.astype(np.float32) - 127.5) / 127.5
        (vector,) = _run(self._session, pixels)
        return unit(vector[0])


class Detector:
    """SCRFD with five keypoints in ONNX."""

    def __init__(self, path: Path) -> None:
        self._session = _open(path)
        self._path = path
        if len(self._session.get_outputs()) != 3 * len(_STRIDES):
            raise MissingModel(
                f"{path} is not a face detector with keypoints.",
                do="Use scrfd_10g_bnkps.onnx of the pack antelopev2.",
            )

    def __call__(self, rgb: Picture) -> Doubles | None:
        """Five keypoints (5, 2) of the largest face in pixels; None where there is none."""
        height, width = rgb.shape[:2]
        scale = _SIDE / max(height, width)
        size = max(int(width * scale), 1), max(int(height * scale), 1)
        canvas = np.zeros((_SIDE, _SIDE, 3), np.float32)
        canvas[: size[1], : size[0]] = cv2.resize(rgb, size)
        outputs = _run(self._session, (canvas - 127.5) / 128.0)
        boxes, scores, points = decode([o.reshape(-1, o.shape[-1]) for o in outputs])
        kept = cv2.dnn.NMSBoxes(_as_rects(boxes), scores.tolist(), _CERTAIN, _OVERLAP)
        if len(kept) == 0:
            return None
        index = np.asarray(kept).ravel()
        extent = np.ptp(boxes[index].reshape(-1, 2, 2), axis=1).prod(axis=1)
        return np.asarray(points[index[extent.argmax()]] / scale, np.float64)


def decode(outputs: Sequence[Reals]) -> tuple[Reals, Reals, Reals]:
    """SCRFD's output, in pixels of its input.

    Args:
        outputs: scores (n, 1), distances to box edges (n, 4) and keypoint offsets (n, 10), both
            in strides, each for the strides 8, 16 and 32; rows in raster order, two per cell.

    Returns:
        Boxes (n, 4) as left, top, right, bottom; scores (n,); keypoints (n, 5, 2).
    """
    boxes, points = [], []
    for level, stride in enumerate(_STRIDES):
        edges, offsets = (outputs[level + len(_STRIDES) * k] * stride for k in (1, 2))
        cells = _SIDE // stride
        y, x = np.mgrid[:cells, :cells] * stride
        centres = np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), _ANCHORS, axis=0)
        boxes.append(np.hstack([centres - edges[:, :2], centres + edges[:, 2:]]))
        points.append(centres[:, None] + offsets.reshape(-1, 5, 2))
    scores = np.concatenate([o.ravel() for o in outputs[: len(_STRIDES)]])
    return np.concatenate(boxes), scores, np.concatenate(points)


def read_photo(path: Path, recogniser: Recogniser, detector: Detector) -> Floats:
    """(512,) unit vector of a further photo of the person.

    Raises:
        NoFaceFound: it is missing, is no picture, or shows no face.
    """
    if not path.is_file():
        raise NoFaceFound(f"The photo {path} is not there.", do="Check its name and folder.")
    data = np.fromfile(path, np.uint8)
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if bgr is None:
        raise NoFaceFound(f"{path} is not a picture.", do="Name a JPEG or PNG photo of one face.")
    rgb = np.asarray(bgr[..., ::-1], np.uint8)
    found = detector(rgb)
    if found is None:
        raise NoFaceFound(f"No face was found in {path}.", do="Use a photo that shows the face.")
    return recogniser(rgb, found)


def mean_identity(vectors: Sequence[Floats]) -> Floats:
    """The normalised mean of several unit vectors (512,).

    Raises:
        NoFaceFound: the mean is 0, so they are not of one person.
    """
    mean = np.mean(vectors, axis=0)
    if np.linalg.norm(mean) < 1e-3:
        raise NoFaceFound(
            "The photos show people who have nothing in common.",
            do="Give photos of one person only.",
        )
    return unit(mean)


def unit(vector: Reals) -> Floats:
    """The vector at length 1."""
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def _as_rects(boxes: Reals) -> list[list[float]]:
    sizes = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    rects: list[list[float]] = sizes.tolist()
    return rects


def _run(session: Any, pixels: Floats) -> list[Floats]:
    """The outputs for one picture (h, w, 3)."""
    batch = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)
    outputs: list[Floats] = session.run(None, {session.get_inputs()[0].name: batch})
    return outputs


def _open(path: Path) -> Any:
    with extra("diffusion", purpose="Recognising who it is"):
        import onnxruntime
    if not path.is_file():
        raise MissingModel(
            f"{path.name} is missing: looked for {path}.",
            do="Fetch it with `retarget models pull diffusion`.",
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as broken:  # onnxruntime's errors have no common base class
        raise MissingModel(
            f"{path} is damaged or not an ONNX network.",
            do="Delete it and fetch it again with `retarget models pull diffusion`.",
        ) from broken
