"""The driving clip itself, encoded anew, bounds every result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from retarget.evaluation import ceiling, expression, video
from retarget.evaluation.catalog import Sheet
from retarget.evaluation.observe import Estimators, observe
from retarget.evaluation.pairs import pair
from retarget.evaluation.values import Observed
from tests.evaluation.conftest import COUNT, SIDE

KEY = "expression.recoded_ratios"


class Reader:
    """Reads as the driving clip was read, and remembers what."""

    def __init__(self, estimators: Estimators) -> None:
        self._estimators = estimators
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, path: Path) -> Observed:
        seen = observe(path, self._estimators, sample_faces=False)
        self.sizes.append(seen.size)
        return seen


def scaled(seen: Observed, by: float) -> Observed:
    return replace(seen, boxes=seen.boxes * by)


def bound(limit: ceiling.Ceiling, result: Observed) -> float:
    sheet = Sheet()
    limit.measure(result, [], sheet)
    value = sheet.found[KEY][0]
    assert value is not None
    return value


def test_the_driving_clip_encoded_anew_nearly_reaches_itself_and_less_so_when_small(
    seen: dict[str, Observed], estimators: Estimators
) -> None:
    reader = Reader(estimators)
    limit = ceiling.Ceiling(seen["driving"], 0.05, reader)
    same, again, small = (bound(limit, scaled(seen["driving"], k)) for k in (1.0, 1.3, 0.25))
    assert same == again  # a larger face gains nothing, and is not read anew
    assert reader.sizes == [(SIDE, SIDE), (SIDE // 4, SIDE // 4)]
    assert small < same < 1
    assert same > 0.9


def test_every_channel_gets_its_own_bound(
    seen: dict[str, Observed], estimators: Estimators
) -> None:
    driving, half = seen["driving"], seen["half"]
    sheet = Sheet()
    channels = expression.measure(driving, half, pair(driving, half), 0.05, sheet)
    limit = ceiling.Ceiling(driving, 0.05, Reader(estimators))
    bounded = [c.recoded for c in limit.measure(half, channels, sheet) if c.active]
    assert len(bounded) > 2
    assert all(bound is not None and bound < 1 for bound in bounded)
    assert np.mean([b for b in bounded if b is not None]) == sheet.found[KEY][0]


def test_every_picture_is_encoded_anew_at_its_time(clips: dict[str, Path], tmp_path: Path) -> None:
    target = tmp_path / "again.mp4"
    ceiling.recode(clips["delayed"], target, 0.33)
    ours, theirs = ([f.at.seconds for f in video.frames(p)] for p in (target, clips["delayed"]))
    assert len(ours) == COUNT
    np.testing.assert_allclose(np.diff(ours), np.diff(theirs), atol=1e-3)


def test_bounds_that_cannot_be_read_say_why(seen: dict[str, Observed]) -> None:
    from retarget.errors import NoFaceFound

    def blind(path: Path) -> Observed:
        raise NoFaceFound("It sees nothing.", do="Look elsewhere.")

    sheet = Sheet()
    ceiling.Ceiling(seen["driving"], 0.05, blind).measure(seen["driving"], [], sheet)
    value, why = sheet.found[KEY]
    assert value is None
    assert "is not found" in why
