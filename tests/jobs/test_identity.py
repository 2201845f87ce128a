"""The identity lane of a clip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from asked import calm
from clips import make_clip
from outside import tracker
from PIL import Image

from retarget.errors import NoFaceFound
from retarget.expression.measure import lid_opening
from retarget.expression.rest import understand
from retarget.face.settings import TrackSettings
from retarget.face.track import Track
from retarget.flow.report import Report
from retarget.flow.values import HeadPose, Identity
from retarget.generate.settings import WarpSettings
from retarget.jobs import identity_clip
from retarget.jobs.identity import IdentityLane, open_identity, understood
from retarget.source.open import open_source
from retarget.transfer.settings import TransferSettings
from retarget.transfer.transfer import DrivingFace
from tests.jobs.conftest import SAMPLES, cut_out

RATE = 25
COUNT = 30


@pytest.mark.parametrize(
    ("yaw", "told"), [(0.0, False), (-12.0, False), (20.0, True), (-35.0, True)]
)
def test_what_is_behind_a_face_turned_aside_is_told_from_it_though_the_head_is_held(
    yaw: float, told: bool
) -> None:
    """Its far cheek and jaw move before the room."""
    turned = replace(calm().pose, rotation=HeadPose.rotation_of(yaw, 0, 0))
    points = turned.to_picture(calm().pose.to_head(calm().face.points)).astype(np.float32)
    photo = understand(calm().frame, replace(calm().face, points=points))
    lane = IdentityLane(first=photo, at=lambda _: photo, photo=True)
    driven = lane.driven_by(DrivingFace(rest=photo.rest), TransferSettings(), WarpSettings())
    assert (driven.first.person is not None) is told
    along = lane.driven_by(
        DrivingFace(rest=photo.rest), TransferSettings(), WarpSettings(background="along")
    )
    assert along.first.person is None


@contextmanager
def opened(clip: Path) -> Iterator[IdentityLane]:
    with open_identity(str(clip), TrackSettings(), Report()) as lane:
        yield lane


def number(shown: Identity) -> int:
    """Which frame of the clip it is."""
    return round(shown.frame.at.exact * RATE)


def test_a_clips_pictures_are_told_as_passing_unless_one_is_used_as_a_photo(drive: Path) -> None:
    with opened(drive) as lane:
        assert lane.at(Fraction(0)) is lane.first, "prepared once"
        assert lane.first.passing, "drawn as the next one, it does not stand out"
        assert lane.at(Fraction(1, RATE)).passing
    assert not understood(str(drive), TrackSettings(), Report()).passing


@pytest.mark.parametrize("rate", [10, 24, 60])
def test_a_clip_keeps_its_own_speed_at_any_driving_rate(drive: Path, rate: int) -> None:
    with opened(drive) as lane:
        for k in range(rate):  # one second
            shown = lane.at(Fraction(k, rate))
            assert abs(shown.frame.at.exact - Fraction(k, rate)) < Fraction(1, RATE)


def test_stamps_that_were_rounded_to_milliseconds_show_every_picture_once(drive: Path) -> None:
    with opened(drive) as lane:
        shown = [number(lane.at(Fraction(round(1000 * k / RATE - 0.6), 1000))) for k in range(20)]
    assert shown == list(range(20))


@pytest.mark.parametrize("kept", [0, 1_000_000_000])
def test_a_short_clip_goes_back_and_forth_and_never_jumps(
    drive: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(identity_clip, "_KEPT_BYTES", kept)
    with opened(drive) as lane:
        shown = [number(lane.at(Fraction(k, RATE))) for k in range(3 * COUNT)]
    assert shown[:COUNT] == list(range(COUNT))
    assert set(np.abs(np.diff(shown)).tolist()) == {1}
    assert min(shown[COUNT:]) == 0
    assert max(shown[COUNT:]) == COUNT - 1


@pytest.mark.parametrize("kept", [0, 1_000_000_000])
def test_a_long_gap_in_the_driving_time_is_leapt_over(
    drive: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(identity_clip, "_KEPT_BYTES", kept)
    there_and_back = Fraction(2 * (COUNT - 1), RATE)
    with opened(drive) as lane:
        for rounds, k in ((0, 3), (10**9, 7), (10**9, COUNT + 2), (10**12, 1)):
            shown = number(lane.at(rounds * there_and_back + Fraction(k, RATE)))
            assert shown == min(k, 2 * (COUNT - 1) - k)


@pytest.mark.parametrize("kept", [0, 1_000_000_000])
@pytest.mark.parametrize("empty", [range(10, 18), range(8), range(16, 24)])
def test_a_clip_keeps_its_time_and_pictures_where_its_face_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty: range, kept: int
) -> None:
    monkeypatch.setattr(identity_clip, "_KEPT_BYTES", kept)
    cut_out(SAMPLES / "drive.mp4", tmp_path / "gap.mp4", 40, 64, empty=empty)
    with opened(tmp_path / "gap.mp4") as lane:
        assert not lane.first.away
        shown = [lane.at(Fraction(k, RATE)) for k in range(24 + 22)]
    assert [number(s) for s in shown] == [*range(24), *range(22, 0, -1)]
    assert {number(s) for s in shown if s.away} == set(empty)


@pytest.mark.parametrize("empty", [range(10, 13), range(2), range(22, 24)])
def test_a_face_that_is_hardly_lost_is_held_for_as_long(tmp_path: Path, empty: range) -> None:
    cut_out(SAMPLES / "drive.mp4", tmp_path / "gap.mp4", 40, 64, empty=empty)
    with opened(tmp_path / "gap.mp4") as lane:
        shown = [lane.at(Fraction(k, RATE)) for k in range(24)]
    assert not any(s.away for s in shown)
    beside = empty.start - 1 if empty.start else empty.stop
    assert [number(s) for s in shown] == [beside if k in empty else k for k in range(24)]


def test_a_clip_of_one_picture_shows_it_for_ever(photo: Path, tmp_path: Path) -> None:
    rgb = np.asarray(Image.open(photo).convert("RGB").resize((256, 256)))
    clip = make_clip(tmp_path / "one.mp4", count=1, picture=lambda _: rgb)
    with opened(clip) as lane:
        shown = [lane.at(Fraction(k, RATE)) for k in range(1, 50)]
    assert {number(s) for s in shown} == {0}
    assert len({id(s) for s in shown}) == 1, "prepared once"


def test_the_eyes_of_a_clip_stay_open_while_their_owner_blinks(drive: Path) -> None:
    with open_source(str(drive)) as source:
        seen = [
            lid_opening(t.face.points).min()
            for t in Track(tracker(), Report())(source.frames())
            if t.face is not None
        ]
    with opened(drive) as lane:
        shown = [lane.at(Fraction(k, RATE)) for k in range(COUNT)]
    usual = np.median(seen)
    assert min(seen) < 0.4 * usual, "the clip does show a blink"
    assert min(lid_opening(s.face.points).min() for s in shown) > 0.7 * usual
    assert all(s.expression.measured is not None for s in shown)
    assert min(s.expression.measured.aperture.min() for s in shown if s.expression.measured) > 0.65


def test_eyes_of_one_shot_are_not_laid_over_those_of_the_next(
    drive: Path, photo: Path, tmp_path: Path
) -> None:
    with open_source(str(drive)) as source:
        seen = [t for t in Track(tracker(), Report())(source.frames()) if t.face is not None]
    shut = min(seen, key=lambda t: lid_opening(t.face.points).max() if t.face else 9.0).frame.rgb
    with Image.open(photo) as image:
        other = np.asarray(image.convert("RGB").resize((256, 256)))
    clip = make_clip(tmp_path / "two.mp4", count=12, picture=lambda i: other if i < 8 else shut)
    with open_source(str(clip)) as source:
        own = [frame.rgb for frame in source.frames()]
    with opened(clip) as lane:
        shown = [lane.at(Fraction(k, RATE)) for k in range(12)]
    for identity in shown[8:]:
        np.testing.assert_array_equal(identity.frame.rgb, own[number(identity)])


def test_a_clip_without_a_face_is_refused(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "bars.mp4", count=10)
    with pytest.raises(NoFaceFound), opened(clip):
        pass
