"""How fast this machine is."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from outside import needs_tracker

from retarget.errors import RetargetError
from retarget.jobs import bench
from retarget.jobs.bench import BenchJob


@needs_tracker
def test_a_single_frame_tells_no_speed(photo: Path) -> None:
    with pytest.raises(RetargetError, match="one single frame"):
        BenchJob(driving=str(photo), identity=str(photo), runs=1).run()


@needs_tracker
def test_a_run_that_fails_is_told_in_its_own_words(photo: Path, tmp_path: Path) -> None:
    driving = tmp_path / "notes.mp4"
    driving.write_text("no video " * 100)
    with pytest.raises(RetargetError) as failed:
        BenchJob(driving=str(driving), identity=str(photo), runs=1).run()
    assert failed.value.what.startswith(f"A run failed: {driving} is no video")


@pytest.mark.parametrize(
    ("load", "speeds", "said"),
    [
        (0.1, (20.0, 21.0, 20.5), None),
        (1.6, (20.0, 21.0, 20.5), "1.6 others wanted its 2 cores when this began. By itself"),
        (0.1, (20.0, 10.0, 15.0), "runs of one size differed 2.0 times. By itself"),
        (1.6, (20.0, 10.0, 15.0), "when this began, and runs of one size"),
        (None, (20.0, 21.0, 20.5), None),
    ],
)
def test_a_machine_that_others_kept_busy_is_not_told_as_slow(
    photo: Path,
    load: float | None,
    speeds: tuple[float, ...],
    said: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def loads() -> tuple[float, float, float]:
        if load is None:
            raise OSError("unobtainable")
        return load, load, load

    def run(*_: object) -> dict[str, object]:
        speed = next(coming)
        return {
            "frames": 100, "frames_per_second": speed, "steady_frames_per_second": speed,
            "wall": 100 / speed, "stages": {}, "peak_megabytes": 250.0,
        }  # fmt: skip

    coming = itertools.cycle(speeds)
    monkeypatch.setattr(bench, "_measured", run)
    monkeypatch.setattr(os, "getloadavg", loads, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    told = BenchJob(identity=str(photo), driving="any.mp4").run()
    assert (said in told) if said else ("not alone" not in told)
