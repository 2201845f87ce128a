"""Values made in a second process, where Python code does not wait for that of this one.

The threads of a process run Python code by turns, so that a lane and drawing, each of many small
calls, hold each other up. A second process has an interpreter of its own. It is given a pickled
callable, and hands back each value together with what its stages noted in their report. Nothing of
the caller's `__main__` is imported there.

It ends when its standard input does, which is when this process closes it or ends, however that
happens. It is in a session of its own, so that Ctrl-C reaches only this one.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Generic, TypeAlias, TypeVar

from retarget.errors import RetargetError
from retarget.flow.between import pickled, read, receive, send, unpickled
from retarget.flow.cores import usable_cores
from retarget.flow.free_memory import free_memory
from retarget.flow.report import Report

T = TypeVar("T")
Work: TypeAlias = Callable[[Report, Callable[[], Any]], Iterator[T]]
"""What the second process runs; it can be pickled. It is given the report to use, and a function
that waits for what `Beside.values` is given."""
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1:]; from retarget.flow.beside import _serve; _serve()"
)
_HELLO = b"retarget"
_MEMORY = 1e9
"""Bytes that must be free, five times what it takes."""
_PIPE_BYTES = 1_048_576
"""Room of the pipe for values on Linux, the most that anyone may ask for: a picture of 512 by 512
passes at once, not in a dozen pieces for each of which a thread has to wait its turn."""


def second_process_pays() -> bool:
    """Whether this machine has the cores and the memory, and a Python to run it."""
    python = Path(sys.executable or "").name.lower().startswith("python")
    embedded = not python or hasattr(sys, "frozen")  # else it would open the program once more
    free = free_memory()
    return usable_cores() > 1 and not embedded and (free is None or free >= _MEMORY)


class Beside(Generic[T]):
    """A second process, which starts at once on one `Work`.

    Args:
        work: what it runs. Where this holds `report`, or a method of it, it will hold another one.
        report: what the work notes there is added here as the values are taken.

    Raises:
        OSError: it cannot be started.
        pickle.PicklingError, TypeError: the work cannot be handed over.
    """

    def __init__(self, work: Work[T], report: Report) -> None:
        self._work = work
        self._report = report
        self._left = False
        request = pickled(work, report)
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", _PROGRAM, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # an error is handed back, and told of once
            bufsize=0,  # buffers have locks, which a process forked from this one could not take
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise ValueError("a process with pipes has both")
        self._requests, self._answers = self._process.stdin, self._process.stdout
        _widen(self._answers)
        self._give(request)

    def values(self, given: object) -> Iterator[T]:
        """What the work yields there, or here where the second process did not come up.

        Raises:
            RetargetError: the process was ended from outside.
        """
        if read(self._answers, len(_HELLO)) != bytearray(_HELLO):
            self._process.kill()
            if not self._left:  # else nobody waits for a value any more
                yield from self._work(self._report, lambda: given)
            return
        self._give(pickle.dumps(given))
        while (answer := receive(self._answers)) is not None:
            value, noted, failed = answer
            self._report.add(noted)
            if failed is not None:
                error, told = failed
                raise error from RuntimeError(told)
            if value is None:
                return
            yield value
        if not self._left:
            raise RetargetError(
                "The process that follows the driving face was ended from outside "
                f"(exit status {self._process.wait()}).",
                do="Run it again, with more memory free if that was short.",
            )

    def end(self) -> None:
        """End the process; a thread that waits for a value of it then waits no longer."""
        self._left = True
        self._process.kill()  # in a process forked from this one it does nothing

    def close(self) -> None:
        """End the process, once no thread reads its values any more."""
        self.end()
        self._requests.close()
        self._answers.close()
        self._process.wait()

    def _give(self, request: bytes) -> None:
        with suppress(OSError):  # it has ended, which the lack of an answer will tell
            while request:
                request = request[self._requests.write(request) :]


def _widen(pipe: IO[bytes]) -> None:
    with suppress(ImportError, AttributeError, OSError):  # Windows, macOS, a user's limit
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _serve() -> None:
    """Be the second process."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print does not get among the values
    os.dup2(2, 0)  # on Windows, loading one waits for whoever reads from its standard input
    report = Report()
    with suppress(Exception):  # the first process makes up for it, or tells of it
        work = unpickled(requests, report)
        answers.write(_HELLO)
        answers.flush()
        given: SimpleQueue[Any] = SimpleQueue()
        threading.Thread(target=_listen, args=(requests, given), daemon=True).start()
        _answer(work, report, given, answers)
    os._exit(0)  # without taking the libraries down, which takes a tenth of a second


def _answer(
    work: Work[object], report: Report, given: SimpleQueue[Any], answers: IO[bytes]
) -> None:
    from retarget.flow.lanes import Lanes

    failed: tuple[Exception, str] | None = None
    try:
        with Lanes():  # for the number of threads of numpy and OpenCV
            for value in work(report, given.get):
                send(answers, (value, report.taken(), None))
    except Exception as problem:  # raised again by the first process
        failed = _portable(problem), traceback.format_exc()
    send(answers, (None, report.taken(), failed))


def _portable(error: Exception) -> Exception:
    """The error, or its text where it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  (made here)
    except Exception:  # whatever an error of a library does when it is made anew
        return RuntimeError(str(error))
    return error


def _listen(requests: IO[bytes], given: SimpleQueue[Any]) -> None:
    """Take what is given later, and end with the first process, or when it closes the pipe."""
    with suppress(Exception):
        given.put(unpickled(requests))
        requests.read()
    os._exit(0)
