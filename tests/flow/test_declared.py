"""Settings keep what they declare, whatever does for it; what does not is refused at once."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retarget.composite.settings import PasteSettings
from retarget.errors import RetargetError, UnknownWord, WrongSetting
from retarget.evaluation.job import EvaluateJob
from retarget.expression.settings import (
    FitSettings,
    MomentsSettings,
    RestSettings,
    SmoothSettings,
)
from retarget.face.settings import TrackSettings
from retarget.flow.report import Report
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.generate.settings import WarpSettings
from retarget.jobs.bench import BenchJob
from retarget.jobs.expressions import ExpressionsJob
from retarget.jobs.fit import FitJob
from retarget.jobs.generators import open_generator
from retarget.jobs.micro import MicroJob
from retarget.jobs.still import StillJob
from retarget.jobs.story import StoryJob
from retarget.jobs.video import VideoJob
from retarget.sink.settings import SinkSettings
from retarget.source.settings import SourceSettings
from retarget.transfer.settings import Gains, TransferSettings


@pytest.mark.parametrize(
    ("made", "word", "nearest"),
    [
        (TransferSettings, {"motion": "ful"}, "full"),
        (TransferSettings, {"lost": "holds"}, "hold"),
        (SinkSettings, {"codec": "prorez"}, "prores"),
        (FitSettings, {"prior": "score"}, "scores"),
        (WarpSettings, {"background": "stil"}, "still"),
        (DiffusionSettings, {"quality": "drafty"}, "draft"),
        (DiffusionSettings, {"decoder": "tinny"}, "tiny"),
    ],
)
def test_a_mistyped_choice_is_refused_and_the_nearest_offered(
    made: Callable[..., Any], word: dict[str, str], nearest: str
) -> None:
    with pytest.raises(UnknownWord) as problem:
        made(**word)
    assert problem.value.nearest == nearest
    assert next(iter(word)) in problem.value.what


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (TransferSettings, {"relative": "no"}),
        (TransferSettings, {"relative": None}),
        (TransferSettings, {"motion": None}),
        (SmoothSettings, {"live": "no"}),
        (TrackSettings, {"cuts": "no"}),
        (PasteSettings, {"match_color": None}),
        (TrackSettings, {"looks": 1.5}),
        (TransferSettings, {"strength": "1"}),
        (TransferSettings, {"strength": True}),
        (TransferSettings, {"gain": {"mouth": 1.2}}),
        (Gains, {"mouth": None}),
        (RestSettings, {"samples": [8]}),
        (DiffusionSettings, {"scheduler": 1.5}),
        (DiffusionSettings, {"photos": ["a.jpg", 1]}),
        (EvaluateJob, {"result": 3}),
        (VideoJob, {"driving": None, "identity": "face.jpg"}),
        (VideoJob, {"output": "", "driving": "a.mp4", "identity": "face.jpg"}),
        (VideoJob, {"warp": {"creases": 1}, "driving": "a.mp4", "identity": "face.jpg"}),
    ],
)
def test_what_is_of_another_kind_is_refused(
    made: Callable[..., Any], value: dict[str, object]
) -> None:
    with pytest.raises(WrongSetting, match=next(iter(value))):
        made(**value)


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (TransferSettings, {"strength": 99}),
        (Gains, {"jaw": -1}),
        (MomentsSettings, {"shortest": 0.5, "longest": 0.5}),
        (BenchJob, {"runs": 0}),
        (partial(StillJob, identity="a.jpg", expression="joy"), {"intensity": [0.5, 1.5]}),
        (partial(StillJob, identity="a.jpg", expression="joy"), {"tile": 8}),
        (partial(MicroJob, identity="a.jpg"), {"intensity": 2}),
        (partial(MicroJob, identity="a.jpg"), {"apex_ms": 0}),
        (ExpressionsJob, {"columns": 0}),
    ],
)
def test_what_is_out_of_its_range_is_a_person_s_error_wherever_it_is_set(
    made: Callable[..., Any], value: dict[str, object]
) -> None:
    name = next(iter(value))
    with pytest.raises(RetargetError, match=rf"^{name} must .*, got .*\.$") as refused:
        made(**value)
    again = pickle.loads(pickle.dumps(refused.value))  # as a pool of processes hands it on
    assert (again.what, again.do) == (refused.value.what, refused.value.do)


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (VideoJob, {"driving": "a\0.mp4", "identity": "face.jpg"}),
        (VideoJob, {"output": "a\0.mp4", "driving": "a.mp4", "identity": "face.jpg"}),
        (StillJob, {"identity": ("a.jpg", "a\0.jpg"), "expression": "joy"}),
        (StoryJob, {"story": Path("a\0.toml")}),
    ],
)
def test_a_name_that_no_file_can_have_is_refused(
    made: Callable[..., Any], value: dict[str, object]
) -> None:
    with pytest.raises(WrongSetting, match=f"{next(iter(value))} must hold no null character"):
        made(**value)


def test_a_large_value_in_the_place_of_a_name_is_told_on_one_line() -> None:
    with pytest.raises(WrongSetting, match=r"identity must be text, got array\(.*\)") as refused:
        VideoJob(driving="a.mp4", identity=np.zeros((9, 9, 3)))  # type: ignore[arg-type]
    assert len(refused.value.what) < 150
    assert "\n" not in refused.value.what


def test_what_is_numpys_becomes_python_s() -> None:
    transfer = TransferSettings(relative=np.True_, strength=np.float32(0.5))  # type: ignore[arg-type]
    assert (transfer.relative, transfer.strength) == (True, 0.5)
    assert (type(transfer.relative), type(transfer.strength)) == (bool, float)
    assert type(SinkSettings(quality=np.int64(70)).quality) is int  # type: ignore[arg-type]
    levels = np.array([0.25, 0.5])
    still = StillJob(identity="a.jpg", expression="joy", intensity=levels)
    assert still.intensity == (0.25, 0.5)


def test_a_whole_number_may_come_out_of_a_sum_and_be_large() -> None:
    assert SinkSettings(quality=75.0).quality == 75  # type: ignore[arg-type]
    assert DiffusionSettings(seed=2**63 - 1).seed == 2**63 - 1


def test_an_unknown_generator_is_none_of_the_two() -> None:
    with pytest.raises(UnknownWord, match="'warps'"):
        open_generator("warps", WarpSettings(), DiffusionSettings(), None, Report())  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [str, Path])
def test_a_field_keeps_what_it_declares(kind: Any) -> None:
    job = VideoJob(driving=kind("a.mp4"), identity=kind("b.jpg"), output=kind("c.mp4"))
    assert (job.driving, job.identity, job.output) == ("a.mp4", "b.jpg", Path("c.mp4"))
    assert isinstance(job.output, Path)
    fit = FitJob(driving=kind("a.mp4"), output=kind("a.npz"))
    assert isinstance(fit.output, Path)


@pytest.mark.parametrize("kind", [str, Path])
def test_one_name_does_where_several_may_be_given(kind: Any) -> None:
    still = StillJob(identity=kind("a.jpg"), expression="joy")
    assert (still.identity, still.expression) == (("a.jpg",), ("joy",))
    ranked = EvaluateJob(compare=[kind("a.mp4"), kind("b.mp4")])
    assert ranked.compare == (Path("a.mp4"), Path("b.mp4"))


def test_numbers_do_where_text_or_several_are_kept() -> None:
    still = StillJob(identity="a.jpg", expression="joy", intensity=0.3)
    assert still.intensity == (0.3,)
    rates = (30, 29.97, Fraction(30000, 1001))
    told = [MicroJob(identity="a.jpg", rate=rate).rate for rate in rates]
    assert told == ["30", "29.97", "30000/1001"]
    assert RestSettings(neutral=12).neutral == "12"
    assert RestSettings(neutral=Path("calm.jpg")).neutral == "calm.jpg"
    assert TrackSettings(which=0).which == "0"


def test_a_time_may_be_given_as_on_the_command_line() -> None:
    piece = SourceSettings(start="1:02.5", end="90s")
    assert (piece.start, piece.end) == (62.5, 90.0)
    with pytest.raises(WrongSetting, match="end must be a number"):
        SourceSettings(end="late")


def test_what_is_no_name_stays_as_it_is() -> None:
    job = VideoJob(driving="a.mp4", identity="b.jpg", output=None, preview=True)
    assert job.output is None
    assert job.preview is True


@dataclass(frozen=True, kw_only=True)
class Derived(VideoJob):
    tags: list[str] = field(default_factory=list)
    told: Callable[[str], object] | None = None
    place: tuple[int, str] = (0, "")
    about: Any = None
    crop: int = 0


def test_settings_that_others_derive_may_hold_what_is_not_checked_here() -> None:
    job = Derived(
        driving=Path("a.mp4"), identity="b.jpg", tags=["x"], told=print, place=(1, "b"), about=3
    )
    assert (job.driving, job.tags, job.told, job.place) == ("a.mp4", ["x"], print, (1, "b"))
    with pytest.raises(WrongSetting, match="crop must be a whole number"):
        replace(job, crop="no")
