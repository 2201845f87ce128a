"""Measure one result against its driving video and its identity.

Each video is read once, frame by frame, into numbers (`observe`); the figures are computed from
those. Nothing here asks how the result was made: any tool's video can be measured.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from retarget import __version__
from retarget.errors import NoFaceFound
from retarget.evaluation import expression, highlights, identity, in_time, picture, sound, video
from retarget.evaluation.catalog import Sheet
from retarget.evaluation.ceiling import Ceiling
from retarget.evaluation.dlib_face import DlibEstimator
from retarget.evaluation.findings import findings
from retarget.evaluation.observe import Estimators, Read, Watch, face_sample, observe
from retarget.evaluation.one_face import alone_in_photo
from retarget.evaluation.pairs import Pairs, pair
from retarget.evaluation.settings import EvaluateSettings
from retarget.evaluation.tasks_face import LOOKS
from retarget.evaluation.values import Channel, Evaluation, Failures, Observed
from retarget.flow.arrays import Doubles
from retarget.flow.report import Report


def evaluate(
    result: str | Path,
    driving: str | Path,
    identity: str | Path,
    settings: EvaluateSettings | None = None,
    report: Report | None = None,
) -> Evaluation:
    """Measure one result.

    Args:
        result: the video that was made.
        driving: whose expressions it should show.
        identity: whose face it should show: a picture, or a video (its first face is taken).
            A mark in each of the three names may choose a face: group.jpg#left. For a result
            without one it is the face that the identity's mark chooses.
        settings: what to measure.
        report: shows progress.

    Raises:
        UnreadableInput: one of the three cannot be read.
        NoFaceFound: one of the three never shows a face.
    """
    made = video.present(result)
    return Evaluator(
        video.present(driving),
        video.present(identity),
        settings or EvaluateSettings(),
        report or Report(),
    ).evaluate(made)


class Evaluator:
    """Measures any number of results of one driving video and one identity, which it reads once.

    Args:
        driving: whose expressions the results should show.
        identity: whose face they should show.
        settings: what to measure.
        report: shows progress.
        estimators: shared by evaluators with the same settings.
        like: an evaluator whose readings of the same driving video are reused.
    """

    def __init__(
        self,
        driving: Path,
        identity: Path,
        settings: EvaluateSettings,
        report: Report,
        *,
        estimators: Estimators | None = None,
        like: Evaluator | None = None,
    ) -> None:
        self.settings, self.report = settings, report
        self.driving_path, self.identity_path = driving, identity
        photo = next(video.frames(identity))
        self.photo = photo.rgb
        self.estimators = estimators or Estimators(settings)
        shown = alone_in_photo(photo, video.named(identity), settings)
        points = DlibEstimator(self.estimators.dlib).read(shown)
        if points is None:
            raise NoFaceFound(
                f"dlib sees no face in {identity}.",
                do="Give the photo from which the result was made; it must show a human face.",
            )
        self.who = face_sample(self.photo, points, self.estimators)
        self.driving: Observed = like.driving if like else self._observed(driving)
        ceiling = like.ceiling if like else None
        self.ceiling: Ceiling = ceiling or Ceiling(self.driving, settings.active, self._observed)

    def _observed(self, path: Path) -> Observed:
        return observe(path, self.estimators, sample_faces=False, watch=self._watch(path))

    def _watch(self, path: Path) -> Watch:
        count = video.frame_count(path)
        total = self.report.frames + count if count else None

        def watch(read: Iterator[Read]) -> Iterator[Read]:
            return self.report.watch(read, total)

        return watch

    def evaluate(self, result: Path) -> Evaluation:
        """Measure one result; see `evaluate`."""
        if not video.named(result).which:  # the photo's mark applies to its result, too
            result = Path(f"{result}{video.named(self.identity_path).mark}")
        wanted = self.settings.measure
        seen = observe(result, self.estimators, sample_faces=True, watch=self._watch(result))
        start, end = self.settings.start, self.settings.end
        pairs = pair(self.driving, seen, start)
        sheet, channels = Sheet(), []
        if "expression" in wanted:
            channels = expression.measure(self.driving, seen, pairs, self.settings.active, sheet)
            if self.settings.ceiling:
                channels = self.ceiling.measure(seen, channels, sheet)
        if "identity" in wanted:
            identity.measure(seen.faces, self.who, sheet)
        if "expression" in wanted and "identity" in wanted:
            identity.together(sheet)
        if "picture" in wanted:
            self._picture(seen, pairs, sheet)
        if "time" in wanted:
            in_time.measure(self.driving, seen, pairs, sheet, start=start, end=end)
        if "sound" in wanted:
            sound.measure(self.driving_path, result, sheet, start, end)
        return self._evaluation(seen, pairs, sheet, channels)

    def _picture(self, seen: Observed, pairs: Pairs, sheet: Sheet) -> None:
        picture.measure(seen, self.photo, self.who.sharpness, sheet)
        if self._has_truth():
            picture.against_truth(self.driving, seen, pairs, sheet)
        else:
            why = "only self-reenactment has a true picture to compare with"
            sheet.miss(why, "picture.psnr", "picture.ssim", "picture.lpips")

    def _has_truth(self) -> bool:
        """As set; else whether the photo is the driving video's first frame."""
        if self.settings.self_reenactment is not None:
            return self.settings.self_reenactment
        first = next(video.frames(self.driving_path)).rgb
        return first.shape == self.photo.shape and picture.psnr(first, self.photo) > 28.0

    def _evaluation(
        self, seen: Observed, pairs: Pairs, sheet: Sheet, channels: list[Channel]
    ) -> Evaluation:
        measures = sheet.measures()
        failures = tuple(_failures("driving", self.driving) + _failures("result", seen))
        worst = highlights.worst_frames(self.driving, seen, pairs, self.settings.worst)
        return Evaluation(
            result=seen.path,
            driving=self.driving_path,
            identity=self.identity_path,
            measures=measures,
            channels=tuple(channels),
            failures=failures,
            findings=findings(measures, channels, failures),
            curves=highlights.curves(self.driving, seen, pairs),
            worst=worst,
            facts=self._facts(seen, pairs),
        )

    def _facts(self, seen: Observed, pairs: Pairs) -> dict[str, Any]:
        arcface = self.estimators.arcface
        landmarker = expression.NO_BUNDLE if self.estimators.needs_mesh else "not needed"
        if self.estimators.bundle is not None:
            landmarker = f"every frame by itself, mean of {LOOKS} looks"
        return {
            "retarget": __version__,
            "machine": f"{platform.system()} {platform.machine()}",
            "driving frames": len(self.driving),
            "result frames": len(seen),
            "frames compared": len(pairs),
            "face_landmarker.task": landmarker,
            "arcface": arcface.name if arcface else "not used",
            "smirk": "used" if self.estimators.smirk else "not used",
        }


def _failures(video_name: str, seen: Observed) -> list[Failures]:
    """The frames in which an estimator saw no face, one entry for each estimator."""
    tables: list[tuple[str, Doubles | None]] = [
        ("MediaPipe FaceLandmarker", seen.pose),
        ("dlib", seen.ratios),
    ]
    return [
        Failures(
            estimator=name,
            video=video_name,
            frames=tuple(int(i) for i in np.flatnonzero(np.isnan(rows).any(axis=1))),
            of=len(rows),
        )
        for name, rows in tables
        if rows is not None
    ]
