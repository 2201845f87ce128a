"""How fast this machine is."""

from __future__ import annotations

from pathlib import Path

import pytest

from retarget.errors import RetargetError
from retarget.jobs.bench import BenchJob


def test_a_single_frame_tells_no_speed(photo: Path) -> None:
    with pytest.raises(RetargetError, match="one single frame"):
        BenchJob(driving=str(photo), identity=str(photo), runs=1).run()
