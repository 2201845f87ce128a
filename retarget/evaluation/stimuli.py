"""Does a set of stimuli show the commanded expressions, in strength and in time?

A set (`retarget micro --set`) keeps beside each clip a table of the commanded weights, and in its
manifest the frame of the apex. The clips are read three ways, none of which is used for driving:
by the scores of MediaPipe's Tasks bundle, by its mesh, and by dlib's 68 points. Scores have a dead
zone at weak expressions, points have none, so both are reported.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import savgol_filter

from retarget.errors import MissingModel, UnreadableInput
from retarget.evaluation import model_files, video
from retarget.evaluation.dlib_face import SAME_PERSON, DlibEstimator, dlib_models
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.tasks_face import TasksEstimator
from retarget.flow import blendshapes
from retarget.flow.arrays import Doubles
from retarget.flow.face_model import face_model
from retarget.sink.names import CLIPS_TABLE

READERS = ("scores", "mesh", "dlib")
"""Tasks scores, Tasks mesh, dlib points."""

_MAIN = 0.7
"""Part of the largest commanded weight that makes a channel a main one."""
_UNREAD = ("cheekSquint", "noseSneer", "cheekPuff", "tongueOut")
"""Shapes whose scores the bundle keeps at 0 on any face."""
_SMOOTH = 5
"""Frames of the Savitzky-Golay filter (parabola) before a curve's maximum is searched."""
_ROUND_APEX = 1
"""Frames on each side of the commanded apex whose mean is the strength there."""
_DLIB_POINTS = (
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 168, 197, 5, 4, 98, 97, 2, 326, 327,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
)  # fmt: skip
"""The mesh points nearest to dlib's points 17 to 67: brows, nose, eyes, lips."""
_FIRST_DLIB = 17
_UNMOVED = 1e-9
"""Square pixels, summed over all points, below which nothing moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The readings of one clip."""

    identity: str
    expression: str
    intensity: float
    pace: str
    """Onset, apex and offset as in the manifest, to tell paces apart."""
    strength: Mapping[str, float]
    """By reader that can see the expression, at the commanded apex: scores as 0..1, points as a
    share of what the expression moves at intensity 1."""
    apex_off: Mapping[str, int]
    """By reader, frames from the commanded to the measured apex; empty for intensity 0."""
    same_person: bool | None
    """Whether dlib takes the apex for the person of the clip's first frame; None: no face."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Clip:
    """One line of the manifest."""

    row: Mapping[str, str]
    path: Path
    commanded: Doubles
    """(52,) weights at the apex, away from those of the first frame, scaled to intensity 1."""

    @property
    def frames(self) -> tuple[int, int, int]:
        """Onset, apex, offset."""
        onset, apex, offset = (int(self.row[f"{n}_frame"]) for n in ("onset", "apex", "offset"))
        return onset, apex, offset


def measure_set(
    folder: Path,
    settings: EvaluateSettings,
    watch: Callable[[Iterator[Shown], int], Iterator[Shown]] = lambda shown, _: shown,
) -> tuple[Shown, ...]:
    """Read every clip of a set that `retarget micro --set` has finished.

    Raises:
        UnreadableInput: it is no folder of a set, or a clip cannot be read.
        MissingModel: the Tasks bundle is not at hand.
    """
    clips = _clips(folder)
    bundle = model_files.landmarker(settings)
    if bundle is None:
        raise MissingModel(
            "Measuring a set needs face_landmarker.task.",
            do="Get it with: retarget models pull face-landmarker",
        )
    with TasksEstimator(bundle) as tasks:
        return tuple(watch((_shown(clip, tasks) for clip in clips), len(clips)))


def _clips(folder: Path) -> list[_Clip]:
    try:
        with (folder / CLIPS_TABLE).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if not rows:
            raise ValueError("no clip was finished")
        return [_clip(folder, row) for row in rows]
    except (OSError, csv.Error, LookupError, ValueError, TypeError) as problem:  # a row cut off
        raise UnreadableInput(
            f"{folder} is not a finished set of stimuli.",
            do="Name a folder that retarget micro --set has made.",
        ) from problem


def _clip(folder: Path, row: Mapping[str, str]) -> _Clip:
    with (folder / Path(row["table"]).name).open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    first, apex = lines[0], lines[int(row["apex_frame"])]
    commanded = np.array([float(apex[n]) - float(first[n]) for n in blendshapes.NAMES])
    commanded /= float(row["intensity"]) or 1.0
    return _Clip(row=row, path=folder / Path(row["file"]).name, commanded=commanded)


def main_channels(commanded: Doubles) -> list[int]:
    """Indices of an expression's strongest channels that have scores."""
    told = np.array([not name.startswith(_UNREAD) for name in blendshapes.NAMES])
    size = np.where(told, np.abs(commanded), 0.0)
    return [int(i) for i in np.flatnonzero(size >= max(_MAIN * size.max(), 1e-6))]


