"""Stages run ahead on their own threads, in order, and none outlives the job.

A lane pulls from an iterator on a thread and keeps at most `depth` values ready. What the thread
raises is raised again by the consumer, once. Leaving the `with Lanes()` block ends every thread,
however it is left: an error, an early `break`, Ctrl-C. Where it is never left, the program's end
ends them.
"""

from __future__ import annotations

import atexit
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Generic, TypeVar

import retarget.flow.shutdown  # noqa: F401  (what is registered first ends last: after all lanes)
from retarget.flow.blas import one_blas_thread
from retarget.flow.held_signals import held_signals
from retarget.flow.thread_clock import waiting

T = TypeVar("T")
DEPTH = 4
"""Values that a lane keeps ready."""
_READY_BYTES = 64_000_000
"""The most bytes of pixels that a lane keeps ready, unless a single frame has more."""
_POLL_SECONDS = 0.1
_BUSY = 3
"""Cores that the lanes of a job and its encoder keep busy."""
_opencv = threading.Lock()
_threads = 1
_jobs = 0


class _End:
    """The last thing in a lane: the iterator ended, or raised `error`."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Lane(Generic[T]):
    """One iterator, read ahead on one thread."""

    def __init__(
        self, values: Iterator[T], depth: int, name: str, interrupt: Callable[[], None]
    ) -> None:
        self._values = values
        self._interrupt = interrupt
        self._ready: queue.Queue[T | _End] = queue.Queue(maxsize=depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"retarget-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while True:
            value = self._take()
            if isinstance(value, _End):
                if value.error is not None:
                    raise value.error
                return
            yield value

    def _take(self) -> T | _End:
        while True:
            try:
                with waiting():
                    return self._ready.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if self._stop.is_set():  # not the end of the values: they would be taken for whole
                    raise RuntimeError("the job was left before its end") from None

    def _put(self, value: T | _End) -> bool:
        while not self._stop.is_set():
            try:
                self._ready.put(value, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def _run(self) -> None:
        if self._stop.is_set():  # Ctrl-C came while the thread began, and nobody waits for it
            return
        end = _End()
        try:
            for value in self._values:
                if not self._put(value):
                    break
        except BaseException as error:  # handed over whole: the consumer raises it
            end = _End(error)
        finally:
            # Closed here, on the thread that ran it: a generator may not be closed while it runs.
            close = getattr(self._values, "close", None)
            if close is not None:
                close()
        self._put(end)

    def stop(self) -> None:
        self._stop.set()
        self._interrupt()

    def join(self) -> None:
        if self._thread.is_alive():  # it has not begun where Ctrl-C came first
            self._thread.join()


def depth_for(*sizes: tuple[int, int] | None, most: int = DEPTH) -> int:
    """How many frames of these sizes together may wait in a lane; large ones must be fewer.

    Args:
        sizes: (width, height) in pixels of each picture that goes with a frame; None for none.
        most: how many small ones may.
    """
    frame = sum(3 * width * height for width, height in filter(None, sizes))
    return max(1, min(most, _READY_BYTES // max(frame, 1)))


class Lanes:
    """The threads of one job."""

    def __init__(self) -> None:
        self._lanes: list[_Lane[object]] = []
        self._entered = ExitStack()

    def __enter__(self) -> Lanes:
        # Frames that nobody reads to their end: a thread within MediaPipe when the libraries are
        # taken down would take the program down with it.
        atexit.register(self._end)
        # Every product here is small: numpy's own threads would only wait for one another and take
        # the cores from the lanes.
        self._entered.enter_context(one_blas_thread())
        self._entered.enter_context(_opencv_beside_lanes())
        return self

    def ahead(
        self,
        values: Iterator[T],
        *,
        depth: int = DEPTH,
        name: str = "lane",
        interrupt: Callable[[], None] = lambda: None,
    ) -> Iterator[T]:
        """Read `values` on a thread of its own, at most `depth` ahead.

        Args:
            values: read on the new thread from now on and never again by the caller.
            depth: how many values may wait; this bounds the memory.
            name: for the thread's name.
            interrupt: ends a wait within `values`, called when the job is left.
        """
        lane: _Lane[T] = _Lane(values, depth, name, interrupt)
        self._lanes.append(lane)  # type: ignore[arg-type]
        lane.start()  # once it is in the list: Ctrl-C may come as soon as it runs
        return iter(lane)

    def __exit__(self, *_: object) -> None:
        with held_signals():  # Ctrl-C once more, and threads would outlive the program's end
            self._end()
            self._entered.close()
            atexit.unregister(self._end)

    def _end(self) -> None:
        for lane in self._lanes:
            lane.stop()
        for lane in self._lanes:
            lane.join()


@contextmanager
def _opencv_beside_lanes() -> Iterator[None]:
    """Limit OpenCV in the body to the cores that lanes do not need, but at least one.

    Its threads spin while they wait for work, on cores that a lane needs. The limit applies to the
    whole process; where bodies overlap, until the last one ends.
    """
    global _threads, _jobs  # noqa: PLW0603  (as what they count is the process's)
    import cv2  # here, as --help must not load it

    with _opencv:
        if _jobs == 0:
            _threads = cv2.getNumThreads()
            cv2.setNumThreads(max(1, _threads - _BUSY))
        _jobs += 1
    try:
        yield
    finally:
        with _opencv:
            _jobs -= 1
            if _jobs == 0:
                cv2.setNumThreads(_threads)
