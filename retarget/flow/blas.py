"""The same sums everywhere: how many threads numpy's products take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Add in one order in the body: several threads round otherwise, and a pixel is another."""
    with threadpool_limits(1, user_api="blas"):
        yield
