"""How fast this machine is."""

from __future__ import annotations

from pathlib import Path

import pytest
from outside import needs_tracker

from retarget.errors import RetargetError
from retarget.jobs.bench import BenchJob


@needs_tracker
def test_a_single_frame_tells_no_speed(photo: Path) -> None:
    with pytest.raises(RetargetError, match="one single frame"):
        BenchJob(driving=str(photo), identity=str(photo), runs=1).run()
