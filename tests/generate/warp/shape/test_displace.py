"""Where the points of a photo go: without folds, and with lids and lips that keep their form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm, smiling
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import dictionaries, floats, sampled_from

from retarget.flow import blendshapes, landmarks
from retarget.flow.values import HeadPose, Identity
from retarget.generate.warp.mesh import signed_areas, topology
from retarget.generate.warp.rims import LEFT_EYE, MOUTH, RIGHT_EYE, rims_of
from retarget.generate.warp.shape.displace import Displacer
from retarget.transfer.shape import set_lids

SIDES = ("Left", "Right")
SHAPES = sampled_from([n for n in blendshapes.NAMES if n != "tongueOut"])


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(weights=dictionaries(SHAPES, floats(0.0, 1.0), max_size=5))
def test_hardly_a_triangle_folds_whatever_is_asked(weights: dict[str, float]) -> None:
    identity = calm()
    closing = min(weights.get("mouthClose", 0.0), weights.get("jawOpen", 0.0))
    weights |= {"mouthClose": closing}  # it undoes what the jaw opens, and means nothing alone
    displace = Displacer(identity, identity.face.points)
    moved = displace(ask(identity, weights))
    before = signed_areas(identity.face.points, topology().face)
    after = signed_areas(moved.points, topology().face)
    folded = -after[(after < 0) & (before > 0)].sum()
    assert folded < 0.002 * before[before > 0].sum()


def test_measured_lids_rule_over_the_mesh() -> None:
    identity = calm()
    displace = Displacer(identity, identity.face.points)
    shut = displace(ask(identity, {}, aperture=0.0)).points
    up, low = list(landmarks.LEFT_EYE_UPPER[1:-1]), list(landmarks.LEFT_EYE_LOWER[1:-1])
    gap = np.abs(shut[low, 1] - shut[up, 1]).max()
    assert gap < 0.01 * identity.face.eye_distance


@pytest.mark.parametrize("measured", [True, False])
@pytest.mark.parametrize("aperture", [0.2, 0.3])
def test_an_eye_that_is_open_by_a_slit_is_drawn_so(aperture: float, *, measured: bool) -> None:
    identity = calm()
    request = ask(identity, {}, aperture=aperture if measured else None)
    head = identity.pose.to_head(identity.face.points).astype(np.float32)
    narrowed = head.copy()
    set_lids(narrowed, head, np.full(2, aperture, np.float32))
    points = identity.pose.to_picture(narrowed).astype(np.float32)
    moved = Displacer(identity, identity.face.points)(replace(request, points=points)).points
    for eye in (LEFT_EYE, RIGHT_EYE):
        share = rims_of(moved, eye).gap / rims_of(identity.face.points, eye).gap
        assert share == pytest.approx(aperture, abs=0.06)


def test_lips_that_touch_by_measure_meet_in_the_mesh() -> None:
    identity = smiling()
    displace = Displacer(identity, identity.face.points)
    for weights in ({}, {"jawOpen": 0.1}):
        points = displace(ask(identity, weights, aperture=1.0, lip_gap=0.0)).points
        up, low = list(landmarks.LIPS_INNER_UPPER[2:-2]), list(landmarks.LIPS_INNER_LOWER[2:-2])
        assert np.abs(points[low, 1] - points[up, 1]).max() < 0.01 * identity.face.eye_distance


@pytest.mark.parametrize("jaw", [0.05, 0.2])
def test_lips_of_a_mouth_torn_open_in_the_photo_part_no_farther_than_they_should(
    jaw: float,
) -> None:
    sides = {f"mouth{which}{side}": 1.0 for which in ("UpperUp", "LowerDown") for side in SIDES}
    gaping = ask(calm(), {"jawOpen": 1.0, **sides}).points
    torn = replace(calm(), face=replace(calm().face, points=gaping))
    request = replace(ask(calm(), {"jawOpen": jaw}, aperture=1.0, lip_gap=0.05), identity=torn)
    drawn = Displacer(torn, gaping)(request).points
    asked, got = (rims_of(points, MOUTH).gap for points in (request.points, drawn))
    assert got == pytest.approx(asked, abs=0.001 * calm().face.eye_distance)


@pytest.mark.parametrize("said", ["mouthPucker", "mouthFrownLeft", "mouthSmileLeft"])
def test_the_crease_beside_a_corner_of_the_mouth_goes_with_it(said: str) -> None:
    identity = calm()
    moved = Displacer(identity, identity.face.points)(ask(identity, {said: 1.0})).expression
    corner, beside = moved[[291, 287]]
    assert abs(corner[1]) > 0.02 * identity.face.eye_distance
    assert beside[1] / corner[1] > 0.85
    if corner[0] < 0:  # this corner lies right in the picture: it goes inwards
        assert beside[0] / corner[0] > 0.8


@pytest.mark.parametrize("someone", [calm, smiling])
@pytest.mark.parametrize("also", [("mouthLeft",), ("mouthLowerDownLeft", "mouthLowerDownRight")])
def test_the_lower_lip_of_a_mouth_torn_open_keeps_its_body(
    someone: Callable[[], Identity], also: tuple[str, ...]
) -> None:
    points = someone().face.points[: landmarks.MESH_COUNT]
    displace = Displacer(someone(), someone().face.points)
    moved = displace(ask(someone(), {"jawOpen": 1.0, **dict.fromkeys(also, 0.9)})).points

    def thick(mesh: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        inner, outer = [88, 87, 14, 317, 318], [91, 84, 17, 314, 321]
        out: npt.NDArray[np.float32] = np.linalg.norm(mesh[inner, :2] - mesh[outer, :2], axis=1)
        return out

    assert (thick(moved) / thick(points)).min() > 0.35
    assert displace.folds(moved - points).sum() < 6


@pytest.mark.parametrize(
    ("said", "rows"),
    [
        (("mouthRollLower",), landmarks.LOWER_LIP_ROWS),
        (("mouthRollUpper",), landmarks.UPPER_LIP_ROWS),
    ],
)
def test_a_lip_that_rolls_in_all_the_way_is_drawn_thin(
    said: tuple[str, ...], rows: tuple[tuple[int, ...], ...]
) -> None:
    identity = calm()
    points = identity.face.points
    moved = Displacer(identity, points)(ask(identity, dict.fromkeys(said, 1.0))).points
    outer, inner = (list(row[4:7]) for row in (rows[0], rows[-1]))
    now, before = (np.abs(p[outer, 1] - p[inner, 1]).mean() for p in (moved, points))
    assert now < 0.55 * before


@pytest.mark.parametrize("jaw", [0.6, 1.0])
def test_a_mouth_that_opens_wide_has_round_rims(jaw: float) -> None:
    moved = Displacer(calm(), calm().face.points)(ask(calm(), {"jawOpen": jaw}))
    now = rims_of(moved.points, MOUTH)
    for line, way in ((now.upper, 1), (now.lower, -1)):
        x, y = np.diff(line, axis=0).T
        turns = way * np.degrees(np.diff(np.arctan2(y, x)))
        assert turns.min() > 0
        assert turns.max() < 30


def test_a_mouth_that_was_seen_keeps_the_form_it_had_while_it_does_not_gape() -> None:
    request = ask(calm(), {"jawOpen": 0.6}, aperture=1.0, lip_gap=0.3)
    drawn = rims_of(Displacer(calm(), calm().face.points)(request).points, MOUTH)
    seen = rims_of(request.points, MOUTH)
    assert drawn.differs(seen) < 0.01 * seen.width


def test_a_brow_goes_up_no_farther_than_the_skin_below_it_lasts() -> None:
    raised = np.array([0.3, 1.0, 1.6])  # the last as of a face that raises them farther than most

    def up(identity: Identity) -> npt.NDArray[np.float64]:
        """(3,) how far the left brow goes up against how far it is asked to."""
        displace = Displacer(identity, identity.face.points)
        brow, out = list(landmarks.LEFT_BROW), []
        for much in raised:
            request = ask(identity, {"browInnerUp": much, "browOuterUpLeft": much})
            asked = (request.points - identity.face.points)[brow, 1].mean()
            out.append(float(displace(request).expression[brow, 1].mean() / asked))
        return np.array(out)

    knitted = ask(calm(), {"browDownLeft": 1.0}).points  # brows that lie near the eyes
    far, near = up(calm()), up(replace(calm(), face=replace(calm().face, points=knitted)))
    assert near[0] > 0.9
    assert near[2] < 0.75 * near[0]
    assert (far[1:] > near[1:]).all()


@pytest.mark.parametrize(
    ("said", "points"),
    [
        ("browDownLeft", landmarks.LEFT_BROW),
        ("browOuterUpLeft", landmarks.LEFT_BROW),
        ("noseSneerLeft", (294, 278, 358)),
    ],
)
def test_brows_and_the_wings_of_the_nose_go_as_far_as_they_are_asked_to(
    said: str, points: tuple[int, ...]
) -> None:
    """The skin around them yields: what they lose to it is drawn as less than was done."""
    identity = calm()
    request = ask(identity, {said: 0.3})
    asked = (request.points - identity.face.points)[list(points), 1].mean()
    moved = Displacer(identity, identity.face.points)(request).expression[list(points), 1].mean()
    assert moved == pytest.approx(asked, rel=0.05)


def test_points_at_odds_with_each_other_are_made_to_agree() -> None:
    identity = calm()
    displace = Displacer(identity, identity.face.points)
    noise = np.random.default_rng(7).normal(0, 0.02 * identity.face.eye_distance, (468, 3))
    moved = noise.astype(np.float32)
    before, after = (int(displace.folds(m).sum()) for m in (moved, displace.unfolded(moved)))
    assert before > 40
    assert after <= 2


def test_skin_that_folds_over_a_lip_yields_to_it() -> None:
    displace = Displacer(calm(), calm().face.points)
    moved = np.zeros((landmarks.MESH_COUNT, 3), np.float32)
    moved[[83, 18, 313], 1] = -0.12 * calm().face.eye_distance  # from below the lip onto it
    mended = displace.unfolded(moved)
    assert displace.folds(moved).any()
    assert not displace.folds(mended).any()
    assert not mended[[84, 17, 314, 181, 405]].any()


@pytest.mark.parametrize("degrees", [0.0, 4.0, 10.0, 17.0])
def test_a_head_turns_as_far_as_it_is_asked_to(degrees: float) -> None:
    """How far a photo can turn is known to whoever asks: what it is asked for lies there, too."""
    identity = calm()
    turn = HeadPose.rotation_of(degrees, 0, 0)
    pose = replace(identity.pose, rotation=turn @ identity.pose.rotation)
    moved = Displacer(identity, identity.face.points)(ask(identity, pose=pose))
    asked = pose.to_picture(identity.pose.to_head(identity.face.points))[: landmarks.MESH_COUNT]
    np.testing.assert_allclose(moved.points, asked, atol=0.01 * identity.face.eye_distance)
    assert moved.turned == pytest.approx(degrees, abs=1e-3)


@pytest.mark.parametrize(("yaw", "pitch"), [(10.0, 0.0), (-10.0, 0.0), (0.0, 10.0), (0.0, -10.0)])
def test_an_iris_stays_before_the_corners_of_its_eye_while_the_head_turns(
    yaw: float, pitch: float
) -> None:
    """It lies 5 of the 95 millimetres between outer corners before them."""
    identity = calm()
    turn = HeadPose.rotation_of(yaw, pitch, 0)
    pose = replace(identity.pose, rotation=turn @ identity.pose.rotation)
    moved = Displacer(identity, identity.face.points)(ask(identity, pose=pose)).irises
    ahead = np.array([np.sin(np.radians(yaw)), -np.sin(np.radians(pitch))])
    wanted = 5 / 95 * identity.face.eye_distance * ahead
    np.testing.assert_allclose(moved, [wanted, wanted], atol=0.3 * np.abs(wanted).max())


def test_lips_that_close_over_a_smile_go_where_they_are_asked() -> None:
    """Relaxed where something folds between them, they would go on smiling."""
    down = {"mouthSmileLeft": -0.9, "mouthSmileRight": -0.9, "mouthClose": 1.0}
    frown = {**down, "mouthFrownLeft": 1.0, "mouthFrownRight": 1.0}
    request = ask(smiling(), frown, aperture=1.0, lip_gap=0.0)
    moved = Displacer(smiling(), smiling().face.points)(request)
    drawn, asked = (
        rims.middle[5] @ rims.down - rims.middle_of_corners @ rims.down
        for rims in (rims_of(points, MOUTH) for points in (moved.points, request.points))
    )
    assert asked < -4  # pixels by which its middle lies above its corners
    assert drawn < 0.8 * asked
