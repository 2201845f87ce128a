"""A report accounts for time, frames and warnings."""

from __future__ import annotations

import json
import logging
import pickle
import queue
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest

from retarget.flow.lanes import Lanes
from retarget.flow.report import Report, begin


def quick(frames: Iterator[int]) -> Iterator[int]:
    yield from frames


def test_a_stage_is_charged_its_own_time_and_not_its_inputs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0

    def slow(frames: Iterator[int]) -> Iterator[int]:
        nonlocal now
        for frame in frames:
            now += 0.01
            yield frame

    report = Report()
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    list(report.stage("quick", quick, report.stage("slow", slow, iter(range(20)))))
    assert report.stages() == pytest.approx({"slow": 0.2, "quick": 0.0})


def test_waiting_for_what_other_threads_do_is_no_stage_s_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each thread's clock here goes on by what it works, and by 5 s whenever it waits for a lane.

    The inner stage hands on what two lanes of its own work for it, as the diffusion generator does.
    """
    clocks = threading.local()

    def go_on(seconds: float) -> None:
        clocks.now = getattr(clocks, "now", 0.0) + seconds

    def slow(frames: Iterator[int]) -> Iterator[int]:
        for frame in frames:
            go_on(1.0)
            yield frame

    def by_lanes(frames: Iterator[int]) -> Iterator[int]:
        with Lanes() as lanes:
            ready = lanes.ahead(report.stage("guide", slow, frames), name="guide")
            for frame in lanes.ahead(report.stage("denoise", slow, ready), name="denoise"):
                go_on(0.1)
                yield frame

    def get(waiting: queue.Queue[object], *, timeout: float) -> object:
        go_on(5.0)
        return taken(waiting, timeout=timeout)

    taken = queue.Queue.get
    monkeypatch.setattr(queue.Queue, "get", get)
    monkeypatch.setattr(time, "perf_counter", lambda: getattr(clocks, "now", 0.0))
    report = Report()
    source = report.timed("source", slow(iter(range(20))))
    assert list(report.stage("generate", by_lanes, source)) == list(range(20))
    told = {"generate": 2.0, "source": 20.0, "guide": 20.0, "denoise": 20.0}
    assert report.stages() == pytest.approx(told)


def test_the_steady_speed_leaves_out_the_start_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    report = Report()
    for _ in report.watch(iter(range(5))):
        now += 0.5
    assert report.steady_frames_per_second == pytest.approx(4 / 2.0)


def test_the_speed_of_a_whole_run_counts_what_comes_before_and_after_its_frames(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    report = begin(None)
    now += 3.0  # starting
    for _ in report.watch(iter(range(5))):
        now += 0.5
    now += 4.5  # finishing
    report.end()
    now += 3600.0
    assert report.frames_per_second == pytest.approx(5 / 10.0)


def test_a_repeated_warning_is_told_once_and_counted() -> None:
    report = Report()
    for _ in range(3):
        report.warn("A packet is broken.")
    report.warn("No sound.")
    assert report.warnings == ["A packet is broken.", "No sound."]
    assert report.as_dict()["warnings"] == ["A packet is broken. (3 times)", "No sound."]


def test_everything_told_can_be_written_as_json() -> None:
    report = Report()
    report.lost(4)
    list(report.watch(iter("abc"), total=3))
    told = json.loads(json.dumps(report.as_dict()))
    assert told["frames"] == 3
    assert told["frames_without_face"] == [4]


def test_the_packages_that_a_picture_depends_on_are_told_with_their_versions() -> None:
    told = Report().as_dict()["packages"]
    assert told["numpy"] == np.__version__
    assert "mediapipe" in told
    assert "torch" in told or find_spec("torch") is None


def test_closing_a_measured_stage_closes_what_it_reads() -> None:
    closed = []

    def source() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.append(True)

    report = Report()
    frames = report.stage("quick", quick, report.timed("source", source()))
    assert next(frames) == 0
    frames.close()  # type: ignore[attr-defined]
    assert closed == [True]


def test_a_report_of_nothing_has_no_speed() -> None:
    assert Report().frames_per_second == 0.0
    assert Report().steady_frames_per_second == pytest.approx(0.0)


def test_its_speed_stays_what_it_was_however_late_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    report = begin(None)
    now += 2.0
    list(report.watch(iter(range(10))))
    now += 3600.0
    assert report.frames_per_second == pytest.approx(5.0)


def test_a_report_handed_to_a_further_run_tells_of_that_one_alone() -> None:
    report = begin(Report(facts={"mine": 1}))
    list(report.watch(iter("abc")))
    report.lost(1)
    report.warn("No sound.")
    first = report.as_dict()
    assert begin(report) is report
    list(report.watch(iter("ab")))
    report.warn("No sound.")
    second = report.as_dict()
    assert (first["frames"], first["frames_without_face"], first["mine"]) == (3, [1], 1)
    assert (second["frames"], second["frames_without_face"]) == (2, [])
    assert second["warnings"] == ["No sound."]


def test_a_report_can_be_sent_on_from_a_pool_s_worker() -> None:
    report = begin(None)
    list(report.stage("quick", quick, report.watch(iter([1, 2]))))
    report.warn("No sound.")
    sent = pickle.loads(pickle.dumps(report))
    sent.warn("No sound.")
    assert (sent.frames, list(sent.stages())) == (2, ["quick"])
    assert sent.as_dict()["warnings"] == ["No sound. (2 times)"]


def test_a_file_s_name_is_no_report() -> None:
    with pytest.raises(ValueError, match=r"a Report, not in 'run\.json'"):
        begin("run.json")  # type: ignore[arg-type]


def test_warnings_that_no_report_is_kept_of_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    begin(Report()).warn("No sound.")
    assert caplog.record_tuples == []
    begin(None).warn("100 % of it is dark.")
    assert caplog.record_tuples == [("retarget", logging.WARNING, "100 % of it is dark.")]
