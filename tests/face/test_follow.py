"""One face is kept: through crossings, losses, large frames, and never a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from faces import astronaut, frame, head, middles, moved, on, stranger, track, wall
from outside import tracker

from retarget.errors import RetargetError, WrongSetting
from retarget.face.mesh import MeshModel
from retarget.face.open import carries_models
from retarget.face.region import Region
from retarget.face.settings import TrackSettings
from retarget.face.still import find_face
from retarget.face.track import Track
from retarget.flow.arrays import Picture
from retarget.flow.report import Report
from retarget.flow.values import Instant
from retarget.source.open import open_source

mesh_only = pytest.mark.skipif(not carries_models(), reason="this mediapipe carries no models")


def crossing(front: str, frames: int = 36) -> tuple[list[Picture], np.ndarray, np.ndarray]:
    """The astronaut walks right, the stranger left; `front` passes before the other."""
    right, left = np.linspace(110, 610, frames), np.linspace(610, 110, frames)
    pictures = []
    for a, b in zip(right, left, strict=True):
        parts = [(head(astronaut()), int(a)), (head(stranger()), int(b))]
        scene = wall(720, 300)
        for part, x in parts if front == "stranger" else parts[::-1]:
            scene = on(scene, part, x, 150)
        pictures.append(scene)
    return pictures, right, left


@pytest.mark.parametrize("front", ["astronaut", "stranger"])
@pytest.mark.parametrize("which", ["left", "right"])
def test_two_people_who_cross_are_not_taken_for_each_other(front: str, which: str) -> None:
    pictures, right, left = crossing(front)
    mine, other = (right, left) if which == "left" else (left, right)
    seen = middles(track(pictures, tracker(which=which, looks=1)))
    for index, x in enumerate(seen):
        if x is not None:
            assert abs(x - mine[index]) < abs(x - other[index]) + 25, index
    assert seen[-1] == pytest.approx(mine[-1], abs=40)
    if (front == "astronaut") == (which == "left"):
        assert None not in seen  # the one in front is never lost


def test_a_face_that_leaves_is_not_imagined_and_is_seen_when_it_returns() -> None:
    out = [on(wall(), head(astronaut()), x, 256) for x in range(300, 760, 46)]
    back = [on(wall(), head(astronaut()), x, 256) for x in range(-200, 280, 46)]
    report = Report()
    tracked = track(out + back, tracker(), report)
    seen = middles(tracked)
    assert all(x is None for x in seen[7:13])  # more than half of the face is out of the frame
    assert seen[-1] is not None
    assert sum(t.cut for t in tracked) == 1
    assert report.away == [i for i, x in enumerate(seen) if x is None]


def test_when_one_leaves_the_other_is_not_taken_instead() -> None:
    pictures = []
    for i in range(20):
        scene = on(wall(720, 300), head(stranger()), 560, 150)
        pictures.append(on(scene, head(astronaut()), 160 if i < 6 else 160 - 60 * (i - 5), 150))
    seen = middles(track(pictures, tracker(which="left", looks=1)))
    assert seen[5] == pytest.approx(160, abs=40)
    assert seen[12:] == [None] * 8


def test_somebody_who_comes_in_beside_the_one_followed_is_noticed_and_not_followed() -> None:
    alone = on(wall(720, 300), head(astronaut()), 160, 150)
    both = on(alone, head(stranger()), 560, 150)
    tracked = track([alone] * 4 + [both] * 20, tracker(which="left", looks=1))
    assert [tracked[i].others for i in (0, 3, -1)] == [0, 0, 1]
    assert middles(tracked) == pytest.approx([160] * 24, abs=40)


def with_a_bystander(
    rate: int, shown: Callable[[float], bool], seconds: float, *, sways: float = 4
) -> list[float | None]:
    """Where the left one of two people is followed, who is there when `shown` says so.

    The other one moves to and fro by so many pixels.
    """

    def scene(at: float, index: int) -> Picture:
        alone = on(wall(512, 256), head(stranger()), 390 + round(sways * np.sin(9 * at)), 128)
        rgb = on(alone, head(astronaut()), 120, 128) if shown(at) else alone
        noise = np.random.default_rng(index).integers(-3, 4, rgb.shape)  # as every camera adds
        return np.clip(rgb + noise, 0, 255).astype(np.uint8)

    times = [Fraction(i, rate) for i in range(round(seconds * rate))]
    frames = [
        replace(
            frame(scene(float(at), i), i),
            at=Instant(i, Fraction(1, rate)), duration=Fraction(1, rate),
        )
        for i, at in enumerate(times)
    ]  # fmt: skip
    stage = Track(tracker(which="left", looks=1, cuts=False), Report())
    return middles(list(stage(iter(frames))))


def test_a_face_hidden_for_less_than_three_seconds_is_waited_for_at_any_rate() -> None:
    seen = with_a_bystander(120, lambda at: not 0.1 <= at < 0.95, 1.1)
    assert seen[11] == pytest.approx(120, abs=40)
    assert seen[12:114] == [None] * 102
    assert seen[-1] == pytest.approx(120, abs=40)


def test_a_face_that_is_gone_for_three_seconds_is_given_up_at_any_rate() -> None:
    seen = with_a_bystander(5, lambda at: at < 1, 5)
    assert seen[5:20] == [None] * 15
    assert seen[-1] == pytest.approx(390, abs=40)


def test_a_portrait_on_the_wall_takes_nobody_s_place() -> None:
    seen = with_a_bystander(10, lambda at: not 1 <= at < 5, 6, sways=0)
    assert seen[10:50] == [None] * 40
    assert seen[-1] == pytest.approx(120, abs=40)


def test_a_small_face_in_a_large_frame_is_found() -> None:
    small = cv2.resize(head(astronaut()), (84, 84), interpolation=cv2.INTER_AREA)  # face: 42 pixels
    pictures = [on(wall(1920, 1080), small, 1400 + 3 * i, 800) for i in range(3)]
    seen = middles(track(pictures, tracker()))
    assert seen == pytest.approx([1400, 1403, 1406], abs=10)


def test_a_face_that_fills_the_frame_is_found() -> None:
    tight = astronaut()[72:178, 178:270]
    assert None not in middles(track([cv2.resize(tight, (460, 530))] * 2, tracker()))


def test_a_face_is_followed_through_quick_movement() -> None:
    steps = [90 * np.sin(i / 2) for i in range(14)]  # up to 45 pixels, half a face, a frame
    tracked = track([moved(astronaut(), dx, 0) for dx in steps], tracker())
    first = tracked[0].face
    assert first is not None
    for dx, seen in zip(steps, tracked, strict=True):
        assert seen.face is not None
        off = seen.face.points[:, :2] - first.points[:, :2] - (dx, 0)
        assert np.linalg.norm(off, axis=1).mean() < 2


def test_a_flash_does_not_end_the_shot() -> None:
    flash = np.clip(astronaut().astype(int) + 90, 0, 255).astype(np.uint8)
    tracked = track([astronaut()] * 3 + [flash] + [astronaut()] * 3, tracker())
    assert not any(t.cut for t in tracked)


def portrait(rgb: Picture) -> Picture:
    """200x200 around the one face of a picture."""
    face = find_face(frame(rgb), tracker(), Report()).points[:, :2]
    (x, y), side = (face.min(axis=0) + face.max(axis=0)) / 2, float(np.ptp(face, axis=0).max())
    return Region(x=float(x), y=float(y), side=1.9 * side).cut(rgb, 200)


@cache
def talking(count: int) -> list[Picture]:
    """As many moments of the sample clip, spread over it."""
    with open_source(str(Path(__file__).parents[2] / "samples" / "drive.mp4")) as clip:
        return [moment.rgb for moment in clip.sample(count)]


def test_a_cut_to_somebody_else_in_the_same_place_before_the_same_wall_is_noticed() -> None:
    people = [on(wall(), portrait(rgb), 256, 256) for rgb in (astronaut(), talking(1)[0])]
    tracked = track([people[0]] * 4 + [people[1]] * 4 + [people[0]] * 4, tracker())
    assert [i for i, t in enumerate(tracked) if t.cut] == [4, 8]
    assert all(t.face is not None for t in tracked)


def test_a_person_who_does_something_else_at_once_is_still_the_same() -> None:
    assert not any(t.cut for t in track(talking(12), tracker()))


def test_cuts_can_be_left_unnoticed() -> None:
    tinted = (astronaut() // 2 + np.array([100, 0, 60])).astype(np.uint8)
    tracked = track([astronaut()] * 3 + [moved(tinted, 14, 0)] * 3, tracker(cuts=False))
    assert not any(t.cut for t in tracked)


@mesh_only
def test_more_looks_tremble_less() -> None:
    rng = np.random.default_rng(3)
    still = [
        np.clip(
            moved(astronaut(), *rng.uniform(-1, 1, 2)) + rng.normal(0, 6, (512, 512, 3)), 0, 255
        )
        for _ in range(16)
    ]

    def tremble(looks: int) -> float:
        tracked = track([p.astype(np.uint8) for p in still], tracker(looks=looks))
        points = np.array([t.face.points[:, :2] for t in tracked if t.face is not None])
        points -= points.mean(axis=1, keepdims=True)
        return float(points.std(axis=0).mean())

    assert tremble(3) < 0.9 * tremble(1)


@mesh_only
def test_the_mesh_is_the_one_of_the_face_mesh_solution() -> None:
    """On the same crop: what this project runs bare is the published graph's own network."""
    from mediapipe.python.solutions import face_mesh

    region = Region(x=222, y=122, side=180)
    crop = region.cut(astronaut(), 192)
    ours = MeshModel(looks=1)
    read = ours.read(crop, Region(x=96, y=96, side=192)).points
    ours.close()
    with face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True) as theirs:
        found = theirs.process(crop).multi_face_landmarks[0].landmark
    points = np.array([(p.x * 192, p.y * 192) for p in found])
    apart = np.linalg.norm(points - read[:, :2], axis=1)
    assert apart.mean() < 0.02 * np.linalg.norm(points[33] - points[263])


