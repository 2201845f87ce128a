"""The displacements of a clip's face by each of the two trackers."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from retarget.expression.fit import in_head_frame
from retarget.expression.rest import find_rest
from retarget.face.settings import TrackSettings
from retarget.face.track import Track
from retarget.flow.arrays import Doubles
from retarget.flow.face_model import face_model, pose_terms
from retarget.flow.report import Report
from retarget.flow.values import TrackedFrame, VideoFrame
from retarget.source.open import open_source

T = TypeVar("T")
_SAMPLES = 60
"""Frames of a clip from which its rest is found."""


class Arguments(NamedTuple):
    """The arguments of a training script."""

    clips: list[Path]
    bundle: Path
    output: Path


def arguments(what: str | None, argv: Sequence[str] | None) -> Arguments:
    """The arguments of a script that learns from clips, whose docstring is its help."""
    parser = argparse.ArgumentParser(description=what.splitlines()[0] if what else None)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--bundle", type=Path, required=True, help="face_landmarker.task")
    parser.add_argument("-o", "--output", type=Path, required=True)
    words = parser.parse_args(argv)
    return Arguments(words.clips, words.bundle, words.output)


def of_each(given: Arguments, of_clip: Callable[[Path, Path, bool], T]) -> list[T]:
    """`of_clip(clip, bundle, mirrored)` of each clip and of its mirror image."""
    return [
        of_clip(clip, given.bundle, mirrored) for clip in given.clips for mirrored in (False, True)
    ]


def both_moved(path: Path, bundle: Path, *, mirrored: bool) -> tuple[Doubles, Doubles, Doubles]:
    """The frames of a clip, or of its mirror image, in which both trackers see the face.

    Returns:
        (n, 478, 3) displacements from rest by the tracker `mesh` in head units, (n, 9) pose terms,
        and (n, 478, 3) displacements by the tracker `tasks`.
    """
    by_mesh = _meshes(path, TrackSettings(by="mesh"), mirrored=mirrored)
    by_tasks = _meshes(path, TrackSettings(by="tasks", bundle=bundle), mirrored=mirrored)
    other = {index: away for index, away, _ in _moved(by_tasks)}
    found = [(away, pose, other[i]) for i, away, pose in _moved(by_mesh) if i in other]
    away, pose, others = (np.array(column) for column in zip(*found, strict=True))
    return away, pose, others


def _meshes(path: Path, track: TrackSettings, *, mirrored: bool) -> list[TrackedFrame]:
    """The frames of a clip that show its face, without pixels."""
    with open_source(str(path)) as source:
        frames = (_flipped(f) for f in source.frames()) if mirrored else source.frames()
        tracked = Track(track, Report())(frames)
        return [t.without_pixels() for t in tracked if t.face is not None]


def _flipped(frame: VideoFrame) -> VideoFrame:
    return replace(frame, rgb=np.ascontiguousarray(frame.rgb[:, ::-1]))


def _moved(frames: Sequence[TrackedFrame]) -> Iterator[tuple[int, Doubles, Doubles]]:
    """Index, displacement (478, 3) from rest and pose terms (9,) of each frame of one clip."""
    spread = np.linspace(0, len(frames) - 1, min(_SAMPLES, len(frames))).astype(int)
    rest = find_rest([frames[i] for i in spread])
    for frame in frames:
        if frame.face is not None:
            head, pose = in_head_frame(frame.face, rest.head, face_model())
            yield frame.frame.index, head - rest.head, pose_terms(pose)
