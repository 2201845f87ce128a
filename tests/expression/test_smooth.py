"""Tremble goes, movement stays."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers, lists, sampled_from

from retarget.expression.fit import Fit
from retarget.expression.rest import find_rest
from retarget.expression.settings import FitSettings, RestSettings, SmoothSettings
from retarget.expression.smooth import Smooth
from retarget.flow import blendshapes
from retarget.flow.values import ExpressedFrame, Instant
from tests.expression.acting import acted, channel, face, person, pose, tracked

BOTH = pytest.mark.parametrize("live", [False, True])


def smoothed(frames: Sequence[ExpressedFrame], *, live: bool = False) -> list[ExpressedFrame]:
    return list(Smooth(SmoothSettings(live=live))(iter(frames)))


def pulse(name: str, seconds: float, height: float, rate: int, tremble: float) -> np.ndarray:
    """Four seconds with one raised cosine in their middle, on a trembling face."""
    count = 4 * rate
    rows = np.random.default_rng(3).normal(0.3, tremble, (count, blendshapes.COUNT))
    away = (np.arange(count) / rate - 2.0) / seconds
    bump = np.where(np.abs(away) < 0.5, (1 + np.cos(2 * np.pi * away)) / 2, 0.0)
    rows[:, blendshapes.index(name)] += height * bump - 0.3
    return np.clip(rows, 0, 1)


@BOTH
@pytest.mark.parametrize("rate", [25, 30, 60])
@pytest.mark.parametrize(
    ("name", "seconds", "height"),
    [("eyeBlinkLeft", 0.15, 0.9), ("mouthSmileLeft", 0.3, 0.6), ("browInnerUp", 0.3, 0.1)],
)
def test_a_short_movement_keeps_its_height(
    name: str, seconds: float, height: float, rate: int, live: bool
) -> None:
    frames = acted(pulse(name, seconds, height, rate, 0.003), rate)
    before, after = channel(name, frames), channel(name, smoothed(frames, live=live))
    apex = int(before.argmax())
    assert after[apex] >= 0.95 * before[apex]


@BOTH
def test_a_head_that_turns_or_moves_passes_whole_though_it_trembles_across(live: bool) -> None:
    shivers = 0.002 * (-1.0) ** np.arange(60)
    away = np.clip((np.arange(60) - 30) / 2, -1, 1)
    frames = acted(np.zeros((60, blendshapes.COUNT)))
    for turning in (True, False):
        heads = [
            replace(
                pose(yaw=15 * a * turning, pitch=np.degrees(s)),
                translation=np.array([100 + 40 * a * (not turning), 100 + 140 * s, 0.0]),
            )
            for a, s in zip(away, shivers, strict=True)
        ]
        posed = [replace(f, pose=head) for f, head in zip(frames, heads, strict=True)]
        seen = smoothed(posed, live=live)[30].pose
        assert seen is not None
        kept, calmed = ("rotation", "translation") if turning else ("translation", "rotation")
        np.testing.assert_allclose(getattr(seen, kept), getattr(heads[30], kept), atol=1e-6)
        assert np.abs(getattr(seen, calmed) - getattr(heads[30], calmed)).max() > 1e-4


@BOTH
@pytest.mark.parametrize("rate", [25, 30, 60])
@pytest.mark.parametrize("tremble", [0.003, 0.015])
def test_the_tremble_of_a_still_face_is_at_least_halved(
    rate: int, tremble: float, live: bool
) -> None:
    rows = np.random.default_rng(5).normal(0.4, tremble, (4 * rate, blendshapes.COUNT))
    calm = np.array([f.expression.weights for f in smoothed(acted(rows, rate), live=live)
                     if f.expression])  # fmt: skip
    assert np.abs(np.diff(calm, axis=0)).mean() <= 0.5 * np.abs(np.diff(rows, axis=0)).mean()


def test_a_file_is_smoothed_without_a_lag() -> None:
    rate = 30
    wave = 0.5 + 0.3 * np.sin(2 * np.pi * 0.5 * np.arange(4 * rate) / rate)
    rows = np.random.default_rng(1).normal(0, 0.005, (4 * rate, blendshapes.COUNT)) + wave[:, None]
    calm = channel("jawOpen", smoothed(acted(rows, rate)))
    error = [np.abs(np.roll(calm, -lag)[10:-10] - wave[10:-10]).mean() for lag in (-1, 0, 1)]
    assert error[1] == min(error)


@given(
    lists(sampled_from(["seen", "away", "cut"]), max_size=14), integers(1, 3), sampled_from([0, 1])
)
@settings(max_examples=40)
def test_every_frame_comes_out_once_and_in_order(kinds: list[str], step: int, live: int) -> None:
    frames = acted(np.full((len(kinds), blendshapes.COUNT), 0.3))
    at = 0
    for i, kind in enumerate(kinds):
        at += step if i % 2 else 1  # a variable frame rate
        moment = Instant(at, frames[i].at.time_base)
        frames[i] = replace(frames[i], at=moment, cut=kind == "cut" or i == 0)
        if kind == "away":
            frames[i] = replace(frames[i], expression=None)
    out = smoothed(frames, live=bool(live))
    assert [f.index for f in out] == list(range(len(kinds)))
    assert [f.expression is None for f in out] == [k == "away" for k in kinds]


@BOTH
def test_nothing_is_carried_over_a_cut_or_a_loss(live: bool) -> None:
    rows = np.full((30, blendshapes.COUNT), 0.2)
    rows[15:] = 0.22
    cut = channel("jawOpen", smoothed(acted(rows, cuts=(0, 15)), live=live))
    np.testing.assert_allclose(cut[:15], 0.2, atol=1e-6)
    np.testing.assert_allclose(cut[15:], 0.22, atol=1e-6)


def test_pose_and_detail_are_calmed_too() -> None:
    random = np.random.default_rng(2)
    mesh = person(1)
    fit = Fit(find_rest(tracked([face(mesh)]), RestSettings(certainty=0.0)), FitSettings())
    shaken = [face(mesh, {}, pose(yaw=3)) for _ in range(24)]
    shaken = [replace(f, points=f.points + random.normal(0, 0.1, f.points.shape).astype(np.float32))
              for f in shaken]  # fmt: skip
    raw = list(fit(iter(tracked(shaken))))
    calm = smoothed(raw)

    def jitter(frames: list[ExpressedFrame]) -> tuple[float, float]:
        yaw = [f.pose.angles[0] for f in frames if f.pose]
        detail = [f.expression.measured.detail for f in frames if f.expression]  # type: ignore[union-attr]
        return float(np.abs(np.diff(yaw)).mean()), float(np.abs(np.diff(detail, axis=0)).mean())

    assert all(
        after < 0.6 * before for before, after in zip(jitter(raw), jitter(calm), strict=True)
    )
    for frame in calm:
        assert frame.pose is not None
        np.testing.assert_allclose(
            frame.pose.rotation @ frame.pose.rotation.T, np.eye(3), atol=1e-9
        )


def nodding(degrees: np.ndarray, rate: int) -> np.ndarray:
    """(n,) degrees that a head, which pitches by so much in each frame, does once it is calmed."""
    frames = acted(np.full((len(degrees), blendshapes.COUNT), 0.3), rate)
    posed = [replace(f, pose=pose(pitch=p)) for f, p in zip(frames, degrees, strict=True)]
    return np.array([f.pose.angles[1] for f in smoothed(posed) if f.pose])


@pytest.mark.parametrize("rate", [25, 30, 60])
@pytest.mark.parametrize(("seconds", "degrees"), [(0.3, 5.0), (0.5, 2.0)])
def test_a_brisk_nod_is_kept(seconds: float, degrees: float, rate: int) -> None:
    away = (np.arange(4 * rate) / rate - 2.0) / seconds
    nod = degrees * np.where(np.abs(away) < 0.5, (1 + np.cos(2 * np.pi * away)) / 2, 0.0)
    calm = nodding(nod + np.random.default_rng(1).normal(0, 0.1, len(nod)), rate)
    assert calm[nod.argmax()] >= 0.88 * degrees


@pytest.mark.parametrize("rate", [25, 30, 60])
def test_a_head_that_seems_to_shake_by_most_of_a_degree_is_held(rate: int) -> None:
    """No neck turns there and back within two frames."""
    shaken = np.random.default_rng(1).normal(0, 0.6, 4 * rate)
    calm = nodding(shaken, rate)
    assert np.abs(np.diff(calm, 2)).mean() < 0.3 * np.abs(np.diff(shaken, 2)).mean()


@BOTH
def test_a_face_that_keeps_still_comes_out_as_it_went_in(live: bool) -> None:
    who = person(1)
    fit = Fit(find_rest(tracked([face(who)])), FitSettings())
    does = {"jawOpen": 0.4, "eyeBlinkLeft": 0.3, "eyeLookUpLeft": 0.5, "eyeLookUpRight": 0.5}
    still = list(fit(iter(tracked([face(who, does, pose(yaw=12, pitch=-5, roll=8))] * 9))))
    for before, after in zip(still, smoothed(still, live=live), strict=True):
        assert before.expression is not None and before.pose is not None
        assert after.expression is not None and after.pose is not None
        one, two = before.expression.measured, after.expression.measured
        np.testing.assert_allclose(after.expression.weights, before.expression.weights, atol=1e-6)
        for part in ("rotation", "translation", "scale"):
            was, is_ = (getattr(frame.pose, part) for frame in (before, after))
            np.testing.assert_allclose(is_, was, rtol=1e-6, atol=1e-6, err_msg=part)
        for part in ("gaze", "aperture", "lip_gap", "detail"):
            np.testing.assert_allclose(
                getattr(two, part), getattr(one, part), atol=1e-5, err_msg=part
            )


def test_the_stronger_the_more_counts_as_tremble() -> None:
    rows = np.random.default_rng(5).normal(0.4, 0.03, (120, blendshapes.COUNT))
    left = []
    for strength in (0.25, 1.0, 4.0):
        calm = Smooth(SmoothSettings(strength=strength))(iter(acted(rows)))
        left.append(np.abs(np.diff(channel("jawOpen", list(calm)))).mean())
    assert left[0] > 1.3 * left[1] > 1.3 * left[2]


def test_what_goes_on_for_long_is_not_learned_as_tremble() -> None:
    pulses = pulse("browInnerUp", 0.25, 0.05, 30, 0.003)
    drifting = pulses.copy()
    drifting[:, blendshapes.index("browInnerUp")] += np.linspace(0.0, 0.9, len(pulses))
    rises = []
    for rows in (pulses, drifting):
        calm = channel("browInnerUp", smoothed(acted(rows)))
        rises.append(calm[60] - (calm[54] + calm[66]) / 2)
    assert rises[1] > 0.9 * rises[0] > 0.03


def test_smoothing_can_be_switched_off() -> None:
    frames = acted(np.random.default_rng(0).uniform(0, 1, (9, blendshapes.COUNT)))
    assert list(Smooth(SmoothSettings(reach=0.0))(iter(frames))) == frames


def test_pixels_are_held_no_longer_than_a_frame_waits() -> None:
    seen: list[weakref.ref[np.ndarray]] = []

    def shown() -> Iterator[ExpressedFrame]:
        mesh = person(1)
        plain = tracked([face(mesh)] * 12)
        fit = Fit(find_rest(plain, RestSettings()), FitSettings())
        for frame in plain:
            rgb = np.zeros((4, 4, 3), np.uint8)
            seen.append(weakref.ref(rgb))
            lit = replace(frame, frame=replace(frame.frame, rgb=rgb))
            del rgb
            yield from fit(iter([lit]))

    calm = Smooth(SmoothSettings())(shown())
    for _ in range(3):
        next(calm)
    assert seen[0]() is None
    assert seen[1]() is None
    assert seen[-1]() is not None
