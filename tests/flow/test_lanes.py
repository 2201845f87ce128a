"""A lane reads ahead, keeps order and never outlives its job."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers
from programs import run
from threadpoolctl import threadpool_info, threadpool_limits

from retarget.flow.lanes import DEPTH, Lanes, depth_for


def lane_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("retarget-")]


@settings(max_examples=25)
@given(count=integers(0, 30), depth=integers(1, 5), lanes=integers(1, 3))
def test_every_value_comes_out_once_and_in_order(count: int, depth: int, lanes: int) -> None:
    with Lanes() as job:
        values: Iterator[int] = iter(range(count))
        for _ in range(lanes):
            values = job.ahead(values, depth=depth)
        assert list(values) == list(range(count))
    assert lane_threads() == []


@given(width=integers(1, 20_000), height=integers(1, 20_000))
def test_lanes_of_large_frames_keep_fewer_ready_but_one_always(width: int, height: int) -> None:
    depth = depth_for((width, height), None)
    assert 1 <= depth <= DEPTH
    assert depth == 1 or depth * width * height * 3 <= 64e6
    assert depth_for((width, height), (width, height)) <= depth


def test_more_may_wait_where_more_are_drawn_together_but_not_of_large_frames() -> None:
    assert depth_for((64, 64), most=64) == 64
    assert depth_for((3840, 2160), most=64) == 2


def test_no_more_than_depth_values_wait() -> None:
    made = 0
    full = threading.Event()

    def endless() -> Iterator[int]:
        nonlocal made
        while True:
            made += 1
            # two wait in the lane, one is in the hand of its thread
            if made == 3:
                full.set()
            yield made

    with Lanes() as job:
        values = job.ahead(endless(), depth=2)
        assert full.wait(5)
        assert made <= 3
        assert next(values) == 1


def test_an_error_in_a_lane_is_raised_once_and_ends_every_thread() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise RuntimeError("the disk is gone")

    seen: list[int] = []
    with pytest.raises(RuntimeError, match="the disk is gone"), Lanes() as job:
        seen.extend(job.ahead(job.ahead(broken(), depth=1), depth=1))
    assert seen == [1]
    assert lane_threads() == []


def test_leaving_early_closes_the_source_on_the_thread_that_ran_it() -> None:
    closed = []

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.append(threading.current_thread().name)

    with Lanes() as job:
        next(job.ahead(endless(), depth=1, name="decode"))
    assert closed == ["retarget-decode"]
    assert lane_threads() == []


def test_an_interrupt_in_the_consumer_leaves_no_thread() -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 0

    with pytest.raises(KeyboardInterrupt), Lanes() as job:
        for _ in job.ahead(job.ahead(endless(), depth=2), depth=2):
            raise KeyboardInterrupt
    assert lane_threads() == []


@pytest.mark.parametrize("begun", [True, False])
def test_an_interrupt_while_a_lane_starts_leaves_no_thread(
    begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start
    read = []

    def interrupted(thread: threading.Thread) -> None:
        if begun:
            start(thread)
        raise KeyboardInterrupt

    def endless() -> Iterator[int]:
        while True:
            read.append(0)
            yield 0

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt), Lanes() as job:
        job.ahead(endless())
    assert lane_threads() == []
    assert begun or not read


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="has no such signals")
def test_a_second_interrupt_waits_until_every_thread_has_ended() -> None:
    ended = []

    def slow(name: str) -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            threading.Event().wait(0.2)
            ended.append(name)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's & ignores it
    try:
        with pytest.raises(KeyboardInterrupt) as second, Lanes() as job:
            for name in ("one", "two"):
                next(job.ahead(slow(name)))
            raise KeyboardInterrupt("the first")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert second.value.args == ()
    assert sorted(ended) == ["one", "two"]
    assert lane_threads() == []


def test_a_program_may_end_with_lanes_open() -> None:
    done = run("""
        from retarget.flow.lanes import Lanes
        def endless():
            try:
                while True:
                    yield 0
            finally:
                print("closed")
        def frames():
            with Lanes() as lanes:
                yield from lanes.ahead(lanes.ahead(endless()))
        some = frames()
        print(next(some))
    """)
    assert done.stdout == "0\nclosed\n"
    assert (done.stderr, done.returncode) == ("", 0)


def test_what_a_program_s_end_breaks_off_is_not_taken_for_whole() -> None:
    done = run("""
        import atexit
        import threading
        import time
        from retarget.flow.lanes import Lanes
        atexit.register(time.sleep, 0.5)  # the job goes on for a while once its lanes are stopped
        began = threading.Event()
        def endless():
            while True:
                yield 0
                threading.Event().wait(0.01)
        def job():
            with Lanes() as lanes:
                for _ in lanes.ahead(endless(), depth=1):
                    began.set()
            print("whole", flush=True)
        threading.Thread(target=job, daemon=True).start()
        began.wait()
    """)
    assert done.returncode == 0
    assert done.stdout == ""


def test_lanes_may_be_left_on_any_thread() -> None:
    def job() -> None:
        with Lanes() as lanes:
            assert list(lanes.ahead(iter(range(3)))) == [0, 1, 2]

    thread = threading.Thread(target=job)
    thread.start()
    thread.join()
    assert lane_threads() == []


def blas_threads() -> dict[str, int]:
    """Of each library that is loaded; OpenCV's never takes more than one."""
    np.ones((2, 2)) @ np.ones(2)  # numpy's is
    return {x["filepath"]: x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"}


def test_jobs_that_overlap_add_in_one_order_until_the_last_one_ends() -> None:
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        assert max(before.values()) == 2
        one, two = Lanes(), Lanes()
        one.__enter__()
        two.__enter__()
        one.__exit__(None, None, None)
        assert set(blas_threads().values()) == {1}
        two.__exit__(None, None, None)
        assert blas_threads() == before


def test_a_job_adds_in_one_order_on_whichever_thread_it_is_entered_and_left() -> None:
    def on_a_thread(do: Callable[[], object]) -> None:
        thread = threading.Thread(target=do)
        thread.start()
        thread.join()

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        job = Lanes()
        on_a_thread(job.__enter__)
        assert set(blas_threads().values()) == {1}
        job.__exit__(None, None, None)
        assert blas_threads() == before
        job.__enter__()
        on_a_thread(lambda: job.__exit__(None, None, None))
        assert blas_threads() == before


@pytest.mark.parametrize(("threads", "beside"), [(1, 1), (2, 1), (8, 5)])
def test_opencv_takes_no_core_that_jobs_that_overlap_need_until_the_last_one_ends(
    threads: int, beside: int
) -> None:
    usual = cv2.getNumThreads()
    try:
        cv2.setNumThreads(threads)
        one, two = Lanes(), Lanes()
        one.__enter__()
        two.__enter__()
        one.__exit__(None, None, None)
        assert cv2.getNumThreads() == beside
        two.__exit__(None, None, None)
        assert cv2.getNumThreads() == threads
    finally:
        cv2.setNumThreads(usual)
