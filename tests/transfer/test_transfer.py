"""Each driving moment becomes a request of the identity's picture at that moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from retarget.expression.fit import Fit
from retarget.expression.settings import FitSettings
from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import face_model
from retarget.flow.values import (
    ExpressedFrame,
    Face,
    FaceRequest,
    HeadPose,
    Identity,
    Instant,
)
from retarget.transfer.settings import MADE_UP, Gains, TransferSettings
from retarget.transfer.transfer import DrivingFace, Transfer
from tests.expression.acting import acted, face, identity_of, person, pose

CALM = identity_of(person(4, 0.7))


def requests(
    frames: Sequence[ExpressedFrame],
    settings: TransferSettings,
    identity_at: Callable[[Fraction], Identity] = lambda _: CALM,
    driving: DrivingFace | None = None,
) -> list[FaceRequest]:
    return list(Transfer(settings, driving, identity_at)(iter(frames)))


def doing(**named: float) -> list[ExpressedFrame]:
    return acted(blendshapes.weights(named)[None])


def test_the_identitys_clip_begins_with_the_first_driving_frame_and_runs_beside_it() -> None:
    asked: list[Fraction] = []

    def identity_at(seconds: Fraction) -> Identity:
        asked.append(seconds)
        return CALM

    late = [
        replace(frame, at=Instant(300 + 2 * frame.index, Fraction(1, 30)))
        for frame in acted(np.zeros((3, blendshapes.COUNT)))
    ]
    requests(late, TransferSettings(), identity_at)
    assert asked == [0, Fraction(2, 30), Fraction(4, 30)]


@pytest.mark.parametrize("turned", [pose(yaw=-25), pose(pitch=-12), pose(yaw=15, pitch=-10)])
def test_a_photo_that_is_turned_aside_and_at_rest_is_not_moved_by_a_face_at_rest(
    turned: HeadPose,
) -> None:
    """A tracker bends the mesh of a turned head; the photo's pixels lie where it has their points.

    Asked for without the bend, a face turned aside grew as wide as one that looks ahead.
    """
    bent = face_model().bent(turned)
    shown = Face(points=turned.to_picture(CALM.rest.head + bent).astype(np.float32))
    photo = replace(CALM, face=shown, pose=turned)
    (asked,) = requests(doing(), TransferSettings(), lambda _: photo)
    off = np.abs(asked.points - shown.points)[: landmarks.MESH_COUNT]
    assert np.abs(turned.scale * bent).max() > 2
    assert off.max() < 0.5


def test_a_performance_replaces_the_photos_smile_or_is_added_to_it() -> None:
    smile = {"mouthSmileLeft": 0.6, "mouthSmileRight": 0.6}
    shown = face(person(4, 0.7), smile)
    expression, at = Fit(CALM.rest, FitSettings()).express(shown)
    smiling = replace(CALM, face=shown, expression=expression, pose=at)
    settings = TransferSettings(strength=1.0)
    (instead,) = requests(doing(browInnerUp=0.5), settings, lambda _: smiling)
    (added,) = requests(doing(browInnerUp=0.5), replace(settings, relative=True), lambda _: smiling)
    mouth, corner = blendshapes.index("mouthSmileLeft"), 291
    assert instead.expression.weights[mouth] == 0
    assert added.expression.weights[mouth] == pytest.approx(expression.weights[mouth])
    assert added.expression.weights[blendshapes.index("browInnerUp")] == pytest.approx(0.5)
    kept, lost = (np.linalg.norm(r.points - shown.points, axis=1)[corner] for r in (added, instead))
    assert kept < 0.1 * lost


@pytest.mark.parametrize("as_filmed", [True, False])
def test_only_a_photo_of_the_driving_person_is_turned_to_where_the_driving_head_is(
    as_filmed: bool,
) -> None:
    aside = pose(yaw=8.0)
    photo = replace(CALM, pose=aside, as_filmed=as_filmed)
    driving = DrivingFace(rest=CALM.rest, usual=[pose()] * 5 + [aside])
    frame = replace(doing()[0], pose=aside)
    (asked,) = requests([frame], TransferSettings(motion="full"), lambda _: photo, driving)
    turned = asked.pose.angles[0] - aside.angles[0]
    assert turned == pytest.approx(0.0 if as_filmed else 6.0, abs=1.0)


def test_brows_that_a_photo_as_filmed_raises_as_far_as_the_driving_face_keep_their_place() -> None:
    """Of raised brows a mesh tells too little, in a frame of the clip no less than in the next."""
    shown = face(person(4, 0.7), {"browInnerUp": 0.6, "browOuterUpLeft": 0.6})
    expression, at = Fit(CALM.rest, FitSettings()).express(shown)
    raising = replace(CALM, face=shown, expression=expression, pose=at, as_filmed=True)
    same = [replace(doing()[0], expression=expression)]
    (asked,) = requests(same, TransferSettings(strength=1.0), lambda _: raising)
    brow = list(landmarks.LEFT_BROW)
    raised = np.linalg.norm(shown.points - CALM.face.points, axis=1)[brow].mean()
    moved = np.linalg.norm(asked.points - shown.points, axis=1)[brow].mean()
    assert moved < 0.1 * raised


def test_a_smile_added_to_a_smile_is_at_most_a_whole_one() -> None:
    smile = {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9}
    shown = face(person(4, 0.7), smile)
    expression, at = Fit(CALM.rest, FitSettings()).express(shown)
    smiling = replace(CALM, face=shown, expression=expression, pose=at)
    added = requests(doing(**smile), TransferSettings(relative=True), lambda _: smiling)
    assert added[0].expression.weights.max() == 1.0


def test_nothing_performed_and_added_is_the_photo_as_it_is() -> None:
    (still,) = requests(doing(), TransferSettings(relative=True))
    np.testing.assert_allclose(still.points, CALM.face.points, atol=0.05)


def turned_by(settings: TransferSettings) -> float:
    """How many times as far as the driving head the photo's turns, of two degrees."""
    driving = DrivingFace(rest=CALM.rest, usual=[pose()])
    (asked,) = requests([replace(doing()[0], pose=pose(yaw=2.0))], settings, driving=driving)
    return (asked.pose.angles[0] - CALM.pose.angles[0]) / 2.0


