"""What the shipped face model promises, shape by shape."""

from __future__ import annotations

import numpy as np
import pytest

from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import face_model, pose_terms
from retarget.flow.gaze import EYEBALL, GAZE_DEGREES
from retarget.flow.rigid import align, align_robustly
from retarget.flow.values import HeadPose

MODEL = face_model()


def shape(name: str) -> np.ndarray:
    return MODEL.basis[blendshapes.index(name)]


def mirror() -> np.ndarray:
    """The point in each point's place in a mirror, found from the neutral alone."""
    flipped = MODEL.neutral * (-1.0, 1.0, 1.0)
    far = np.linalg.norm(flipped[:, None] - MODEL.neutral[None], axis=2)
    return far.argmin(axis=1)


def test_the_neutral_is_symmetric_and_measures_one_between_the_outer_corners() -> None:
    right, left = MODEL.neutral[list(landmarks.EYE_OUTER_CORNERS)]
    assert np.linalg.norm(left - right) == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_allclose((left + right) / 2, 0.0, atol=1e-5)
    flipped = MODEL.neutral[mirror()] * (-1.0, 1.0, 1.0)
    np.testing.assert_allclose(flipped, MODEL.neutral, atol=1e-4)


@pytest.mark.parametrize("name", blendshapes.NAMES)
def test_every_shape_is_visible_and_its_mirror_is_the_other_side(name: str) -> None:
    moved = np.linalg.norm(shape(name), axis=1)
    assert 0.012 < moved.max() < 0.7
    other = shape(blendshapes.mirrored(name))
    np.testing.assert_allclose(other[mirror()] * (-1.0, 1.0, 1.0), shape(name), atol=2e-4)


@pytest.mark.parametrize("name", [n for n in blendshapes.NAMES if n.endswith("Left")])
def test_a_left_shape_moves_the_left_more(name: str) -> None:
    size = np.linalg.norm(shape(name), axis=1)
    side = MODEL.neutral[:, 0]
    if name in ("jawLeft", "mouthLeft"):
        assert shape(name)[landmarks.CHIN if name == "jawLeft" else 13, 0] > 0.02
    else:
        assert size[side > 0.05].sum() > 1.5 * size[side < -0.05].sum()


def test_lids_meet_when_a_blink_is_whole_and_the_other_eye_stays_open() -> None:
    mesh = MODEL.neutral + shape("eyeBlinkLeft")
    gap = mesh[list(landmarks.LEFT_EYE_LOWER), 1] - mesh[list(landmarks.LEFT_EYE_UPPER), 1]
    assert np.abs(gap).max() < 0.006
    still = shape("eyeBlinkLeft")[list(landmarks.RIGHT_EYE_UPPER)]
    np.testing.assert_allclose(still, 0.0, atol=1e-4)


def test_lips_touch_where_the_mouth_is_closed_as_far_as_the_jaw_is_open() -> None:
    upper, lower = list(landmarks.LIPS_INNER_UPPER), list(landmarks.LIPS_INNER_LOWER)
    opened = MODEL.neutral + shape("jawOpen")
    closed = opened + shape("mouthClose")
    assert (opened[lower] - opened[upper])[5, 1] > 0.25
    assert np.abs((closed[lower] - closed[upper])[:, 1]).max() < 0.01


def test_an_opening_jaw_leaves_the_upper_lip_and_takes_the_chin_along() -> None:
    moved = shape("jawOpen")
    assert np.linalg.norm(moved[0]) < 0.15 * np.linalg.norm(moved[17])
    assert moved[landmarks.CHIN, 1] > 0.15
    assert np.linalg.norm(moved[landmarks.FOREHEAD]) < 0.02


