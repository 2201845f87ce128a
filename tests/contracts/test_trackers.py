"""What both trackers promise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
from faces import (
    astronaut,
    frame,
    head,
    middles,
    moved,
    on,
    stranger,
    track,
    video,
    wall,
)  # fmt: skip
from outside import bundle
from programs import run

from retarget.errors import NoFaceFound
from retarget.face.open import carries_models
from retarget.face.settings import TrackSettings
from retarget.face.still import find_face
from retarget.face.track import Track
from retarget.flow import blendshapes
from retarget.flow.report import Report
from retarget.flow.values import VideoFrame

PLACES = {
    33: (194, 101), 263: (257, 103), 468: (204, 101), 473: (246, 103), 13: (222, 142),
    152: (223, 178),
}  # fmt: skip
"""Outer eye corners, pupils, upper lip and chin, read off the enlarged picture by eye."""


@pytest.fixture(params=["mesh", "tasks"])
def by(request: pytest.FixtureRequest) -> TrackSettings:
    if request.param == "tasks":
        return TrackSettings(by="tasks", bundle=bundle())
    if not carries_models():
        pytest.skip("this mediapipe carries no models")
    return TrackSettings(by="mesh", looks=1)


def test_points_lie_where_the_face_is(by: TrackSettings) -> None:
    face = find_face(frame(astronaut()), by, Report())
    for point, place in PLACES.items():
        assert np.hypot(*(face.points[point, :2] - place)) < 4, point


def test_a_picture_twice_as_large_has_points_twice_as_far_apart_in_depth_too(
    by: TrackSettings,
) -> None:
    large = cv2.resize(astronaut(), (1024, 1024), interpolation=cv2.INTER_CUBIC)
    one = find_face(frame(astronaut()), by, Report())
    two = find_face(frame(large), by, Report())
    off = np.abs(two.points - 2 * one.points) / two.eye_distance
    assert off.mean() < 0.03


def test_depth_grows_away_from_the_camera(by: TrackSettings) -> None:
    points = find_face(frame(astronaut()), by, Report()).points
    nose, ears = points[1, 2], points[[234, 454], 2]
    assert (ears > nose + 20).all()


def test_a_face_that_moves_is_followed_to_the_pixel(by: TrackSettings) -> None:
    steps = [(4.0 * i, -2.0 * i) for i in range(8)]
    tracked = track([moved(astronaut(), *step) for step in steps], by)
    first = tracked[0].face
    assert first is not None
    for (dx, dy), seen in zip(steps, tracked, strict=True):
        assert seen.face is not None
        shift = (seen.face.points - first.points)[:, :2].mean(axis=0)
        np.testing.assert_allclose(shift, (dx, dy), atol=1.5)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_lying_in_a_picture_is_found_with_its_chin_where_it_is(
    by: TrackSettings, quarters: int
) -> None:
    upright = find_face(frame(astronaut()), by, Report()).points
    turned = find_face(frame(np.rot90(astronaut(), quarters)), by, Report()).points
    back = turned[:, :2].copy()
    for _ in range(quarters):  # undo np.rot90: (x, y) -> (511 - y, x)
        back = np.column_stack([511 - back[:, 1], back[:, 0]])
    assert np.linalg.norm(back - upright[:, :2], axis=1).mean() < 4


def test_every_frame_comes_out_once_and_in_order_with_or_without_a_face(by: TrackSettings) -> None:
    pictures = [astronaut()] * 3 + [wall()] * 3 + [astronaut()] * 2
    report = Report()
    tracked = track(pictures, by, report)
    assert [t.frame.index for t in tracked] == list(range(8))
    assert [t.face is not None for t in tracked] == [True] * 3 + [False] * 3 + [True] * 2
    assert report.away == [3, 4, 5]


def test_a_face_found_again_is_marked_and_a_first_one_is_not(by: TrackSettings) -> None:
    tracked = track([astronaut()] * 2 + [wall()] * 2 + [astronaut()] * 2, by)
    assert [t.frame.index for t in tracked if t.cut] == [4]


def test_a_cut_to_another_shot_is_marked_on_its_first_frame(by: TrackSettings) -> None:
    other = on(wall(grey=200), head(stranger()), 150, 300)
    tracked = track([astronaut()] * 4 + [other] * 4, by)
    assert [t.frame.index for t in tracked if t.cut] == [4]
    assert middles(tracked)[4] == pytest.approx(150, abs=40)


def test_the_face_that_was_asked_for_is_followed(by: TrackSettings) -> None:
    small = cv2.resize(head(stranger()), (150, 150), interpolation=cv2.INTER_AREA)
    scene = on(on(wall(600, 300), head(astronaut()), 450, 150), small, 120, 150)
    for which, x in {"largest": 450, "left": 120, "right": 450, "0": 120, "110,160": 120}.items():
        tracked = track([scene] * 2, replace(by, which=which))
        assert middles(tracked)[1] == pytest.approx(x, abs=40), which
        if which != "largest":  # for the largest nobody looks for smaller ones
            assert tracked[1].others == 1


def test_a_number_beyond_the_faces_in_view_says_how_many_there_are(by: TrackSettings) -> None:
    with pytest.raises(NoFaceFound, match="1 face"):
        find_face(frame(astronaut()), replace(by, which="1"), Report())


def test_a_video_without_a_face_says_so_at_its_end(by: TrackSettings) -> None:
    with pytest.raises(NoFaceFound, match=r"0\.4 s"):
        track([wall()] * 10, by)


def test_a_long_wait_for_a_first_face_ends_when_patience_does(by: TrackSettings) -> None:
    taken = 0

    def endless() -> Iterator[VideoFrame]:
        nonlocal taken
        while True:
            yield frame(wall(), taken)
            taken += 1

    with pytest.raises(NoFaceFound):
        list(Track(replace(by, patience=0.5), Report())(endless()))
    assert taken == 13  # the first frame later than half a second at 25 a second


def test_one_stage_serves_two_videos_at_once(by: TrackSettings) -> None:
    stage = Track(by, Report())
    one = stage(video([astronaut()] * 3))
    two = stage(video([on(wall(), head(stranger()), 400, 300)] * 3))
    for a, b in zip(one, two, strict=True):
        assert a.face is not None
        assert b.face is not None
        assert a.face.points[1, 0] == pytest.approx(222, abs=20)
        assert b.face.points[1, 0] == pytest.approx(400, abs=40)


def test_the_same_video_gives_the_same_points(by: TrackSettings) -> None:
    pictures = [moved(astronaut(), 3.0 * i, 0) for i in range(4)]
    for a, b in zip(track(pictures, by), track(pictures, by), strict=True):
        assert a.face is not None
        assert b.face is not None
        np.testing.assert_array_equal(a.face.points, b.face.points)


def test_a_model_remembers_nothing_of_what_was_read_by_one_before_it(by: TrackSettings) -> None:
    pictures = [moved(astronaut(), 3.0 * i, 0) for i in range(3)]
    alone = track(pictures, by)
    for other in ([stranger()] * 3, [moved(astronaut(), 7, 5)] * 3):
        track(other, by)
        for a, b in zip(alone, track(pictures, by), strict=True):
            assert a.face is not None
            assert b.face is not None
            np.testing.assert_array_equal(a.face.points, b.face.points)


FOLLOWING = """
import concurrent.futures.thread as pool, gc
from faces import astronaut, track, video
from outside import bundle
from retarget.face.settings import TrackSettings
from retarget.face.track import Track
from retarget.flow.report import Report
by = {by}
stage = Track(by, Report())(video([astronaut()] * 2))
next(stage)
"""


def test_a_video_that_nobody_looks_at_to_its_end_holds_up_no_other(by: TrackSettings) -> None:
    """Python may collect such garbage within a call of MediaPipe's, which may hold a lock then."""
    done = run(
        FOLLOWING.format(by='TrackSettings(by="tasks", bundle=bundle())' if by.bundle else by)
        + """
gc.disable()
around = [stage]
around.append(around)
del stage, around
class Future(pool._base.Future):
    def __init__(self):
        gc.collect()
        super().__init__()
pool._base.Future = Future
print(len(track([astronaut()] * 2, by)))
"""
    )
    assert (done.stdout, done.returncode) == ("2\n", 0), done.stderr


def test_a_program_may_end_while_a_face_is_followed_without_a_word(by: TrackSettings) -> None:
    done = run(f"""
        from outside import bundle
        from programs import ROOT
        from retarget.face.settings import TrackSettings
        from retarget.jobs.video import VideoJob
        by = {'TrackSettings(by="tasks", bundle=bundle())' if by.bundle else by}
        samples = ROOT / "samples"
        drive, face = str(samples / "drive.mp4"), str(samples / "face.jpg")
        frames = VideoJob(driving=drive, identity=face, track=by).frames()
        next(iter(frames))
    """)
    assert (done.stderr, done.returncode) == ("", 0)


def test_scores_are_there_only_where_the_tracker_has_them(by: TrackSettings) -> None:
    face = find_face(frame(astronaut()), by, Report())
    if by.by == "mesh":
        assert face.scores is None
        return
    assert face.scores is not None
    named = dict(zip(blendshapes.NAMES, face.scores, strict=True))
    assert named["mouthSmileLeft"] > 0.5
    assert named["mouthSmileRight"] > 0.5
    assert named["mouthPucker"] < 0.1
    assert named["tongueOut"] == 0.0
