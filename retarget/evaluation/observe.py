"""Read the frames of one video into numbers; no pictures are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from retarget.errors import NoFaceFound
from retarget.evaluation import dlib_face, model_files, video
from retarget.evaluation.arcface import ArcFace
from retarget.evaluation.dlib_face import DlibEstimator, dlib_models
from retarget.evaluation.one_face import alone
from retarget.evaluation.picture import sharpness
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.smirk import Smirk
from retarget.evaluation.steadiness import Flicker, Shake, Tremble, surroundings
from retarget.evaluation.tasks_face import ReadingNoise, TasksEstimator, TasksFace
from retarget.evaluation.values import RATIOS, FaceSample, Observed
from retarget.flow import blendshapes, landmarks
from retarget.flow.arrays import Doubles, Picture
from retarget.flow.lanes import Lanes
from retarget.flow.values import VideoFrame

Shown = tuple[VideoFrame, Picture]
"""A frame, and its picture as estimators see it."""
Read = tuple[VideoFrame, Picture, TasksFace | None]
Watch = Callable[[Iterator[Read]], Iterator[Read]]


class Estimators:
    """The networks that are needed and available, loaded once for all videos of a run."""

    def __init__(self, settings: EvaluateSettings) -> None:
        self.settings = settings
        wanted = settings.measure
        self.dlib = dlib_models()
        self.needs_mesh = "expression" in wanted or "time" in wanted
        self.bundle = model_files.landmarker(settings) if self.needs_mesh else None
        arcface = model_files.arcface(settings) if "identity" in wanted else None
        smirk = model_files.smirk(settings) if "expression" in wanted else None
        self.arcface = ArcFace(arcface) if arcface is not None else None
        self.smirk = Smirk(smirk) if smirk is not None else None


@dataclass
class _Rows:
    """The columns of `Observed` while they grow."""

    times: list[float] = field(default_factory=list)
    scores: list[Doubles] = field(default_factory=list)
    gaze: list[Doubles] = field(default_factory=list)
    pose: list[Doubles] = field(default_factory=list)
    mesh_shake: list[float] = field(default_factory=list)
    ratios: list[Doubles] = field(default_factory=list)
    dlib_shake: list[float] = field(default_factory=list)
    tremble: list[float] = field(default_factory=list)
    background: list[float] = field(default_factory=list)
    warping: list[float] = field(default_factory=list)
    boxes: list[Doubles] = field(default_factory=list)
    smirk: list[Doubles] = field(default_factory=list)
    smirk_pose: list[Doubles] = field(default_factory=list)


def observe(
    path: Path, estimators: Estimators, *, sample_faces: bool, watch: Watch = lambda frames: frames
) -> Observed:
    """Read a whole video.

    Args:
        path: the video; a mark may choose a face: two.mp4#right.
        estimators: the loaded networks.
        sample_faces: whether to sample identity and sharpness, which only the result needs.
        watch: shows progress.

    Raises:
        UnreadableInput: it is no video that can be read.
        NoFaceFound: dlib sees no face in any frame.
    """
    with ExitStack() as stack:
        tasks = None
        if estimators.bundle is not None:
            tasks = stack.enter_context(TasksEstimator(estimators.bundle))
        lanes = stack.enter_context(Lanes())  # closed first, so that no thread outlives the network
        count = video.frame_count(path) or 0
        reader = _Reader(estimators, tasks is not None, sample_faces, count)
        first: VideoFrame | None = None
        frames = lanes.ahead(video.frames(path), name="decode")
        shown = alone(frames, video.named(path), estimators.settings)
        for frame, rgb, mesh in watch(lanes.ahead(_meshes(tasks, shown), name="mesh")):
            first = first or frame
            reader.take(frame, rgb, mesh, frame.at.seconds - first.at.seconds)
        assert first is not None  # noqa: S101  (video.frames raises where there is none)
        return reader.observed(path, first)


def _meshes(tasks: TasksEstimator | None, frames: Iterator[Shown]) -> Iterator[Read]:
    """Each frame with what MediaPipe reads, which runs beside dlib on a thread of its own."""
    for frame, rgb in frames:
        yield frame, rgb, tasks.read(rgb) if tasks is not None else None


class _Reader:
    """Runs every estimator on one video's frames."""

    def __init__(
        self, estimators: Estimators, has_mesh: bool, sample_faces: bool, count: int
    ) -> None:
        self._all = estimators
        self._has_mesh = has_mesh
        self._noise = ReadingNoise()
        self._dlib = DlibEstimator(estimators.dlib)
        self._rows = _Rows()
        self._mesh_shake, self._dlib_shake = Shake(), Shake()
        self._tremble, self._flicker = Tremble(), Flicker()
        self._faces = _Thinned(estimators.settings.faces if sample_faces else 0, count)

    def take(self, frame: VideoFrame, rgb: Picture, mesh: TasksFace | None, seconds: float) -> None:
        rows = self._rows
        rows.times.append(seconds)
        self._keep_mesh(mesh)
        points = self._dlib.read(rgb)
        unit = dlib_face.eye_distance(points) if points is not None else 1.0
        rows.dlib_shake.append(self._dlib_shake(points, unit))
        if not self._has_mesh:
            rows.tremble.append(self._tremble(points, unit))
        unread = np.full(len(RATIOS), np.nan)
        rows.ratios.append(dlib_face.ratios(points) if points is not None else unread)
        where = mesh.points if mesh is not None else points
        rows.boxes.append(surroundings(where) if where is not None else np.full(4, np.nan))
        background, warping = self._flicker(frame.rgb, where)
        rows.background.append(background)
        rows.warping.append(warping)
        if self._all.smirk is not None:
            mesh_points = mesh.points if mesh is not None else None
            does, turned = self._all.smirk.read(rgb, mesh_points)
            rows.smirk.append(does)
            rows.smirk_pose.append(turned)
        if points is not None and self._faces.wants(frame.index):
            self._faces.add(face_sample(frame.rgb, points, self._all, frame.index))

    def _keep_mesh(self, mesh: TasksFace | None) -> None:
        rows, none = self._rows, np.full
        self._noise.add(mesh)
        points = mesh.points if mesh is not None else None
        corners = list(landmarks.EYE_OUTER_CORNERS)
        unit = float(np.linalg.norm(np.diff(points[corners], axis=0))) if points is not None else 1
        rows.mesh_shake.append(self._mesh_shake(points, unit))
        if self._has_mesh:
            rows.tremble.append(self._tremble(points, unit))
        rows.scores.append(mesh.scores if mesh else none(blendshapes.COUNT, np.nan))
        rows.gaze.append(mesh.gaze if mesh else none(2, np.nan))
        rows.pose.append(mesh.pose if mesh else none(3, np.nan))

    def observed(self, path: Path, first: VideoFrame) -> Observed:
        rows, has_mesh = self._rows, self._has_mesh
        ratios = np.array(rows.ratios)
        if np.isnan(ratios).all() and (not has_mesh or np.isnan(rows.pose).all()):
            raise NoFaceFound(
                f"No face is seen in any of the {len(ratios)} frames of {path}.",
                do="Give a video that shows a face; without one there is nothing to measure.",
            )
        return Observed(
            path=path,
            size=first.size,
            times=np.array(rows.times),
            scores=np.array(rows.scores) if has_mesh else None,
            score_noise=self._noise.of_the_mean(),
            gaze=np.array(rows.gaze) if has_mesh else None,
            pose=np.array(rows.pose) if has_mesh else None,
            mesh_shake=np.array(rows.mesh_shake),
            ratios=ratios,
            dlib_shake=np.array(rows.dlib_shake),
            tremble=np.array(rows.tremble),
            background=np.array(rows.background),
            warping=np.array(rows.warping),
            boxes=np.array(rows.boxes),
            smirk=np.array(rows.smirk) if rows.smirk else None,
            smirk_pose=np.array(rows.smirk_pose) if rows.smirk_pose else None,
            faces=self._faces.kept(),
        )


class _Thinned:
    """Between n and 2n - 1 samples, evenly spread over a video whose length is only estimated.

    Every `stride`-th frame is sampled; at 2n samples every second one is dropped and the stride
    doubles. A frame without a face leaves a gap.
    """

    def __init__(self, count: int, frames: int) -> None:
        self._count = count
        self._stride = max(1, frames // max(count, 1))
        self._kept: list[FaceSample] = []

    def wants(self, index: int) -> bool:
        return self._count > 0 and index % self._stride == 0

    def add(self, sample: FaceSample) -> None:
        self._kept.append(sample)
        if len(self._kept) >= 2 * self._count:
            self._stride *= 2
            self._kept = [s for s in self._kept if s.index % self._stride == 0]

    def kept(self) -> tuple[FaceSample, ...]:
        return tuple(self._kept)


def face_sample(
    rgb: Picture, points: Doubles, estimators: Estimators, index: int = 0
) -> FaceSample:
    """Identity vectors and sharpness of the face with these 68 points."""
    arcface = estimators.arcface
    return FaceSample(
        index=index,
        dlib=estimators.dlib.descriptor(rgb, points),
        arcface=arcface.embedding(rgb, points) if arcface is not None else None,
        sharpness=sharpness(rgb, points),
    )
