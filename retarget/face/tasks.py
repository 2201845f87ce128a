"""The tracker of MediaPipe Tasks, whose models come in one file: also for Python 3.13 and later.

It has the interface of the other tracker, and adds the 52 scores of MediaPipe's blendshape network.
It is set to two faces, as with one it would smooth the points over time, and blinks with them.
"""

from __future__ import annotations

import zipfile
from collections import deque
from collections.abc import Callable, Hashable
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from retarget.errors import MissingModel, RetargetError
from retarget.face.mediapipe_core import import_vision
from retarget.face.region import Detection, Reading, Region
from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Floats, Picture
from retarget.flow.quiet import quiet
from retarget.flow.shutdown import at_end, unbroken

_VIEW_PIXELS = 256
_READ_PIXELS = 384
_WIDER = 1.6
"""Factor of a face's region for the landmarker, which searches the face itself."""
_PRESENCE = 0.96
"""Presence of any face, as the landmarker does not report it."""
_MILLISECONDS = 33
_MOST_BYTES = 64_000_000
_BLANK = np.zeros((_READ_PIXELS, _READ_PIXELS, 3), np.uint8)


class _Networks:
    """Detector and landmarker, opened; they are never freed by garbage collection, but reused.

    MediaPipe passes its calls to a thread under a lock that is not reentrant. If Python's garbage
    collector freed networks, such as those of a video that is not read to its end, the same thread
    might already hold that lock: a deadlock.
    """

    def __init__(self, key: Hashable, bundle: Path, certainty: float) -> None:
        self.key = key
        detector = _detector_in(bundle)
        finder, reader, mode = import_vision(
            "face_detector", "face_landmarker", "core.vision_task_running_mode"
        )
        options = import_module("mediapipe.tasks.python.core.base_options").BaseOptions
        self._image = _image_maker()
        self._time = 0
        try:
            self._detector = finder.FaceDetector.create_from_options(
                finder.FaceDetectorOptions(
                    base_options=options(model_asset_buffer=detector), min_detection_confidence=0.3
                )
            )
            self._landmarker = reader.FaceLandmarker.create_from_options(
                reader.FaceLandmarkerOptions(
                    base_options=options(model_asset_buffer=bundle.read_bytes()),
                    running_mode=mode.VisionTaskRunningMode.VIDEO,
                    num_faces=2,
                    min_face_presence_confidence=certainty,
                    min_tracking_confidence=certainty,
                    output_face_blendshapes=True,
                )
            )
        except (RuntimeError, ValueError) as wrong:
            raise _too_late(wrong) or _not_the_bundle(bundle) from wrong
        self.whole = True
        """Whether the last call ended; after an error they are not reused."""
        self.detect(_BLANK)  # they log at their first picture

    def detect(self, picture: Picture) -> Any:
        return self._answer(lambda: self._detector.detect(self._image(picture)))

    def landmark(self, picture: Picture) -> Any:
        self._time += _MILLISECONDS  # must rise from call to call, whatever the video's own times
        return self._answer(
            lambda: self._landmarker.detect_for_video(self._image(picture), self._time)
        )

    @unbroken()
    def _answer(self, ask: Callable[[], Any]) -> Any:
        self.whole = False
        try:
            answer = ask()
        except RuntimeError as refused:
            raise _too_late(refused) or refused from refused
        self.whole = True
        return answer

    def close(self) -> None:
        self._detector.close()
        self._landmarker.close()


_used: set[_Networks] = set()
_left: deque[_Networks] = deque()


@at_end.append
def _close_all() -> None:
    """Close all networks before the interpreter is torn down, which would give error messages."""
    for networks in (*_used, *_left):
        networks.close()


