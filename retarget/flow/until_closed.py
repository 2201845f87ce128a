"""An iterator that any thread can close at any time."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

T = TypeVar("T")


class UntilClosed(Iterator[T], AbstractContextManager["UntilClosed[T]"]):
    """A generator whose values end with its `with` block, or with `close`.

    A plain generator cannot be closed while another thread waits for its next value, as when an
    asyncio program that reads it with `to_thread` is cancelled.
    """

    def __init__(self, values: Generator[T, None, None]) -> None:
        self._values = values
        self._one_at_a_time = threading.RLock()

    def __next__(self) -> T:
        with self._one_at_a_time:
            return next(self._values)

    def close(self) -> None:
        """End the generator, after the value that another thread may be waiting for."""
        with self._one_at_a_time:
            self._values.close()

    def __exit__(self, *_: object) -> None:
        self.close()
