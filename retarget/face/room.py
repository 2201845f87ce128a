"""Whether there is room to follow faces, asked before anything large is loaded."""

from __future__ import annotations

import os
import sys
from functools import cache

from retarget.flow.free_memory import require_address_space

_LIBRARIES, _NETWORKS = (0.75e9, 1.2e9) if sys.version_info >= (3, 13) else (0.3e9, 0.75e9)
_PER_CORE = 0.1e9
"""Address space in bytes that a whole video takes: to import what it needs, from there on, and for
the threads that are started for each core; measured on Linux. Python 3.13 comes with OpenCV 5 and
MediaPipe's tasks, which take more."""


@cache
def check_room(*, imported: bool) -> None:
    """Refuse to follow faces where there is no room: with too little, OpenBLAS waits for ever.

    What fitted once is in place from then on, and is not asked for again.

    Args:
        imported: whether the libraries are in place already.

    Raises:
        RetargetError: a limit on this process leaves less than a video takes.
    """
    wanted = _NETWORKS + _PER_CORE * (os.cpu_count() or 1) + (0.0 if imported else _LIBRARIES)
    require_address_space(wanted, of="Following a face and drawing it", do="")
