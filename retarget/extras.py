"""Which optional package is in which extra, and one clear sentence where it is absent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from retarget.errors import MissingPackage


@contextmanager
def extra(name: str, *, purpose: str) -> Iterator[None]:
    """Turn a failed import inside the block into advice to install `retarget[name]`.

    Args:
        name: the extra, as in pyproject.toml.
        purpose: what wants it, as the start of a sentence ("Fitting from pixels").

    Raises:
        MissingPackage: a package imported inside the block is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        raise MissingPackage(
            f"{purpose} needs the package {missing.name!r}, which is not installed.",
            do=f"Install it with: pip install 'retarget[{name}]'",
        ) from missing
