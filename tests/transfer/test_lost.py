"""A frame without a face is filled in, never dropped."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis.strategies import booleans, floats, lists, sampled_from

from retarget.flow import blendshapes
from retarget.flow.values import ExpressedFrame, Expression, HeadPose, Instant, Measurement
from retarget.transfer.head import HeadMotion
from retarget.transfer.lost import AT_REST, EASE_SECONDS, FillLost, between

RATE = 25
JAW = blendshapes.index("jawOpen")


def performance(jaw: Sequence[float | None], cuts: Sequence[int] = ()) -> list[ExpressedFrame]:
    """A face whose jaw opens as told, and whose head turns and goes aside and away as it does.

    None is a frame without a face; with `cuts` another shot begins.
    """
    return [
        ExpressedFrame(
            index=i,
            at=Instant(i, Fraction(1, RATE)),
            duration=Fraction(1, RATE),
            expression=None
            if value is None
            else Expression(weights=blendshapes.weights({"jawOpen": value})),
            pose=None if value is None else pose(value),
            cut=i in cuts,
        )
        for i, value in enumerate(jaw)
    ]


def pose(way: float) -> HeadPose:
    """The usual place at 0, 10° and half an eye distance from it and smaller at 1."""
    return HeadPose(
        rotation=HeadPose.rotation_of(10 * way, 0, 0),
        translation=np.array([50.0 * way, 0, 0]),
        scale=100 * 0.8**way,
    )


def ways_of_head(
    lost: str, ways: Sequence[float | None], cuts: Sequence[int] = ()
) -> npt.NDArray[np.float64]:
    """(n, 3) how far along its way the head is shown turned, moved and gone away."""
    shown = FillLost(lost, HeadMotion([pose(0)], 1.0))(iter(performance(ways, cuts)))
    poses = [s.pose or pose(0) for s in shown]
    return np.array(
        [
            (p.angles[0] / 10, p.translation[0] / 50, np.log(p.scale / 100) / np.log(0.8))
            for p in poses
        ]
    )


def jaw_shown(lost: str, jaw: Sequence[float | None], cuts: Sequence[int] = ()) -> list[float]:
    shown = FillLost(lost)(iter(performance(jaw, cuts)))
    return [float(s.expression.weights[JAW]) for s in shown]


@given(seen=lists(booleans(), max_size=20), lost=sampled_from(["hold", "ease", "neutral"]))
def test_every_frame_comes_out_once_and_says_whether_its_face_was_away(
    seen: list[bool], lost: str
) -> None:
    shown = list(FillLost(lost)(iter(performance([0.5 if s else None for s in seen]))))
    assert [s.frame.index for s in shown] == list(range(len(seen)))
    assert [s.away for s in shown] == [not s for s in seen]


@pytest.mark.parametrize("lost", ["hold", "ease", "neutral"])
def test_what_is_shown_does_not_depend_on_when_the_clip_begins(lost: str) -> None:
    jaw = [None] + [0.8] * 3 + [None] * 5 + [0.4] * 5
    early = performance(jaw)
    late = [replace(f, at=Instant(f.index + 3600 * RATE, Fraction(1, RATE))) for f in early]
    one, other = (
        [s.expression.weights[JAW] for s in FillLost(lost)(iter(f))] for f in (early, late)
    )
    assert one == pytest.approx(other)


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


@pytest.mark.parametrize("lost", ["hold", "ease", "neutral"])
def test_a_returning_head_does_not_jump(lost: str) -> None:
    """That it was found anew is called a cut, too."""
    ways = ways_of_head(lost, [0.0] + [None] * 20 + [1.0] * 6, cuts=[21])
    assert np.abs(np.diff(ways, axis=0)).max() < 0.6
    np.testing.assert_allclose(ways[-1], 1.0)


@pytest.mark.parametrize("lost", ["ease", "neutral"])
def test_a_head_whose_face_goes_away_goes_to_its_usual_place_without_a_jump(lost: str) -> None:
    ways = ways_of_head(lost, [1.0] + [None] * int(EASE_SECONDS * RATE + 2))
    assert np.abs(np.diff(ways, axis=0)).max() < 0.2
    np.testing.assert_allclose(ways[-1], 0.0, atol=1e-9)


def test_a_held_head_stays_where_it_was() -> None:
    np.testing.assert_allclose(ways_of_head("hold", [1.0] + [None] * 20), 1.0)


def test_a_face_that_was_never_there_begins_from_the_usual_place() -> None:
    ways = ways_of_head("ease", [None, None] + [1.0] * 6)
    assert np.abs(np.diff(ways, axis=0)).max() < 0.6
    np.testing.assert_allclose(ways[-1], 1.0)


def test_another_shot_begins_with_what_it_shows() -> None:
    """Also while a face that was found again is still on its way back."""
    shown = [0.0, 0.0, None, 0.0, 1.0, 1.0]
    ways = ways_of_head("hold", shown, cuts=[3, 4])
    np.testing.assert_allclose(ways[3:], [[0.0] * 3, [1.0] * 3, [1.0] * 3], atol=1e-9)
    assert jaw_shown("hold", shown, cuts=[3, 4])[3:] == pytest.approx([0.0, 1.0, 1.0])


@given(share=floats(0, 1))
def test_between_two_expressions_everything_goes_straight_from_one_to_the_other(
    share: float,
) -> None:
    def seen(value: float) -> Expression:
        return Expression(
            weights=blendshapes.weights({"jawOpen": value}),
            measured=Measurement(
                gaze=np.full((2, 2), 10 * value, np.float32),
                aperture=np.full(2, value, np.float32),
                lip_gap=0.1 * value,
                detail=np.full((478, 3), value, np.float32),
            ),
        )

    on_way, wanted = between(seen(0.2), seen(0.8), share), seen(0.2 + 0.6 * share)
    np.testing.assert_allclose(on_way.weights, wanted.weights, atol=1e-6)
    assert on_way.measured is not None and wanted.measured is not None
    for part in fields(Measurement):
        is_, should = (getattr(e.measured, part.name) for e in (on_way, wanted))
        np.testing.assert_allclose(is_, should, atol=1e-5, err_msg=part.name)


def test_the_shape_beyond_the_weights_goes_where_only_one_of_two_has_it() -> None:
    with_it = Expression(
        weights=blendshapes.weights({}),
        measured=replace(AT_REST, detail=np.ones((478, 3), np.float32)),
    )
    without = Expression(weights=blendshapes.weights({}), measured=AT_REST)
    for way in (between(with_it, without, 0.25), between(without, with_it, 0.75)):
        assert way.measured is not None
        np.testing.assert_allclose(way.measured.detail, 0.75)


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