class TasksModel:
    """Detector and landmarker of the bundle `face_landmarker.task`, run on regions of a frame."""

    @unbroken()
    def __init__(self, bundle: Path, *, certainty: float) -> None:
        key = (_version(bundle), certainty)
        with quiet():
            self._networks = _left_by_another(key) or _Networks(key, bundle, certainty)
            _used.add(self._networks)
            self._networks.landmark(_BLANK)  # so that they forget the last face

    def detect(
        self, rgb: Picture, view: Region, *, near: bool = True, far: bool = True
    ) -> list[Detection]:
        """Faces in a square of the frame; small ones are searched in its quarters."""
        views = [view] * near
        if far:
            views += [_part(view, across, down) for across, down in product((-1, 1), repeat=2)]
        return [found for one in views for found in self._detect(rgb, one)]

    def read(self, rgb: Picture, region: Region) -> Reading | None:
        """The mesh in a region; of two faces the one in its middle."""
        view = region.scaled(_WIDER)
        result = self._networks.landmark(view.cut(rgb, _READ_PIXELS))
        faces = [_points(face) for face in result.face_landmarks]
        if not faces:
            return None
        middle = [float(np.abs(face[:, :2].mean(axis=0) - 0.5).max()) for face in faces]
        nearest = int(np.argmin(middle))
        scores = _scores(result.face_blendshapes[nearest])
        return Reading(points=view.placed(faces[nearest]), presence=_PRESENCE, scores=scores)

    def close(self) -> None:
        """Keep the networks for the next model; the garbage collector may call this, too."""
        if self._networks in _used:
            _used.discard(self._networks)
            _left.append(self._networks)

    def _detect(self, rgb: Picture, view: Region) -> list[Detection]:
        result = self._networks.detect(view.cut(rgb, _VIEW_PIXELS, black=True))
        return [_detection(found, view) for found in result.detections]


def _left_by_another(key: Hashable) -> _Networks | None:
    """Kept networks that fit; others are closed here, outside garbage collection."""
    while True:
        try:
            networks = _left.popleft()
        except IndexError:
            return None
        if networks.whole and networks.key == key:
            return networks
        networks.close()


def _version(bundle: Path) -> Hashable:
    try:
        told = bundle.stat()
    except OSError:  # told when it is read
        return None
    return bundle.resolve(), told.st_size, told.st_mtime_ns


def _detector_in(bundle: Path) -> bytes:
    """The detector's own file inside the bundle, which is a zip archive."""
    try:
        with zipfile.ZipFile(bundle) as files:
            if files.getinfo("face_detector.tflite").file_size > _MOST_BYTES:
                raise _not_the_bundle(bundle)
            return files.read("face_detector.tflite")
    except FileNotFoundError as absent:
        raise MissingModel(
            f"The model file {bundle} is not there.",
            do="Fetch it with `retarget models pull face-landmarker`.",
        ) from absent
    except (zipfile.BadZipFile, KeyError, OSError) as wrong:
        raise _not_the_bundle(bundle) from wrong


def _too_late(refused: Exception) -> RetargetError | None:
    """The error where Python no longer starts calls on MediaPipe's thread; else None."""
    if "after" not in str(refused) or "shutdown" not in str(refused):
        return None
    return RetargetError(
        "The main thread has ended, after which this release of mediapipe reads no more faces.",
        do="Let the main thread wait for the job's: thread.join().",
    )


def _not_the_bundle(bundle: Path) -> MissingModel:
    return MissingModel(
        f"{bundle} is not MediaPipe's face_landmarker.task.",
        do="Name another, or fetch it anew with `retarget models pull face-landmarker`.",
    )


def _image_maker() -> Any:
    """A function from a picture to MediaPipe's image, in old and new releases."""
    try:
        bindings = import_module("mediapipe.python._framework_bindings")
        kind, srgb = bindings.image.Image, bindings.image_frame.ImageFormat.SRGB
    except ModuleNotFoundError:
        module = import_module("mediapipe.tasks.python.vision.core.image")
        kind, srgb = module.Image, module.ImageFormat.SRGB
    return lambda picture: kind(image_format=srgb, data=np.ascontiguousarray(picture))


def _part(view: Region, across: int, down: int) -> Region:
    """A quarter of a view and a little more, to the left (-1) or right (1), above or below."""
    matrix = view.to_frame(1)
    x, y = matrix[:, :2] @ np.array([0.5 + 0.2 * across, 0.5 + 0.2 * down]) + matrix[:, 2]
    return Region(x=float(x), y=float(y), side=view.side * 0.6, turn=view.turn)


def _points(face: Any) -> Floats:
    """(478, 3) in parts of the picture."""
    flat = np.fromiter((v for p in face for v in (p.x, p.y, p.z)), np.float32)
    return flat.reshape(landmarks.COUNT, 3)


def _scores(categories: Any) -> Floats:
    """(52,) in the order of `blendshapes.NAMES`: without `_neutral`, and with `tongueOut` 0."""
    known = {c.category_name: c.score for c in categories if c.category_name in blendshapes.INDEX}
    return blendshapes.weights(known)


def _detection(found: Any, view: Region) -> Detection:
    box = found.bounding_box
    place = (box.origin_x, box.origin_y, box.width, box.height)
    left, top, width, height = (side / _VIEW_PIXELS for side in place)
    eyes = [(k.x, k.y) for k in found.keypoints[:2]]
    score = float(found.categories[0].score)
    return Detection.seen(view, (left, top, width, height), eyes, score)