@pytest.mark.parametrize(
    ("name", "point", "axis", "sign"),
    [
        ("browDownLeft", 296, 1, 1), ("browInnerUp", 336, 1, -1), ("browOuterUpLeft", 283, 1, -1),
        ("cheekPuff", 425, 2, -1), ("cheekSquintLeft", 347, 1, -1), ("eyeWideLeft", 386, 1, -1),
        ("eyeSquintLeft", 374, 1, -1), ("jawForward", 152, 2, -1), ("jawRight", 152, 0, -1),
        ("mouthDimpleLeft", 291, 0, 1), ("mouthFrownLeft", 291, 1, 1), ("mouthFunnel", 0, 2, -1),
        ("mouthLowerDownLeft", 321, 1, 1), ("mouthPucker", 291, 0, -1),
        ("mouthRollLower", 17, 1, -1), ("mouthRollUpper", 0, 1, 1), ("mouthShrugLower", 17, 1, -1),
        ("mouthShrugUpper", 0, 1, -1), ("mouthSmileLeft", 291, 1, -1),
        ("mouthSmileLeft", 291, 0, 1),
        ("mouthStretchLeft", 291, 0, 1), ("mouthUpperUpLeft", 269, 1, -1),
        ("noseSneerLeft", 358, 1, -1), ("tongueOut", 17, 1, 1),
    ],
)  # fmt: skip
def test_muscles_pull_the_way_they_pull(name: str, point: int, axis: int, sign: int) -> None:
    assert sign * shape(name)[point, axis] > 0.008


@pytest.mark.parametrize(("name", "sign"), [("mouthLeft", 1), ("mouthRight", -1)])
def test_lips_that_go_aside_take_both_corners_of_the_mouth_along(name: str, sign: int) -> None:
    across = sign * MODEL.said(blendshapes.weights({name: 1.0}))[:, 0]
    middle = across[[0, 13, 14, 17]].mean()
    assert middle > 0.1
    assert across[list(landmarks.MOUTH_CORNERS)].min() > 0.6 * middle


def test_puffed_cheeks_widen_the_jaw_and_not_the_mouth() -> None:
    wider = shape("cheekPuff")[:, 0] * np.sign(MODEL.neutral[:, 0])
    cheeks, jaw = [425, 205, 427, 207], [288, 58, 397, 172]
    assert wider[cheeks].min() > 0.09
    assert wider[jaw].min() > 0.06
    assert wider[list(landmarks.MOUTH_CORNERS)].max() < 0.01


@pytest.mark.parametrize(
    ("name", "axis", "sign"),
    [("Out", 0, 1), ("In", 0, -1), ("Up", 1, -1), ("Down", 1, 1)],
)
def test_a_turned_eye_moves_its_iris_on_the_eyeball(name: str, axis: int, sign: int) -> None:
    centre = shape(f"eyeLook{name}Left")[landmarks.LEFT_IRIS[0]]
    turn = np.sin(np.radians(GAZE_DEGREES[name]))
    assert centre[axis] == pytest.approx(sign * EYEBALL * turn, abs=0.002)
    assert centre[2] > 0.0  # a ball's front goes back when it turns
    np.testing.assert_allclose(shape(f"eyeLook{name}Left")[list(landmarks.RIGHT_IRIS)], 0.0)


def test_no_shape_moves_a_point_far_from_its_neighbors() -> None:
    near = np.linalg.norm(MODEL.neutral[:468, None] - MODEL.neutral[None, :468], axis=2)
    upper_face = MODEL.neutral[:468, 1] < 0.25  # away from the slit of the mouth
    lids = {*landmarks.LEFT_EYE_UPPER, *landmarks.RIGHT_EYE_UPPER,
            *landmarks.LEFT_EYE_LOWER, *landmarks.RIGHT_EYE_LOWER}  # fmt: skip
    skin = np.array([i for i in np.flatnonzero(upper_face) if i not in lids])
    table = near[np.ix_(skin, skin)] + np.eye(len(skin)) * 9
    for name in blendshapes.NAMES:
        if not name.startswith("brow"):
            continue
        moved = shape(name)[skin]
        nearest = moved[table.argsort(axis=1)[:, :4]].mean(axis=1)
        assert np.linalg.norm(moved - nearest, axis=1).max() < 0.035, name


def test_displacement_adds_shapes_up() -> None:
    weights = blendshapes.weights({"jawOpen": 0.5, "mouthPucker": 0.25})
    wanted = 0.5 * shape("jawOpen") + 0.25 * shape("mouthPucker")
    np.testing.assert_allclose(MODEL.displacement(weights), wanted, atol=1e-6)


