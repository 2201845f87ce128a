"""What a driving face is known to do before its first frame comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from retarget.errors import RetargetError, UnreadableInput
from retarget.expression.performance import save_performance
from retarget.expression.settings import FitSettings, RestSettings, SmoothSettings
from retarget.face.settings import TrackSettings
from retarget.flow import blendshapes
from retarget.flow.face_model import face_model
from retarget.flow.lanes import Lanes
from retarget.flow.report import Report
from retarget.flow.source_info import SourceInfo
from retarget.flow.values import ExpressedFrame, Expression, HeadPose, Instant, RestFace
from retarget.jobs.driving import DrivingSettings, open_driving
from retarget.jobs.fit import FitJob
from retarget.jobs.moments import MomentsJob
from retarget.source.settings import SourceSettings

RATE = Fraction(30)
INFO = SourceInfo(name="long.mp4", size=(640, 360), time_base=1 / RATE, rate=RATE)
COUNT = 9000


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five minutes in which a head goes one pixel to the right with every frame."""
    rest = RestFace(
        head=face_model().neutral,
        aperture=np.full(2, 0.35, np.float32),
        gaze=np.zeros((2, 2), np.float32),
        lip_gap=0.0,
    )
    path = tmp_path_factory.mktemp("long") / "long.npz"
    return save_performance(path, _going(), rest, INFO)


def _going() -> Iterator[ExpressedFrame]:
    still = Expression(weights=blendshapes.weights({}))
    for i in range(COUNT):
        place = np.array([float(i), 0.0, 0.0])
        yield ExpressedFrame(
            index=i, at=Instant(i, 1 / RATE), duration=1 / RATE, expression=still,
            pose=HeadPose(rotation=np.eye(3), translation=place, scale=100.0),
        )  # fmt: skip


def usual_places(path: Path, source: SourceSettings | None = None) -> list[float]:
    settings = DrivingSettings(source=source or SourceSettings())
    with open_driving(str(path), settings, Report()) as driving:
        return [float(pose.translation[0]) for pose in driving.face.usual]


def test_all_of_a_long_performance_tells_where_its_head_usually_is(long: Path) -> None:
    places = usual_places(long)
    assert 2000 < len(places) <= 4096
    assert np.median(places) == pytest.approx(COUNT / 2, abs=5)


def test_every_frame_of_a_short_piece_of_it_does(long: Path) -> None:
    assert usual_places(long, SourceSettings(start=100, end=101)) == list(range(3000, 3030))


def test_the_last_frame_of_a_piece_lasts_until_the_piece_ends(long: Path) -> None:
    piece = DrivingSettings(source=SourceSettings(start=100, end=100.05))
    with open_driving(str(long), piece, Report()) as driving, Lanes() as lanes:
        lasting = [frame.duration for frame in driving.frames(lanes)]
    assert lasting == [1 / RATE, Fraction(1, 60)]


def test_a_piece_beyond_a_performance_is_refused_and_nothing_is_written(
    long: Path, tmp_path: Path
) -> None:
    job = FitJob(driving=str(long), output=tmp_path / "piece.npz", source=SourceSettings(start=400))
    with pytest.raises(UnreadableInput, match=r"long\.npz has no frame"):
        job.run()
    assert not list(tmp_path.iterdir())


def test_a_neutral_is_not_passed_over_beside_a_performance_that_has_its_own(long: Path) -> None:
    given = DrivingSettings(rest=RestSettings(neutral="3"))
    with (
        pytest.raises(RetargetError, match="neutral does not count"),
        open_driving(str(long), given, Report()),
    ):
        pass


def test_what_a_performance_is_past_is_told_of_where_it_is_asked_for(long: Path) -> None:
    def told(settings: DrivingSettings) -> list[str]:
        report = Report()
        with open_driving(str(long), settings, report):
            return report.warnings

    assert told(DrivingSettings()) == []
    asked = DrivingSettings(
        rest=RestSettings(samples=64),
        fit=FitSettings(pull=2),
        shows_rest=True,
    )
    (line,) = told(asked)
    assert line.startswith("warp.wrinkles, rest.samples, fit.pull do not count")


@pytest.mark.parametrize("name", ["shiver.npz", "shiver.csv"])
def test_a_performance_that_trembles_is_calmed_where_that_is_asked_for(
    long: Path, tmp_path: Path, name: str
) -> None:
    with open_driving(str(long), DrivingSettings(), Report()) as driving, Lanes() as lanes:
        frames = list(islice(driving.frames(lanes), 40))
        shiver = [0.30 + 0.01 * (-1) ** i for i in range(len(frames))]
        trembling = [
            replace(f, expression=Expression(weights=blendshapes.weights({"jawOpen": opened})))
            for f, opened in zip(frames, shiver, strict=True)
        ]
        save_performance(tmp_path / name, trembling, driving.face.rest, INFO)

    def spread(smooth: SmoothSettings) -> float:
        report, settings = Report(), DrivingSettings(smooth=smooth)
        with (
            open_driving(str(tmp_path / name), settings, report) as driving,
            Lanes() as lanes,
        ):
            acted = list(driving.frames(lanes))
        assert report.warnings == []
        assert [f.at.exact for f in acted] == [f.at.exact for f in frames]
        return float(np.std([f.expression.weights.max() for f in acted if f.expression]))

    assert spread(SmoothSettings()) == pytest.approx(0.01, abs=1e-4), "as it was saved"
    assert spread(SmoothSettings(strength=2.0)) < 0.002
    assert spread(SmoothSettings(reach=0.0)) == pytest.approx(0.01, abs=1e-4)


def test_which_face_was_asked_for_is_told_not_to_count_beside_a_performance(
    long: Path, tmp_path: Path
) -> None:
    left = TrackSettings(which="left")
    report = Report()
    MomentsJob(driving=str(long), track=left).run(report)
    assert [line.startswith("track.which does not count") for line in report.warnings] == [True]
    FitJob(driving=f"{long}#left", output=tmp_path / "a.npz").run(report)
    assert [line.startswith("#left does not count") for line in report.warnings] == [True]
    with open_driving(str(long), DrivingSettings(track=left, finds_identity=True), report):
        assert len(report.warnings) == 1  # the identity's face is found with it
