"""Where the tracker's model file is looked for, by those who need one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from retarget.errors import MissingModel
from retarget.face.settings import TrackSettings
from retarget.flow.report import Report
from retarget.jobs.draw import DrawSettings
from retarget.jobs.driving import DrivingSettings, open_driving
from retarget.jobs.expressions import ExpressionsJob
from retarget.jobs.micro import MicroJob
from retarget.jobs.still import StillJob
from retarget.jobs.video import VideoJob
from retarget.models.folders import VARIABLE

TASKS = TrackSettings(by="tasks")


@pytest.fixture(autouse=True)
def nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))


def drawn(folder: Path) -> DrawSettings:
    return DrawSettings(models=folder)


@pytest.mark.parametrize(
    "run",
    [
        lambda face, models: next(
            VideoJob(driving=face, identity=face, track=TASKS, models=models).frames()
        ),
        lambda face, models: open_driving(
            str(face), DrivingSettings(track=TASKS, models=models), Report()
        ).__enter__(),
        lambda face, models: StillJob(
            identity=face, expression="joy", track=TASKS, draw=drawn(models)
        ).run(),
        lambda face, models: StillJob(
            identity=face, expression=f"from:{face}", track=TASKS, draw=drawn(models)
        ).run(),
        lambda face, models: MicroJob(identity=face, track=TASKS, draw=drawn(models)).run(),
    ],
)
def test_a_folder_of_models_is_the_tracker_s_too(
    run: Callable[[Path, Path], object], photo: Path, tmp_path: Path
) -> None:
    with pytest.raises(MissingModel, match=re.escape(str(tmp_path / "face_landmarker.task"))):
        run(photo, tmp_path)


def test_a_model_file_that_is_named_is_used_though_another_tracker_could_run(
    photo: Path, tmp_path: Path
) -> None:
    named = TrackSettings(bundle=tmp_path / "mine.task")
    with pytest.raises(MissingModel, match=r"mine\.task is not there"):
        StillJob(identity=str(photo), expression="joy", track=named).run()


def test_words_are_listed_without_it() -> None:
    assert "smile" in str(ExpressionsJob(search="smile", track=TASKS).run())
