"""Blinks and brief expressions are found, talk and moods are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retarget.expression.moments import Moment, find_moments
from retarget.expression.settings import MomentsSettings
from retarget.flow import blendshapes
from tests.expression.acting import acted, pose

SHOWN = (
    ("browInnerUp",), ("browDownLeft", "browDownRight"), ("mouthSmileLeft", "mouthSmileRight"),
    ("noseSneerLeft", "noseSneerRight"), ("mouthFrownLeft",), ("eyeSquintLeft", "eyeSquintRight"),
)  # fmt: skip


def bump(times: np.ndarray, at: float, onset: float, offset: float) -> np.ndarray:
    away = times - at
    away = np.where(away <= 0, away / onset, away / offset)
    return np.where(np.abs(away) < 1, (1 + np.cos(np.pi * away)) / 2, 0.0)


def life(seed: int, rate: int, talks: bool) -> tuple[np.ndarray, list[float], list[float]]:
    """Forty seconds of drift, moods, blinks, perhaps talk, and planted micro-expressions."""
    random = np.random.default_rng(seed)
    times = np.arange(40 * rate) / rate
    rows = np.zeros((len(times), blendshapes.COUNT))

    def add(name: str, values: np.ndarray) -> None:
        rows[:, blendshapes.index(name)] += values

    planted, blinks = [], []
    for k in range(10):
        at = 4 * k + random.uniform(1, 3)
        curve = bump(times, at, random.uniform(0.07, 0.25), random.uniform(0.1, 0.25))
        for name in SHOWN[random.integers(len(SHOWN))]:
            add(name, random.uniform(0.08, 0.3) * curve)
        planted.append(at)
    at = 1.0
    while at < 39:
        for side in ("Left", "Right"):
            add(f"eyeBlink{side}", 0.9 * bump(times, at, 0.1, 0.15))
            add(f"browDown{side}", 0.05 * bump(times, at, 0.1, 0.15))
        blinks.append(at)
        at += random.uniform(1.5, 5)
    add("browInnerUp", 0.15 * np.clip(np.sin(2 * np.pi * times / 9), 0, 1))
    add("mouthSmileRight", 0.3 * np.clip(np.sin(2 * np.pi * times / 15), 0, 1))
    if talks:
        kernel = np.exp(-np.abs(np.arange(-rate // 2, rate // 2 + 1)) / rate * 12)
        for name in ("jawOpen", "mouthFunnel", "mouthPucker", "mouthLowerDownLeft"):
            syllables = np.convolve(random.normal(size=len(times)), kernel, "same")
            add(name, 0.22 * np.clip(0.3 + 0.5 * syllables / syllables.std(), 0, 1.5))
    return np.clip(rows + random.normal(0, 0.005, rows.shape), 0, 1), planted, blinks


def f1(found: list[Moment], true: list[float]) -> float:
    left, hits = list(found), 0
    for at in true:
        near = [m for m in left if abs(m.seconds[1] - at) < 0.15]
        if near:
            left.remove(near[0])
            hits += 1
    return 2 * hits / (len(found) + len(true))


@pytest.mark.parametrize("rate", [25, 60])
@pytest.mark.parametrize("talks", [False, True])
def test_planted_micro_expressions_and_blinks_are_found(rate: int, talks: bool) -> None:
    brief, blink = [], []
    for seed in range(3):
        rows, planted, blinks = life(seed, rate, talks)
        found = find_moments(acted(rows, rate), MomentsSettings())
        brief.append(f1([m for m in found if m.kind == "brief"], planted))
        blink.append(f1([m for m in found if m.kind == "blink"], blinks))
    assert np.mean(brief) >= 0.8
    assert np.mean(blink) >= 0.95


def test_a_moment_tells_when_where_and_how_much() -> None:
    times = np.arange(90) / 30
    rows = np.zeros((90, blendshapes.COUNT))
    rows[:, blendshapes.index("browInnerUp")] = 0.2 + 0.3 * bump(times, 1.5, 0.15, 0.2)
    rows[:, blendshapes.index("eyeLookInLeft")] = 0.5 * bump(times, 1.5, 0.15, 0.2)
    (moment,) = find_moments(acted(rows), MomentsSettings())
    assert moment.kind == "brief"
    assert moment.regions == ("brows",)
    assert moment.apex == 45
    assert moment.intensity == pytest.approx(0.3, abs=0.01)
    assert list(moment.weights) == ["browInnerUp"]
    assert 1.33 < moment.seconds[0] < 1.5 < moment.seconds[2] < 1.72
    assert moment.onset / 30 == pytest.approx(moment.seconds[0])


@pytest.mark.parametrize("shape", ["long", "step", "still"])
def test_moods_steps_and_stillness_are_no_moments(shape: str) -> None:
    times = np.arange(150) / 30
    rows = np.zeros((150, blendshapes.COUNT))
    smile = {"long": bump(times, 2.5, 1.2, 1.2), "step": times > 2.5, "still": 0 * times}[shape]
    rows[:, blendshapes.index("mouthSmileLeft")] = 0.6 * smile
    assert find_moments(acted(rows), MomentsSettings()) == []


@pytest.mark.parametrize(("height", "found"), [(0.2, 0), (0.6, 1)])
def test_a_bump_counts_only_if_it_is_larger_than_a_turning_head_makes(
    height: float, found: int
) -> None:
    times = np.arange(90) / 30
    rows = np.zeros((90, blendshapes.COUNT))
    for side in ("Left", "Right"):
        rows[:, blendshapes.index(f"browDown{side}")] = height * bump(times, 1.5, 0.15, 0.2)
    yaws = 15 * np.clip((times - 1.3) / 0.4, 0, 1)
    turning = [replace(f, pose=pose(yaw=y)) for f, y in zip(acted(rows), yaws, strict=True)]
    assert len(find_moments(turning, MomentsSettings())) == found


@pytest.mark.parametrize(
    ("shape", "along"),
    [("browOuterUpLeft", "jawOpen"), ("eyeWideRight", "eyeLookUpRight"),
     ("noseSneerLeft", "jawOpen")],
)  # fmt: skip
def test_what_an_opening_jaw_or_a_glance_drags_along_is_no_expression(
    shape: str, along: str
) -> None:
    times = np.arange(90) / 30
    rows = np.zeros((90, blendshapes.COUNT))
    rows[:, blendshapes.index(shape)] = 0.12 * bump(times, 1.5, 0.15, 0.2)
    alone = find_moments(acted(rows), MomentsSettings())
    rows[:, blendshapes.index(along)] = 0.8 * np.clip((times - 1.4) / 0.15, 0, 1)
    together = find_moments(acted(rows), MomentsSettings())
    assert len(alone) == 1
    assert together == []


def weights_of(bumps: dict[str, float], times: np.ndarray) -> np.ndarray:
    """(n, 52) each of these rising so high at 1.5 s, on the sides where it has any."""
    rows = np.zeros((len(times), blendshapes.COUNT))
    for name, height in bumps.items():
        sides = [n for n in blendshapes.NAMES if n in (name, f"{name}Left", f"{name}Right")]
        for side in sides:
            rows[:, blendshapes.index(side)] = height * bump(times, 1.5, 0.1, 0.15)
    return rows


@pytest.mark.parametrize(
    ("shape", "height", "found"),
    [("browOuterUp", 0.2, 0), ("browOuterUp", 0.5, 1), ("eyeWide", 0.4, 0), ("eyeWide", 0.8, 1)],
)
def test_what_goes_with_a_wide_glance_of_both_eyes_must_be_large(
    shape: str, height: float, found: int
) -> None:
    rows = weights_of({shape: height, "eyeLookUp": 1.0}, np.arange(90) / 30)
    assert len(find_moments(acted(rows), MomentsSettings())) == found


@pytest.mark.parametrize(
    ("shape", "height", "found"),
    [("noseSneer", 0.12, 0), ("noseSneer", 0.3, 1), ("mouthSmile", 0.1, 1), ("browDown", 0.15, 0)],
)
def test_half_a_blink_excuses_nose_and_brows_and_hardly_a_mouth(
    shape: str, height: float, found: int
) -> None:
    rows = weights_of({shape: height, "eyeBlink": 0.25}, np.arange(90) / 30)
    assert len(find_moments(acted(rows), MomentsSettings())) == found


@pytest.mark.parametrize(("before", "found"), [(0.15, 0), (0.55, 1)])
def test_a_head_that_has_just_turned_still_moves_the_brows(before: float, found: int) -> None:
    times = np.arange(90) / 30
    yaws = 15 * np.clip((times - 1.5 + before + 0.2) / 0.2, 0, 1)
    frames = acted(weights_of({"browDown": 0.2}, times))
    turned = [replace(f, pose=pose(yaw=y)) for f, y in zip(frames, yaws, strict=True)]
    assert len(find_moments(turned, MomentsSettings())) == found


@pytest.mark.parametrize(("tremble", "found"), [(0.03, 1), (0.1, 0)])
def test_the_more_a_brow_trembles_the_larger_a_bump_must_be(tremble: float, found: int) -> None:
    times = np.arange(300) / 30
    rows = np.zeros((300, blendshapes.COUNT))
    random = np.random.default_rng(1)
    for side in ("Left", "Right"):
        shivers = np.convolve(random.normal(0, tremble, len(times)), np.ones(3) / 3, "same")
        curve = 0.2 + shivers + 0.12 * bump(times, 5, 0.15, 0.2)
        rows[:, blendshapes.index(f"browDown{side}")] = curve
    assert len(find_moments(acted(rows), MomentsSettings())) == found


@pytest.mark.parametrize(("apexes", "found"), [((2.5,), 1), ((1.9, 2.2, 2.5, 2.8, 3.1), 0)])
def test_what_a_mouth_does_again_and_again_is_talk(apexes: tuple[float, ...], found: int) -> None:
    times = np.arange(150) / 30
    rows = np.zeros((150, blendshapes.COUNT))
    for at in apexes:
        rows[:, blendshapes.index("mouthSmileLeft")] += 0.3 * bump(times, at, 0.1, 0.12)
    assert len(find_moments(acted(rows), MomentsSettings())) == found


def test_syllables_of_many_forms_are_hardly_ever_expressions() -> None:
    forms = (("mouthPressLeft", "mouthPressRight"), ("mouthFunnel",),
             ("mouthUpperUpLeft", "mouthUpperUpRight"))  # fmt: skip
    spoken = found = 0
    for seed in (1, 2, 3):
        random, times = np.random.default_rng(seed), np.arange(300) / 30
        rows = random.normal(0, 0.005, (300, blendshapes.COUNT))
        at = 0.5
        while at < 9.5:
            curve = random.uniform(0.3, 0.8) * bump(times, at, 0.1, 0.12)
            for name in forms[random.integers(len(forms))]:
                rows[:, blendshapes.index(name)] += curve
            at += random.uniform(0.3, 0.6)
            spoken += 1
        found += len(find_moments(acted(np.clip(rows, 0, 1)), MomentsSettings()))
    assert found < 0.25 * spoken


def test_brows_and_mouth_at_once_are_one_expression() -> None:
    times = np.arange(90) / 30
    rows = np.zeros((90, blendshapes.COUNT))
    rows[:, blendshapes.index("browInnerUp")] = 0.3 * bump(times, 1.5, 0.15, 0.2)
    for side in ("Left", "Right"):
        rows[:, blendshapes.index(f"mouthFrown{side}")] = 0.4 * bump(times, 1.53, 0.15, 0.2)
    (moment,) = find_moments(acted(rows), MomentsSettings())
    assert moment.regions == ("mouth", "brows")


def test_a_short_rise_within_a_longer_one_is_part_of_it() -> None:
    times = np.arange(180) / 60
    rows = np.zeros((180, blendshapes.COUNT))
    rows[:, blendshapes.index("browInnerUp")] = 0.3 * bump(times, 1.5, 0.25, 0.25)
    for side in ("Left", "Right"):
        rows[:, blendshapes.index(f"mouthFrown{side}")] = 0.5 * bump(times, 1.38, 0.07, 0.07)
    (moment,) = find_moments(acted(rows, 60), MomentsSettings())
    assert set(moment.regions) == {"mouth", "brows"}


def test_a_nose_that_goes_with_a_blink_is_part_of_the_blink() -> None:
    times = np.arange(90) / 30
    rows = np.zeros((90, blendshapes.COUNT))
    for side in ("Left", "Right"):
        rows[:, blendshapes.index(f"eyeBlink{side}")] = bump(times, 1.5, 0.1, 0.15)
        rows[:, blendshapes.index(f"noseSneer{side}")] = 0.2 * bump(times, 1.45, 0.1, 0.15)
    assert [m.kind for m in find_moments(acted(rows), MomentsSettings())] == ["blink"]


@pytest.mark.parametrize(("apart", "found"), [(0.08, 1), (0.35, 2)])
def test_lids_that_seem_to_open_for_a_moment_while_shut_blink_once(
    apart: float, found: int
) -> None:
    times = np.arange(150) / 30
    rows = np.zeros((len(times), blendshapes.COUNT))
    lids = bump(times, 2.5, 0.045, 0.045) + bump(times, 2.5 + apart, 0.045, 0.045)
    for side in ("Left", "Right"):
        rows[:, blendshapes.index(f"eyeBlink{side}")] = 0.9 * lids
    blinks = find_moments(acted(rows, 30), MomentsSettings())
    assert [m.kind for m in blinks] == ["blink"] * found
    assert blinks[0].onset < 75 < blinks[-1].offset


def test_brows_that_go_with_a_half_blink_are_none() -> None:
    times = np.arange(90) / 30
    rows = np.zeros((90, blendshapes.COUNT))
    rows[:, blendshapes.index("browInnerUp")] = 0.1 * bump(times, 1.5, 0.1, 0.15)
    for side in ("Left", "Right"):
        rows[:, blendshapes.index(f"eyeBlink{side}")] = 0.25 * bump(times, 1.5, 0.1, 0.15)
    assert find_moments(acted(rows), MomentsSettings()) == []


def test_a_bump_across_a_cut_is_none() -> None:
    times = np.arange(60) / 30
    rows = np.zeros((60, blendshapes.COUNT))
    rows[:30, blendshapes.index("browInnerUp")] = 0.5 * (times[:30] > 0.8)
    assert find_moments(acted(rows, cuts=(0, 30)), MomentsSettings()) == []
