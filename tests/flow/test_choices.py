"""A word that a setting does not know is refused where it is given, not taken for another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from retarget.errors import UnknownWord
from retarget.expression.settings import FitSettings, SmoothSettings
from retarget.flow.report import Report
from retarget.generate.diffusion.settings import DiffusionSettings
from retarget.generate.settings import WarpSettings
from retarget.jobs.generators import open_generator
from retarget.sink.settings import SinkSettings
from retarget.source.settings import SourceSettings
from retarget.transfer.settings import TransferSettings


@pytest.mark.parametrize(
    ("made", "word", "nearest"),
    [
        (TransferSettings, {"motion": "ful"}, "full"),
        (TransferSettings, {"lost": "holds"}, "hold"),
        (SourceSettings, {"color": "exakt"}, "exact"),
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
    ],
)
def test_what_is_no_choice_at_all_is_refused(
    made: Callable[..., Any], value: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=next(iter(value))):
        made(**value)


def test_yes_may_be_numpys() -> None:
    assert TransferSettings(relative=np.True_).relative  # type: ignore[arg-type]


def test_an_unknown_generator_is_none_of_the_two() -> None:
    with pytest.raises(UnknownWord, match="'warps'"):
        open_generator("warps", WarpSettings(), DiffusionSettings(), None, Report())  # type: ignore[arg-type]
