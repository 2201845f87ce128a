"""Check that there is enough memory to follow faces, before anything large is loaded."""

from __future__ import annotations

import os
import sys
from functools import cache

from retarget.flow.free_memory import require_address_space

_NEW = sys.version_info >= (3, 13)
_LIBRARIES, _NETWORKS, _TASKS = (0.75e9, 1.2e9, 0.0) if _NEW else (0.3e9, 0.75e9, 0.4e9)
_PER_CORE = 0.1e9
"""Address space in bytes that a whole video takes: to import what it needs, from there on, more
with MediaPipe's Tasks, and for the threads that are started for each core; measured on Linux.
Python 3.13 comes with OpenCV 5, which takes more, and always follows faces with the Tasks."""


@cache
def check_room(*, imported: bool, tasks: bool = False) -> None:
    """Refuse to follow faces where there is no room: with too little, OpenBLAS waits for ever.

    What fitted once is in place from then on, and is not asked for again.

    Args:
        imported: whether the libraries are in place already.
        tasks: whether it is MediaPipe's Tasks that follow them.
    """
    wanted = _NETWORKS + _PER_CORE * (os.cpu_count() or 1) + (0.0 if imported else _LIBRARIES)
    wanted += _TASKS if tasks else 0.0
    require_address_space(wanted, of="Following a face and drawing it", do="")