def _shown(clip: _Clip, tasks: TasksEstimator) -> Shown:
    curves, same_person = _curves(clip, tasks)
    onset, apex, offset = clip.frames
    near = slice(max(apex - _ROUND_APEX, 0), apex + _ROUND_APEX + 1)
    level = float(clip.row["intensity"])
    return Shown(
        identity=clip.row["identity"],
        expression=clip.row["expression"],
        intensity=level,
        pace="/".join(clip.row[f"{n}_ms"] for n in ("onset", "apex", "offset")),
        strength={
            name: float(np.nanmean(curve[near]) - np.nanmean(curve[: max(onset, 1)]))
            for name, curve in curves.items()
            if np.isfinite(curve[near]).any()
        },
        apex_off={
            name: largest(curve, onset, offset) - apex
            for name, curve in curves.items()
            if level > 0 and np.isfinite(curve).all()
        },
        same_person=same_person,
    )


def _curves(clip: _Clip, tasks: TasksEstimator) -> tuple[dict[str, Doubles], bool | None]:
    """By reader, the strength of the commanded expression per frame; and `Shown.same_person`."""
    dlib = dlib_models()
    estimator = DlibEstimator(dlib)
    onset, apex, _ = clip.frames
    scores, mesh, points, who = [], [], [], {}
    for frame in video.frames(clip.path):
        seen, outside = tasks.read(frame.rgb), estimator.read(frame.rgb)
        scores.append(np.full(blendshapes.COUNT, np.nan) if seen is None else seen.scores)
        mesh.append(np.full((478, 2), np.nan) if seen is None else seen.points)
        points.append(np.full((68, 2), np.nan) if outside is None else outside)
        if outside is not None and frame.index in (0, apex):
            who[frame.index] = dlib.descriptor(frame.rgb, outside)
    curves = {
        "scores": along(np.array(scores), clip.commanded),
        "mesh": movement(np.array(mesh), clip.commanded, range(478), onset),
        "dlib": movement(np.array(points)[:, _FIRST_DLIB:], clip.commanded, _DLIB_POINTS, onset),
    }
    if len(who) < 2:
        return curves, None
    return curves, bool(np.linalg.norm(who[0] - who[apex]) < SAME_PERSON)


def along(scores: Doubles, commanded: Doubles) -> Doubles:
    """(n,) mean of the main channels' (n, 52) scores, weighted as commanded.

    NaN where weights are commanded that no score covers; see `movement`.
    """
    main = main_channels(commanded)
    if not main:
        return np.full(len(scores), np.nan if commanded.any() else 0.0)
    weights = commanded[main]
    return np.asarray(scores[:, main] @ weights / np.abs(weights).sum())


def movement(points: Doubles, commanded: Doubles, places: Sequence[int], onset: int) -> Doubles:
    """(n,) the part of the commanded movement that the points make, 0 none to 1 all.

    NaN where the commanded weights do not move these points.

    Args:
        points: (n, k, 2) pixels; the head keeps still.
        commanded: (52,) weights.
        places: (k,) which mesh point each one is.
        onset: frame before which the face is at rest.
    """
    model, at = face_model(), list(places)
    rest = np.nanmean(points[: max(onset, 1)], axis=0)
    # Where a turned head's points move in the picture: the affine view of the mean face.
    space = np.column_stack([model.neutral[at], np.ones(len(at))]).astype(np.float64)
    view = np.linalg.lstsq(space, rest, rcond=None)[0]
    wanted = model.said(commanded)[at].astype(np.float64) @ view[:3]
    moved, most = points - rest, float((wanted**2).sum())
    if commanded.any() and most < _UNMOVED:
        return np.full(len(points), np.nan)
    return np.asarray((moved * wanted).sum(axis=(1, 2)) / max(most, _UNMOVED))


def largest(curve: Doubles, onset: int, offset: int) -> int:
    """The frame of the largest value of a curve (n,), smoothed, from `onset` to `offset`."""
    if len(curve) > _SMOOTH:
        curve = np.asarray(savgol_filter(curve, _SMOOTH, 2))
    return onset + int(np.argmax(curve[onset : offset + 1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows:
    """How one expression follows its commanded intensity, over faces and paces."""

    expression: str
    reader: str
    correlation: float
    """Mean over the faces of the correlation of commanded and measured intensity."""
    least: float
    below: int
    """Faces with less than 0.95."""
    faces: int
    strength: float
    """Mean reading at the largest intensity."""


ENOUGH = 0.95
"""The correlation that is asked for."""


def follows(shown: Sequence[Shown]) -> tuple[Follows, ...]:
    """Each expression with each reader; intensity 0 is the clip's own beginning."""
    out = []
    for expression in dict.fromkeys(s.expression for s in shown):
        for reader in READERS:
            some = [s for s in shown if s.expression == expression and reader in s.strength]
            found = _correlations(some, reader)
            if not found:
                continue
            top = max(s.intensity for s in some)
            strongest = [s.strength[reader] for s in some if s.intensity == top]
            out.append(
                Follows(
                    expression=expression,
                    reader=reader,
                    correlation=float(np.mean(found)),
                    least=min(found),
                    below=sum(c < ENOUGH for c in found),
                    faces=len(found),
                    strength=float(np.mean(strongest)),
                )
            )
    return tuple(out)


def _correlations(shown: Sequence[Shown], reader: str) -> list[float]:
    from retarget.evaluation.channels import correlation

    series: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for s in shown:
        series.setdefault((s.identity, s.pace), [(0.0, 0.0)])
        if s.intensity > 0:
            series[s.identity, s.pace].append((s.intensity, s.strength[reader]))
    return [
        correlation(*np.array(points, float).T) for points in series.values() if len(points) > 2
    ]
