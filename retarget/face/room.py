"""Check that there is enough memory to follow faces, before anything large is loaded."""

from __future__ import annotations

import sys
from functools import cache

from retarget.flow.cores import usable_cores
from retarget.flow.free_memory import require_address_space

_NEW = sys.version_info >= (3, 13)
_LIBRARIES, _NETWORKS, _TASKS = (0.75e9, 1.2e9, 0.0) if _NEW else (0.3e9, 0.75e9, 0.4e9)
_PER_CORE = 0.1e9
"""Address space in bytes that a whole video needs: for imports, for networks, in addition with
MediaPipe's Tasks, and for the threads of each core; measured on Linux. Python 3.13 has OpenCV 5,
which needs more, and always uses the Tasks."""


@cache
def check_room(*, imported: bool, tasks: bool = False) -> None:
    """Refuse to follow faces with too little memory, where OpenBLAS would wait for ever.

    The check is made once, as libraries and networks stay loaded.

    Args:
        imported: whether the libraries are loaded already.
        tasks: whether the tracker is that of MediaPipe's Tasks.
    """
    wanted = _NETWORKS + _PER_CORE * usable_cores() + (0.0 if imported else _LIBRARIES)
    wanted += _TASKS if tasks else 0.0
    require_address_space(wanted, of="Following a face and drawing it", do="")