@pytest.mark.parametrize(("strength", "gain"), [(0.5, 1.0), (1.0, 0.5), (2 * MADE_UP, 1.0)])
def test_a_head_turns_by_its_gain_times_the_strength(strength: float, gain: float) -> None:
    settings = TransferSettings(motion="full", strength=strength, gain=Gains(head=gain))
    assert turned_by(settings) == pytest.approx(min(strength, 2.0) * gain, rel=0.03)


def test_a_head_turns_as_far_as_the_driving_head_unless_told_otherwise() -> None:
    """What makes up for folds that a moved photo lacks has nothing to make up for in a turn."""
    assert turned_by(TransferSettings(motion="full")) == pytest.approx(1.0, abs=0.01)


def test_without_head_motion_the_head_stays_as_in_the_photo() -> None:
    driving = DrivingFace(rest=CALM.rest, usual=[pose()])
    turned = [replace(doing()[0], pose=pose(yaw=20.0))]
    (asked,) = requests(turned, TransferSettings(), driving=driving)
    assert asked.pose is CALM.pose


def beyond_the_mesh(turned: HeadPose) -> np.ndarray:
    """(478, 3) head units by which the points of a calm photo leave a stiff mesh as it turns."""
    driving = DrivingFace(rest=CALM.rest, usual=[pose()])
    settings = TransferSettings(motion="full")
    still, moved = requests(
        [doing()[0], replace(doing()[0], pose=turned)], settings, driving=driving
    )
    out: np.ndarray = moved.pose.to_head(moved.points) - still.pose.to_head(still.points)
    return out


@pytest.mark.parametrize("yaw", [-8.0, 8.0])
def test_nose_lips_and_chin_turn_farther_aside_than_a_mesh_that_is_flatter_than_the_face(
    yaw: float,
) -> None:
    ahead = [landmarks.NOSE_TIP, landmarks.LIPS_INNER_UPPER[5], landmarks.CHIN]
    aside = np.sign(yaw) * beyond_the_mesh(pose(yaw=yaw))[ahead, 0]
    assert aside.min() > 0.001
    both = beyond_the_mesh(pose(yaw=yaw)) + beyond_the_mesh(pose(yaw=-yaw))
    assert np.abs(both).max() < 0.001


def test_a_nod_and_a_tilt_move_the_mesh_as_one() -> None:
    for turned in (pose(pitch=8.0), pose(roll=8.0)):
        assert np.abs(beyond_the_mesh(turned)).max() < 0.001
