"""Suppress C++ log lines of MediaPipe and PyTorch that users can do nothing about."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_NOISE = re.compile(
    rb"INFO: |USDT:|[IW]\d{4} [\d:.]+ "
    rb"|WARNING: (All log messages before absl|Logging before InitGoogle)"
)
_lock = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep such log lines off the terminal while the body runs.

    They are written to the file descriptor itself, so it is redirected meanwhile; other lines
    are passed on afterwards.
    """
    with _lock, ExitStack() as opened:
        try:
            sys.stderr.flush()
            aside = opened.enter_context(tempfile.TemporaryFile())
            kept = os.dup(2)
        except (OSError, AttributeError, ValueError):  # no standard error, or no place for a file
            yield
            return
        os.dup2(aside.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            aside.seek(0)
            for line in aside:
                if not _NOISE.match(line):
                    os.write(2, line)
