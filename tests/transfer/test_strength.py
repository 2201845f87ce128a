"""Gains: of each region, of lids and lips, and of the shape beyond the weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats

from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import face_model
from retarget.flow.values import Expression
from retarget.transfer.settings import Gains, TransferSettings
from retarget.transfer.strength import Strength, region_shares
from tests.transfer.looks import seen


def test_shares_of_the_regions_sum_to_one_and_lie_where_the_region_is() -> None:
    shares = region_shares(face_model())
    np.testing.assert_allclose(sum(shares.values()), 1.0, atol=1e-5)
    assert shares["brows"][landmarks.LEFT_BROW[2]] > 0.5
    assert shares["jaw"][landmarks.CHIN] > 0.4
    assert shares["gaze"][landmarks.LEFT_IRIS[0]] > 0.5


def test_a_gain_of_nothing_keeps_the_region_at_rest_and_leaves_the_others() -> None:
    settings = TransferSettings(strength=1.0, gain=Gains(eyes=0.0, gaze=0.0))
    look = seen((0.0, 0.2), gap=0.1, jawOpen=0.5, eyeBlinkLeft=1.0, eyeLookUpLeft=0.5)
    calm = Strength(settings, face_model())(look)
    assert calm.measured is not None
    np.testing.assert_allclose(calm.measured.aperture, 1.0)
    assert calm.measured.lip_gap == pytest.approx(0.1)
    assert blendshapes.named(calm.weights, 0.01) == pytest.approx({"jawOpen": 0.5})


def gap_of(look: Expression, **gain: float) -> float:
    """The lip gap asked for with these gains, as a share of the gap that was seen."""
    settings = TransferSettings(strength=1.0, gain=Gains(**gain))
    scaled = Strength(settings, face_model())(look)
    assert look.measured is not None
    assert scaled.measured is not None
    return scaled.measured.lip_gap / look.measured.lip_gap


def test_lips_part_as_far_as_the_gains_of_what_parts_them_tell() -> None:
    jaw, lips = seen(gap=0.15, jawOpen=0.5), {"mouthLowerDownLeft": 0.4, "mouthLowerDownRight": 0.4}
    assert gap_of(jaw, jaw=2.0) > 1.7
    assert gap_of(jaw, jaw=0.0) < 0.05
    assert gap_of(jaw, mouth=2.0) < 1.1
    assert gap_of(jaw, mouth=0.0) > 0.8
    assert gap_of(seen(gap=0.1, **lips), mouth=2.0) > 1.7
    assert gap_of(seen(gap=0.1, **lips), mouth=0.0) < 0.05
    both = seen(gap=0.25, jawOpen=0.5, **lips)
    assert 1.2 < gap_of(both, mouth=2.0) < gap_of(both, jaw=2.0) < 1.8


@given(gain=floats(0, 2), jaw=floats(0, 0.5), lower=floats(0, 0.5))
def test_one_gain_for_jaw_and_mouth_is_the_gain_of_the_lips(
    gain: float, jaw: float, lower: float
) -> None:
    look = seen(gap=0.2, jawOpen=jaw, mouthLowerDownLeft=lower)
    assert gap_of(look, jaw=gain, mouth=gain) == pytest.approx(gain, rel=1e-4)


@given(jaw=floats(0, 1), close=floats(0, 1), lower=floats(0, 1))
def test_lips_part_as_seen_without_a_gain(jaw: float, close: float, lower: float) -> None:
    look = seen(gap=0.2, jawOpen=jaw, mouthClose=close, mouthLowerDownLeft=lower)
    assert gap_of(look) == 1.0


def test_a_jaw_that_drops_as_far_as_it_can_opens_the_mouth_no_farther() -> None:
    assert gap_of(seen(gap=0.4, jawOpen=1.0), jaw=3.0) == pytest.approx(1.0, abs=0.01)


@given(jaw=floats(0, 4), mouth=floats(0, 4), close=floats(0, 1))
def test_lips_that_touch_keep_touching_whatever_the_gains(
    jaw: float, mouth: float, close: float
) -> None:
    settings = TransferSettings(gain=Gains(jaw=jaw, mouth=mouth))
    scaled = Strength(settings, face_model())(seen(gap=0.0, jawOpen=close, mouthClose=close))
    assert scaled.measured is not None
    assert scaled.measured.lip_gap == 0.0


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.2])
def test_strength_multiplies_all_that_is_away_from_rest(strength: float) -> None:
    random = np.random.default_rng(4)
    look = seen((1.1, 1.2), gap=0.1, jawOpen=0.4, browInnerUp=0.3, eyeBlinkLeft=0.5)
    assert look.measured is not None
    gaze, detail = random.normal(size=(2, 2)), random.normal(scale=0.01, size=(478, 3))
    look = replace(
        look,
        measured=replace(
            look.measured, gaze=gaze.astype(np.float32), detail=detail.astype(np.float32)
        ),
    )
    scaled = Strength(TransferSettings(strength=strength), face_model())(look)
    assert scaled.measured is not None and look.measured is not None
    np.testing.assert_allclose(scaled.weights, strength * look.weights, atol=1e-6)
    np.testing.assert_allclose(scaled.measured.gaze, strength * gaze, atol=1e-5)
    np.testing.assert_allclose(
        scaled.measured.aperture - 1, strength * (look.measured.aperture - 1), atol=1e-6
    )
    assert scaled.measured.lip_gap == pytest.approx(strength * 0.1)
    np.testing.assert_allclose(scaled.measured.detail, strength * detail, atol=1e-5)


def test_of_the_shape_beyond_the_weights_as_much_is_passed_on_as_asked() -> None:
    look = seen()
    assert look.measured is not None
    detail = np.full((478, 3), 0.01, np.float32)
    look = replace(look, measured=replace(look.measured, detail=detail))
    for share in (0.0, 0.3, 1.0):
        settings = TransferSettings(strength=1.0, detail=share)
        measured = Strength(settings, face_model())(look).measured
        assert measured is not None
        np.testing.assert_allclose(measured.detail, share * detail, atol=1e-6)


@pytest.mark.parametrize("region", ["eyes", "gaze"])
def test_a_gain_and_the_strength_are_multiplied(region: str) -> None:
    look = seen((1.2, 1.1))
    assert look.measured is not None
    look = replace(look, measured=replace(look.measured, gaze=np.full((2, 2), 5, np.float32)))
    both, one = (
        Strength(TransferSettings(strength=s, gain=Gains(**{region: g})), face_model())(look)
        for s, g in ((1.5, 1.4), (1.5, 1.0))
    )
    assert both.measured is not None and one.measured is not None
    ratio = {
        "eyes": (both.measured.aperture - 1) / (one.measured.aperture - 1),
        "gaze": both.measured.gaze / one.measured.gaze,
    }
    for name, shown in ratio.items():
        np.testing.assert_allclose(shown, 1.4 if name == region else 1.0, rtol=1e-4)


def test_more_strength_narrows_eyes_as_told_but_shuts_none_that_is_open_by_a_slit() -> None:
    a_little, slit = 0.98, 0.1
    settings = TransferSettings(strength=1.3)
    measured = Strength(settings, face_model())(seen((a_little, slit))).measured
    assert measured is not None
    assert 1 - measured.aperture[0] == pytest.approx(1.3 * (1 - a_little), rel=0.03)
    assert 0.6 * slit < measured.aperture[1] < slit


def test_less_strength_leaves_a_blink_half_done() -> None:
    settings = TransferSettings(strength=0.5)
    measured = Strength(settings, face_model())(seen((0.0, 0.4))).measured
    assert measured is not None
    np.testing.assert_allclose(measured.aperture, [0.5, 0.7], atol=1e-6)


def test_eyes_under_a_large_gain_shut_but_neither_open_inside_out_nor_stare() -> None:
    settings = TransferSettings(gain=Gains(eyes=4.0))
    measured = Strength(settings, face_model())(seen((0.5, 1.5))).measured
    assert measured is not None
    assert measured.aperture[0] == 0
    assert 1.3 < measured.aperture[1] < 2


@given(gain=floats(0, 3))
def test_scaled_weights_stay_weights(gain: float) -> None:
    strength = Strength(TransferSettings(strength=gain), face_model())
    weights = strength(seen(gap=0.1, jawOpen=0.9, browInnerUp=0.4)).weights
    assert 0 <= weights.min() <= weights.max() <= 1
