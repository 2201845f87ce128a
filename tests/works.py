"""What a second process can be given to run; it imports this module by name."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from retarget.errors import RetargetError
from retarget.flow.arrays import Picture
from retarget.flow.report import Report, Warn

Given = Callable[[], Any]


def pictures(report: Report, given: Given) -> Iterator[tuple[int, Picture]]:
    """As many large pictures as were asked for, each filled with its number."""
    for number in range(given()):
        yield number, np.full((200, 300, 3), number, np.uint8)


def noting(report: Report, given: Given) -> Iterator[int]:
    """Two values, of which the first is noted as lost and warned of."""
    for number in report.timed("source", iter((1, 2))):
        report.warn("careful")
        if number == 1:
            report.lost(7)
            report.facts["seen"] = "one"
        yield number


@dataclass(frozen=True)
class Warned:
    """A work that holds a method of the report."""

    warn: Warn

    def __call__(self, report: Report, given: Given) -> Iterator[int]:
        self.warn("from a source")
        yield 1


def refused(report: Report, given: Given) -> Iterator[int]:
    """One value, then a problem that a person can put right."""
    yield 1
    raise RetargetError("It is upside down.", do="Turn it.")


def broken(report: Report, given: Given) -> Iterator[int]:
    """A mistake in a program."""
    yield 1 // 0


class Odd(Exception):
    """An error that cannot be made anew from its message alone."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def odd(report: Report, given: Given) -> Iterator[int]:
    """Such an error."""
    raise Odd("not ", "portable")
    yield 1


def own_number(report: Report, given: Given) -> Iterator[int]:
    """The number of the process that runs this, which then takes very long."""
    yield os.getpid()
    time.sleep(1000)
    yield 0


def left_to_libraries(report: Report, given: Given) -> Iterator[tuple[bytes, bool]]:
    """What can be read from standard input, and whether standard output is a pipe."""
    yield os.read(0, 1), stat.S_ISFIFO(os.fstat(1).st_mode)
