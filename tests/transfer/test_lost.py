"""A frame without a face is filled in, never dropped."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import booleans, lists, sampled_from

from retarget.flow import blendshapes
from retarget.flow.values import ExpressedFrame, Expression, HeadPose, Instant, Measurement
from retarget.transfer.lost import EASE_SECONDS, FillLost, between

RATE = 25
JAW = blendshapes.index("jawOpen")


def performance(jaw: Sequence[float | None]) -> list[ExpressedFrame]:
    """A face whose jaw opens as told; None is a frame without a face."""
    pose = HeadPose(rotation=np.eye(3), translation=np.zeros(3), scale=100.0)
    return [
        ExpressedFrame(
            index=i,
            at=Instant(i, Fraction(1, RATE)),
            duration=Fraction(1, RATE),
            expression=None
            if value is None
            else Expression(weights=blendshapes.weights({"jawOpen": value})),
            pose=None if value is None else pose,
        )
        for i, value in enumerate(jaw)
    ]


def jaw_shown(lost: str, jaw: Sequence[float | None]) -> list[float]:
    shown = FillLost(lost)(iter(performance(jaw)))
    return [float(s.expression.weights[JAW]) for s in shown]


@given(seen=lists(booleans(), max_size=20), lost=sampled_from(["hold", "ease", "neutral"]))
def test_every_frame_comes_out_once_and_says_whether_its_face_was_away(
    seen: list[bool], lost: str
) -> None:
    shown = list(FillLost(lost)(iter(performance([0.5 if s else None for s in seen]))))
    assert [s.frame.index for s in shown] == list(range(len(seen)))
    assert [s.away for s in shown] == [not s for s in seen]


def test_hold_keeps_the_last_expression() -> None:
    assert jaw_shown("hold", [0.8, None, None]) == pytest.approx([0.8] * 3)


def test_neutral_drops_it_at_once() -> None:
    assert jaw_shown("neutral", [0.8, None, None]) == pytest.approx([0.8, 0.0, 0.0])


def test_ease_reaches_neutral_after_its_time_without_a_jump() -> None:
    frames = int(EASE_SECONDS * RATE)
    jaw = jaw_shown("ease", [0.8] + [None] * (frames + 2))
    assert jaw[-1] == pytest.approx(0.0)
    assert max(abs(a - b) for a, b in itertools.pairwise(jaw)) < 0.2


def test_a_face_that_was_never_there_is_neutral() -> None:
    assert jaw_shown("hold", [None, None, 0.5])[:2] == pytest.approx([0.0, 0.0])


def test_a_returning_face_does_not_jump() -> None:
    jaw = jaw_shown("hold", [0.0, None] + [1.0] * 6)
    assert jaw[2] < 0.5
    assert jaw[-1] == pytest.approx(1.0)


def test_halfway_between_a_measured_and_a_said_expression_lids_are_halfway() -> None:
    seen = Expression(
        weights=blendshapes.weights({"eyeBlinkLeft": 1.0}),
        measured=Measurement(
            gaze=np.full((2, 2), 10, np.float32), aperture=np.zeros(2, np.float32), lip_gap=0.1
        ),
    )
    said = Expression(weights=blendshapes.weights({}))
    half = between(seen, said, 0.5)
    assert half.measured is not None
    np.testing.assert_allclose(half.measured.aperture, 0.5)
    np.testing.assert_allclose(half.measured.gaze, 5.0)
    assert half.weights.max() == pytest.approx(0.5)