@mesh_only
def test_networks_that_another_model_leaves_read_what_new_ones_do() -> None:
    region = Region(x=222, y=122, side=180)
    models = [MeshModel(looks=1) for _ in range(3)]  # more than are left, so some are new
    new = [model.read(astronaut(), region).points for model in models]
    for model in models:
        model.read(wall(), region)
        model.close()
    again = MeshModel(looks=1)
    new.append(again.read(astronaut(), region).points)
    again.close()
    assert all((points == new[0]).all() for points in new)


def test_a_held_face_stays_where_it_is_first_seen_and_seen_again() -> None:
    """A mesh that crept into place would be an expression that nobody made."""
    held = on(wall(), cv2.resize(head(astronaut()), None, fx=1.6, fy=1.6), 320, 240)
    tracked = track([held] * 10 + [wall()] * 2 + [held] * 10, tracker())
    points = [t.face.points[:, :2] for t in tracked if t.face is not None]
    assert len(points) == 20
    for first, *later in (points[:10], points[10:]):
        place = np.mean(later[3:], axis=0)
        trembles = max(np.linalg.norm(p - place, axis=1).mean() for p in later[3:])
        assert np.linalg.norm(first - place, axis=1).mean() <= max(1.2 * trembles, 0.05)


@pytest.mark.parametrize("wrong", ["tallest", "1,2,3", "-1", "nan,1", "", "1e9,3"])
def test_an_unknown_choice_of_face_offers_the_known_ones(wrong: str) -> None:
    with pytest.raises(RetargetError, match="largest, left"):
        TrackSettings(which=wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"certainty": 0},
        {"certainty": 7},
        {"patience": -1},
        {"patience": float("nan")},
        {"looks": 0},
    ],
)
def test_settings_out_of_range_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(WrongSetting, match=f"{next(iter(wrong))} must "):
        TrackSettings(**wrong)  # type: ignore[arg-type]


def test_a_face_that_lets_wait_long_is_waited_for_aloud_and_found() -> None:
    seconds = [0.0, 4.0, 8.0, 9.9, 10.1, 14.0]
    pictures = [wall()] * 5 + [astronaut()]
    frames = [
        replace(frame(picture, i), at=Instant(round(10 * at), Fraction(1, 10)))
        for i, (picture, at) in enumerate(zip(pictures, seconds, strict=True))
    ]
    report = Report()
    shown = Track(tracker(), report)(iter(frames))
    for _ in range(4):
        assert next(shown).face is None
    assert not report.warnings
    assert [t.face is not None for t in shown] == [False, True]
    assert [w for w in report.warnings if "still looking" in w]
