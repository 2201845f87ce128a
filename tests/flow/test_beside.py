"""A second process hands over what its work makes, notes and raises, and outlives nobody."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import works
from programs import run

from retarget.errors import RetargetError
from retarget.flow import beside
from retarget.flow.beside import Beside, second_process_pays
from retarget.flow.lanes import Lanes
from retarget.flow.report import Report

POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals")


def values(work: Callable[..., Any], report: Report, given: object = None) -> Iterator[Any]:
    with closing(Beside(work, report)) as process:
        yield from process.values(given)


def gone(number: int, seconds: float = 10.0) -> bool:
    """Whether a process ends within some seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{number}/stat").read_text("ascii").split()[2]
        except OSError:
            return True
        if state == "Z":  # it has ended, and whoever inherited it has not looked yet
            return True
        time.sleep(0.02)
    return False


def test_pictures_come_whole_and_in_order_and_may_be_changed() -> None:
    seen = list(values(works.pictures, Report(), given=3))
    assert [number for number, _ in seen] == [0, 1, 2]
    for number, (_, picture) in enumerate(seen):
        np.testing.assert_array_equal(picture, np.full((200, 300, 3), number, np.uint8))
        assert picture.flags.writeable


def test_what_the_work_notes_is_in_the_report_of_the_job() -> None:
    report = Report()
    assert list(values(works.noting, report)) == [1, 2]
    told = report.as_dict()
    assert told["frames_without_face"] == [7]
    assert told["warnings"] == ["careful (2 times)"]
    assert told["seen"] == "one"
    assert set(told["stages"]) == {"source"}


def test_a_warning_through_a_method_of_the_report_reaches_it() -> None:
    report = Report()
    assert list(values(works.Warned(report.warn), report)) == [1]
    assert report.warnings == ["from a source"]


@pytest.mark.skipif(os.name != "posix", reason="Windows does not tell")
def test_the_memory_that_is_told_is_that_of_both_processes() -> None:
    report = Report()
    list(values(works.noting, report))
    alone = Report().as_dict()["peak_megabytes"]
    assert report.as_dict()["peak_megabytes"] > alone + 10  # a bare Python has 10 MB


def test_a_problem_arrives_as_itself_with_its_remedy() -> None:
    seen: list[int] = []
    with pytest.raises(RetargetError, match="upside down") as caught:
        seen.extend(values(works.refused, Report()))
    assert seen == [1]
    assert caught.value.do == "Turn it."


def test_a_mistake_arrives_with_the_place_where_it_was_made() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(values(works.broken, Report()))
    assert "works.py" in str(caught.value.__cause__)


def test_an_error_that_cannot_be_made_anew_arrives_by_its_words() -> None:
    with pytest.raises(RuntimeError, match="not portable"):
        list(values(works.odd, Report()))


@pytest.mark.timeout(60)
def test_libraries_find_neither_of_the_pipes_in_the_standard_streams() -> None:
    """Loading one on Windows looks at standard input, and would wait while a thread reads it."""
    assert list(values(works.left_to_libraries, Report())) == [(b"", False)]


def test_where_the_process_does_not_come_up_the_work_is_done_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(beside, "_PROGRAM", "print('What is this?')")
    assert next(values(works.own_number, Report())) == os.getpid()


def test_work_that_cannot_be_found_there_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [p for p in sys.path if Path(p).name != "tests"])
    assert next(values(works.own_number, Report())) == os.getpid()


def test_a_job_left_before_the_process_came_up_does_no_work_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(beside, "_PROGRAM", "import time; time.sleep(1000)")
    process = Beside(works.own_number, Report())
    process.end()
    with closing(process):
        assert list(process.values(None)) == []


@POSIX
def test_a_process_that_is_killed_is_told_of_in_one_sentence() -> None:
    made = values(works.own_number, Report())
    os.kill(next(made), signal.SIGKILL)
    with pytest.raises(RetargetError, match="ended from outside"):
        next(made)


@POSIX
def test_leaving_a_job_does_not_wait_for_a_value_that_takes_long() -> None:
    process = Beside(works.own_number, Report())
    with closing(process), Lanes() as lanes:
        ahead = lanes.ahead(process.values(None), interrupt=process.end)
        number = next(ahead)
    assert gone(number)


@POSIX
def test_it_is_not_reached_by_the_ctrl_c_of_a_terminal() -> None:
    made = values(works.own_number, Report())
    assert os.getsid(next(made)) != os.getsid(0)
    made.close()  # type: ignore[attr-defined]


@POSIX
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="read from /proc")
@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "raise SystemExit"])
def test_it_ends_with_the_program_however_that_ends(end: str) -> None:
    code = f"""
    import os, signal, works
    from retarget.flow.beside import Beside
    from retarget.flow.report import Report
    process = Beside(works.own_number, Report())
    print(next(process.values(None)), flush=True)
    {end}
    """
    assert gone(int(run(code).stdout))


def test_a_program_needs_no_guard_around_its_main_part() -> None:
    done = run("""
    print("begun")
    import works
    from retarget.flow.beside import Beside
    from retarget.flow.report import Report
    process = Beside(works.pictures, Report())
    print(len(list(process.values(2))))
    process.close()
    """)
    assert done.stdout.split() == ["begun", "2"], done.stderr


@POSIX
def test_a_process_forked_from_a_job_leaves_the_second_one_alone() -> None:
    done = run("""
    import os, works
    from retarget.flow.beside import Beside
    from retarget.flow.report import Report
    process = Beside(works.pictures, Report())
    values = process.values(3)
    next(values)
    if os.fork() == 0:
        process.close()
        os._exit(0)
    os.wait()
    print(len(list(values)))
    process.close()
    """)
    assert done.stdout.split() == ["2"], done.stderr


@pytest.mark.parametrize("program", ["", "/opt/blender/blender", "C:\\maya\\bin\\maya.exe"])
def test_a_program_that_is_no_python_is_not_started_once_more(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    assert not second_process_pays()


def test_one_core_is_not_shared_by_two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert not second_process_pays()


def test_little_memory_is_not_shared_by_two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "free_memory", lambda: 5e8)
    assert not second_process_pays()