@pytest.mark.parametrize("angles", [(0, 0, 0), (20, -10, 5), (-35, 15, -30)])
def test_alignment_finds_the_pose_that_made_the_points(angles: tuple[int, int, int]) -> None:
    pose = HeadPose(
        rotation=HeadPose.rotation_of(*angles),
        translation=np.array([300.0, 200.0, 5.0]),
        scale=150.0,
    )
    found = align(MODEL.neutral, pose.to_picture(MODEL.neutral), MODEL.stability)
    assert found.angles == pytest.approx(angles, abs=1e-3)
    assert found.scale == pytest.approx(150.0, rel=1e-5)
    np.testing.assert_allclose(found.translation, pose.translation, atol=1e-3)
    np.testing.assert_allclose(
        pose_terms(found)[:3], np.radians([angles[1], angles[0], angles[2]]), atol=1e-4
    )


def test_a_robust_alignment_is_not_led_by_a_few_wrong_points() -> None:
    wrong = MODEL.neutral.astype(float).copy()
    used = np.flatnonzero(MODEL.stability)
    wrong[used[::7]] += (0.1, -0.15, 0.1)
    plain = align(MODEL.neutral, wrong, MODEL.stability)
    robust = align_robustly(MODEL.neutral, wrong, MODEL.stability)
    assert np.linalg.norm(robust.translation) < 0.4 * np.linalg.norm(plain.translation)


def test_a_mirrored_mesh_still_gets_a_proper_rotation() -> None:
    flipped = MODEL.neutral * (-1.0, 1.0, 1.0)
    found = align(MODEL.neutral, flipped, MODEL.stability)
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)


def thick(mesh: np.ndarray, rows: tuple[tuple[int, ...], ...]) -> float:
    """How thick the middle of a lip is, in head units."""
    return float(np.abs(mesh[list(rows[0]), 1] - mesh[list(rows[-1]), 1])[4:7].mean())


@pytest.mark.parametrize(
    ("name", "rows"),
    [("mouthRollLower", landmarks.LOWER_LIP_ROWS), ("mouthRollUpper", landmarks.UPPER_LIP_ROWS)],
)
def test_hardly_anything_is_left_of_a_lip_that_is_told_to_roll_in(
    name: str, rows: tuple[tuple[int, ...], ...]
) -> None:
    moved = MODEL.neutral + MODEL.said(blendshapes.weights({name: 1.0}))
    assert thick(moved, rows) < 0.5 * thick(MODEL.neutral, rows)


def test_lips_that_are_told_to_press_do_not_smile() -> None:
    sides = ("Left", "Right")
    pressed, smile = (
        -MODEL.said(blendshapes.weights({f"{name}{side}": 1.0 for side in sides}))
        for name in ("mouthPress", "mouthSmile")
    )
    corners = list(landmarks.MOUTH_CORNERS)
    assert pressed[corners, 1].mean() < 0.5 * smile[corners, 1].mean()


@pytest.mark.parametrize("roll", [30.0, 90.0, -150.0])
def test_a_head_in_a_picture_that_lies_turns_aside_about_its_own_neck(roll: float) -> None:
    def pose(yaw: float, pitch: float, lying: float) -> HeadPose:
        rotation = HeadPose.rotation_of(0, 0, lying) @ HeadPose.rotation_of(yaw, pitch, 0)
        return HeadPose(rotation=rotation, translation=np.zeros(3), scale=100.0)

    model = face_model()
    upright = model.turned(pose(0, 0, 0), pose(8, 0, 0))
    lying = model.turned(pose(0, 0, roll), pose(8, 0, roll))
    assert np.abs(upright).max() > 0.001
    np.testing.assert_allclose(lying, upright, atol=1e-6)
    assert np.abs(model.turned(pose(0, 0, roll), pose(0, 8, roll))).max() < 1e-6


def test_irises_turn_with_the_corners_of_their_eyes() -> None:
    def pose(yaw: float) -> HeadPose:
        rotation = HeadPose.rotation_of(yaw, 0, 0)
        return HeadPose(rotation=rotation, translation=np.zeros(3), scale=100.0)

    turned = face_model().turned(pose(0), pose(10))
    for iris, corners in ((landmarks.LEFT_IRIS, (362, 263)), (landmarks.RIGHT_IRIS, (33, 133))):
        between = turned[list(corners)].mean(axis=0)
        np.testing.assert_allclose(turned[list(iris)], np.tile(between, (5, 1)), atol=1e-7)
