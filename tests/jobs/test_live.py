"""A face performs pictures as they are taken, each before the next one is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retarget.errors import NoFaceFound, RetargetError, WrongSetting
from retarget.expression.settings import RestSettings, SmoothSettings
from retarget.flow.arrays import Picture
from retarget.flow.values import VideoFrame
from retarget.generate.settings import WarpSettings
from retarget.jobs.live import LiveJob
from retarget.jobs.video import VideoJob
from retarget.source.open import open_source
from retarget.source.settings import SourceSettings
from retarget.transfer.settings import TransferSettings


@pytest.fixture(scope="module")
def taken(drive: Path) -> list[VideoFrame]:
    with open_source(str(drive), SourceSettings()) as source:
        return list(source.frames())


@pytest.fixture(scope="module")
def neutral(taken: list[VideoFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("neutral") / "me.png"
    Image.fromarray(taken[0].rgb).save(path)
    return path


def test_what_is_live_is_what_a_file_looked_at_backwards_gives(
    drive: Path, photo: Path, taken: list[VideoFrame], neutral: Path
) -> None:
    rest = RestSettings(neutral=neutral)
    whole = VideoJob(
        driving=str(drive), identity=photo, rest=rest, smooth=SmoothSettings(live=True)
    )
    live = LiveJob(identity=photo, rest=rest)
    shown = list(live.frames(iter(taken)))
    assert len(shown) == len(taken)
    for now, then in zip(shown, whole.frames(), strict=True):
        assert now.frame.at == then.frame.at
        np.testing.assert_array_equal(now.frame.rgb, then.frame.rgb)


def test_each_frame_comes_before_the_next_picture_is_taken(
    photo: Path, taken: list[VideoFrame], neutral: Path
) -> None:
    count = 0

    def camera() -> Iterator[VideoFrame]:
        nonlocal count
        for count, frame in enumerate(taken, 1):  # noqa: B007  (read below)
            yield frame

    job = LiveJob(identity=photo, rest=RestSettings(neutral=neutral))
    with job.frames(camera()) as frames:
        for place, _ in enumerate(islice(frames, 8), 1):
            assert count == place


def test_the_photo_waits_until_enough_of_the_driving_face_was_seen(
    photo: Path, taken: list[VideoFrame]
) -> None:
    job = LiveJob(identity=photo, rest=RestSettings(samples=6))
    shown = [f.frame.rgb for f in job.frames(iter(taken))]
    with Image.open(photo) as picture:
        still = np.asarray(picture.convert("RGB"))
    assert len(shown) == len(taken)
    for waiting in shown[:6]:
        np.testing.assert_array_equal(waiting, still)
    moved = [np.abs(rgb.astype(int) - still).max() for rgb in shown[6:]]
    assert min(moved) > 20


def test_pictures_without_a_time_are_stamped_as_they_come(
    photo: Path, taken: list[VideoFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10**12, 40_000_000))
    monkeypatch.setattr("retarget.jobs.live.monotonic_ns", lambda: next(clock))
    job = LiveJob(identity=photo, rest=RestSettings(samples=2))
    pictures = [frame.rgb for frame in taken[:5]]
    at = [finished.frame.at.seconds for finished in job.frames(pictures)]
    assert at == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16])


def test_a_buffer_that_a_camera_fills_again_may_be_given(
    photo: Path, taken: list[VideoFrame], neutral: Path
) -> None:
    def camera() -> Iterator[VideoFrame]:
        buffer = np.empty_like(taken[0].rgb)
        for frame in taken[:6]:
            buffer[...] = frame.rgb
            yield replace(frame, rgb=buffer)

    job = LiveJob(identity=photo, rest=RestSettings(neutral=neutral))
    shown = [finished.request for finished in job.frames(camera())]
    for request, frame in zip(shown, taken[:6], strict=True):
        assert request is not None and request.driving is not None
        assert request.driving.tracked is not None
        np.testing.assert_array_equal(request.driving.tracked.frame.rgb, frame.rgb)


def test_who_leaves_ends_the_camera(photo: Path, taken: list[VideoFrame], neutral: Path) -> None:
    ended = []

    def camera() -> Iterator[VideoFrame]:
        try:
            yield from taken
        finally:
            ended.append(True)

    with LiveJob(identity=photo, rest=RestSettings(neutral=neutral)).frames(camera()) as frames:
        next(frames)
    assert ended == [True]


def test_nobody_before_the_camera_leaves_the_photo_as_it_is(photo: Path) -> None:
    empty = [np.full((120, 160, 3), 128, np.uint8)] * 4
    frames = LiveJob(identity=photo).frames(empty)
    with Image.open(photo) as picture:
        still = np.asarray(picture.convert("RGB"))
    for _ in range(4):
        np.testing.assert_array_equal(next(frames).frame.rgb, still)
    with pytest.raises(NoFaceFound):
        next(frames)


def test_a_neutral_must_be_a_picture_where_no_clip_has_moments(photo: Path) -> None:
    job = LiveJob(identity=photo, rest=RestSettings(neutral="3.5s"))
    with pytest.raises(RetargetError, match="picture"):
        next(job.frames([]))


@pytest.mark.parametrize("picture", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)])
def test_what_is_no_picture_is_refused(photo: Path, picture: Picture) -> None:
    with pytest.raises(ValueError, match="uint8"):
        next(LiveJob(identity=photo).frames([picture]))


def test_a_preset_counts_for_what_is_live(photo: Path) -> None:
    job = LiveJob(identity=photo, preset="natural")
    assert job.transfer.motion == "full"
    assert job.transfer.gain.head == 0.6


def test_folds_that_need_a_whole_clip_are_refused(photo: Path) -> None:
    with pytest.raises(WrongSetting, match="wrinkles"):
        LiveJob(identity=photo, warp=WarpSettings(wrinkles=0.5))


def test_a_head_that_turns_is_followed_before_a_room_that_stays(
    photo: Path, taken: list[VideoFrame]
) -> None:
    job = LiveJob(
        identity=photo,
        rest=RestSettings(samples=4),
        transfer=TransferSettings(motion="full"),
    )
    shown = [f.frame.rgb.astype(int) for f in job.frames(iter(taken[:12]))]
    assert np.abs(shown[-1][:8, :8] - shown[0][:8, :8]).max() == 0
    assert np.abs(shown[-1] - shown[0]).max() > 20
