"""Files are named by strings or paths, whichever the caller has."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from retarget.evaluation.job import EvaluateJob
from retarget.jobs.fit import FitJob
from retarget.jobs.micro import MicroJob
from retarget.jobs.still import StillJob
from retarget.jobs.video import VideoJob


@pytest.mark.parametrize("kind", [str, Path])
def test_a_field_keeps_what_it_declares(kind: Any) -> None:
    job = VideoJob(driving=kind("a.mp4"), identity=kind("b.jpg"), output=kind("c.mp4"))
    assert (job.driving, job.identity, job.output) == ("a.mp4", "b.jpg", Path("c.mp4"))
    assert isinstance(job.output, Path)
    fit = FitJob(driving=kind("a.mp4"), output=kind("a.npz"))
    assert isinstance(fit.output, Path)


@pytest.mark.parametrize("kind", [str, Path])
def test_one_name_does_where_several_may_be_given(kind: Any) -> None:
    still = StillJob(identity=kind("a.jpg"), expression="joy")  # type: ignore[arg-type]
    assert (still.identity, still.expression) == (("a.jpg",), ("joy",))
    ranked = EvaluateJob(compare=[kind("a.mp4"), kind("b.mp4")])  # type: ignore[arg-type]
    assert ranked.compare == (Path("a.mp4"), Path("b.mp4"))


def test_numbers_do_where_text_or_several_are_kept() -> None:
    still = StillJob(identity="a.jpg", expression="joy", intensity=0.3)  # type: ignore[arg-type]
    assert still.intensity == (0.3,)
    rates = (30, 29.97, Fraction(30000, 1001))
    told = [MicroJob(identity="a.jpg", rate=rate).rate for rate in rates]  # type: ignore[arg-type]
    assert told == ["30", "29.97", "30000/1001"]


def test_what_is_no_name_stays_as_it_is() -> None:
    job = VideoJob(driving="a.mp4", identity="b.jpg", output=None, preview=True)
    assert job.output is None
    assert job.preview is True
