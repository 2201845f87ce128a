"""The identity lane of a clip."""

from __future__ import annotations

from pathlib import Path

from retarget.face.settings import TrackSettings
from retarget.flow.report import Report
from retarget.jobs.identity import open_identity


def test_a_clips_first_picture_may_be_drawn_often_and_those_that_pass_are_told(drive: Path) -> None:
    with open_identity(str(drive), TrackSettings(), Report()) as lane:
        assert not lane.first.passing
        assert next(lane.pictures) is lane.first, "prepared once"
        assert next(lane.pictures).passing
