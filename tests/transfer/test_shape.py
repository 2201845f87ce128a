"""An expression becomes the identity's mesh: measured lids and lips are met exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats

from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import face_model
from retarget.flow.values import Expression, RestFace
from retarget.transfer.shape import CONTACT, Shape, mouth_width
from tests.expression.acting import mirrored, mirrored_weights, person
from tests.transfer.looks import seen

INNER = list(zip(landmarks.LIPS_INNER_UPPER[1:-1], landmarks.LIPS_INNER_LOWER[1:-1], strict=True))
LIDS = {
    "left": (landmarks.LEFT_EYE_UPPER[4], landmarks.LEFT_EYE_LOWER[4]),
    "right": (landmarks.RIGHT_EYE_UPPER[4], landmarks.RIGHT_EYE_LOWER[4]),
}


def rest(width: float = 1.0) -> RestFace:
    """The mean face, its mouth made `width` times as wide."""
    head = face_model().neutral.copy()
    lips = sorted({*landmarks.LIPS_OUTER_UPPER, *landmarks.LIPS_OUTER_LOWER})
    head[lips, 0] *= width
    return RestFace(
        head=head,
        aperture=np.full(2, 0.35, np.float32),
        gaze=np.zeros((2, 2), np.float32),
        lip_gap=0.0,
    )


def opening(mesh: np.ndarray, side: str) -> float:
    up, low = LIDS[side]
    return float(np.linalg.norm(mesh[low] - mesh[up]))


@given(left=floats(0, 1), right=floats(0, 1), blink=floats(0, 1))
def test_lids_open_as_far_as_measured_whatever_the_weights_say(
    left: float, right: float, blink: float
) -> None:
    face = rest()
    shape = Shape(face_model(), face)
    mesh = shape(face, face.head, seen((left, right), eyeBlinkLeft=blink))
    assert opening(mesh, "left") == pytest.approx(left * opening(face.head, "left"), abs=1e-4)
    assert opening(mesh, "right") == pytest.approx(right * opening(face.head, "right"), abs=1e-4)


@pytest.mark.parametrize("aperture", [1.1, 1.4, 1.6])
def test_lids_that_part_beyond_rest_go_farther_than_a_mesh_tells(aperture: float) -> None:
    """It stays near to usual eyes; but no eye is torn open without end."""
    face = rest()
    mesh = Shape(face_model(), face)(face, face.head, seen((aperture, 1.0)))
    times = opening(mesh, "left") / opening(face.head, "left")
    assert min(1 + 1.2 * (aperture - 1), 1.6) - 0.01 < times < 1.61
    assert opening(mesh, "right") == pytest.approx(opening(face.head, "right"), rel=0.01)


def test_an_eye_that_grows_narrow_shuts_no_farther_than_it_was_measured() -> None:
    """Its opening is told in widths of the eye as it is, and its corners move."""
    face = rest()
    corners = (landmarks.LEFT_EYE_OUTER, landmarks.LEFT_EYE_INNER)
    detail = np.zeros((landmarks.COUNT, 3), np.float32)
    detail[list(corners), 0] = -0.03, 0.0
    measured = seen((0.8, 0.8)).measured
    assert measured is not None
    narrower = replace(seen(), measured=replace(measured, detail=detail))

    def in_widths(mesh: np.ndarray) -> float:
        return opening(mesh, "left") / float(np.ptp(mesh[list(corners), 0]))

    mesh = Shape(face_model(), face)(face, face.head, narrower)
    assert in_widths(mesh) == pytest.approx(0.8 * in_widths(face.head), rel=0.02)


def with_eyes(face: RestFace, larger: float) -> RestFace:
    """The same face, its eyes open `larger` times as wide at rest."""
    head = face.head.copy()
    for uppers, lowers in (
        (landmarks.LEFT_EYE_UPPER, landmarks.LEFT_EYE_LOWER),
        (landmarks.RIGHT_EYE_UPPER, landmarks.RIGHT_EYE_LOWER),
    ):
        up, low = list(uppers[1:-1]), list(lowers[1:-1])
        apart = 0.5 * (larger - 1) * (face.head[low] - face.head[up])
        head[up] -= apart
        head[low] += apart
    return replace(face, head=head)


@pytest.mark.parametrize("larger", [0.7, 1.0, 1.5])
def test_a_blink_that_is_said_shuts_eyes_of_any_size(larger: float) -> None:
    eyes = with_eyes(rest(), larger)
    shape = Shape(face_model(), None)
    for said, left in ((1.0, 0.0), (0.5, 0.5)):
        blink = Expression(weights=blendshapes.weights({"eyeBlinkLeft": said}))
        mesh = shape(eyes, eyes.head, blink)
        assert opening(mesh, "left") == pytest.approx(left * opening(eyes.head, "left"), abs=2e-3)
        assert opening(mesh, "right") == pytest.approx(opening(eyes.head, "right"), abs=1e-4)


@pytest.mark.parametrize("also", ["eyeLookDown", "eyeSquint", "eyeWide"])
def test_a_blink_that_is_said_shuts_eyes_by_a_share_of_how_open_they_else_are(also: str) -> None:
    shape = Shape(face_model(), None)

    def left(**named: float) -> float:
        said = Expression(weights=blendshapes.weights({f"{k}Left": v for k, v in named.items()}))
        return opening(shape(rest(), rest().head, said), "left")

    alone = left(**{also: 1.0})
    for blink in (0.25, 0.5, 1.0):
        both = left(eyeBlink=blink, **{also: 1.0})
        assert both == pytest.approx((1 - blink) * alone, abs=2e-3)


@pytest.mark.parametrize("larger", [1.4, 0.7])
def test_a_widened_narrow_eye_does_not_make_a_large_one_stare(larger: float) -> None:
    driving, own = rest(), with_eyes(rest(), larger)

    def parts(whose: RestFace, by: RestFace) -> float:
        """How much farther the lids of one are apart than at rest, torn open as another's are."""
        mesh = Shape(face_model(), by)(whose, whose.head, seen((1.4, 1.4)))
        return opening(mesh, "left") - opening(whose.head, "left")

    parted = parts(driving, driving) * min(1.0, larger)
    assert parts(own, driving) == pytest.approx(parted, rel=0.05)
    assert parts(driving, own) == pytest.approx(parted, rel=0.05)
    said = Expression(weights=blendshapes.weights({"eyeWideLeft": 1.0, "eyeWideRight": 1.0}))
    average = Shape(face_model(), None)
    usual, large = (average(who, who.head, said) - who.head for who in (driving, own))
    up, low = LIDS["left"]
    parted = float((usual[low] - usual[up])[1]) * min(1.0, larger)
    assert (large[low] - large[up])[1] == pytest.approx(parted, rel=0.1)


@pytest.mark.parametrize("followed", [True, False])
def test_a_performance_added_to_a_squinting_photo_keeps_the_squint(followed: bool) -> None:
    face = rest()
    upper, lower = LIDS["left"]
    squinting = face.head + face_model().displacement(blendshapes.weights({"eyeBlinkLeft": 0.4}))
    added = (
        seen(jawOpen=0.3) if followed else Expression(weights=blendshapes.weights({"jawOpen": 0.3}))
    )
    mesh = Shape(face_model(), None)(face, squinting, added)
    own = np.linalg.norm(squinting[lower] - squinting[upper])
    assert opening(mesh, "left") == pytest.approx(own, rel=0.02)
    assert own < 0.7 * opening(face.head, "left")


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("browDown", 285), ("browInnerUp", 285), ("browOuterUp", 283),
        ("mouthPucker", 291), ("mouthLeft", 0), ("mouthRight", 0), ("mouthRoll", 17),
        ("jawLeft", landmarks.CHIN), ("jawRight", landmarks.CHIN),
    ],
)  # fmt: skip
def test_what_a_mesh_tells_too_little_of_goes_farther_than_it_tells(name: str, point: int) -> None:
    face = rest()
    shape = Shape(face_model(), face)
    named = {n: 0.6 for n in blendshapes.NAMES if n.startswith(name)}
    told = face_model().displacement(blendshapes.weights(named))
    followed = shape(face, face.head, seen(**named)) - face.head
    assert np.linalg.norm(told[point]) > 0.005
    assert 1.1 < np.linalg.norm(followed[point]) / np.linalg.norm(told[point]) < 1.7


def test_a_rounded_mouth_is_no_narrower_than_it_is_seen() -> None:
    face = rest()
    round_ = {"mouthPucker": 1.0, "mouthFunnel": 0.5, "jawOpen": 0.7}
    told = face.head + face_model().displacement(blendshapes.weights(round_))
    mesh = Shape(face_model(), face)(face, face.head, seen(gap=0.3, **round_))
    assert mouth_width(mesh) == pytest.approx(mouth_width(told), rel=0.02)


@pytest.mark.parametrize("name", ["jawOpen", "mouthSmileLeft", "cheekSquintLeft", "noseSneerLeft"])
def test_what_a_mesh_tells_well_goes_as_far_seen_as_said(name: str) -> None:
    face = rest()
    shape = Shape(face_model(), face)
    said = shape(face, face.head, Expression(weights=blendshapes.weights({name: 0.6})))
    skin = [landmarks.CHIN, 291, 347, 358]
    np.testing.assert_allclose(
        shape(face, face.head, seen(**{name: 0.6}))[skin], said[skin], atol=1e-5
    )


def test_a_mirrored_performance_moves_a_mirrored_face_to_the_other_side() -> None:
    faces = [person(seed).astype(np.float32) for seed in (2, 4)]
    look = seen(
        (0.3, 1.2), gap=0.1, jawOpen=0.4, jawLeft=0.3, mouthSmileRight=0.5, browOuterUpLeft=0.6
    )
    assert look.measured is not None
    gaze = np.array([[12, 4], [8, 4]], np.float32)
    detail = np.random.default_rng(5).normal(scale=0.01, size=(478, 3)).astype(np.float32)
    look = replace(look, measured=replace(look.measured, gaze=gaze, detail=detail))
    other = Expression(
        weights=mirrored_weights(look.weights),
        measured=replace(
            look.measured,
            aperture=look.measured.aperture[::-1].copy(),
            gaze=gaze[::-1] * np.array([-1, 1], np.float32),
            detail=mirrored(detail).astype(np.float32),
        ),
    )
    driving, own = (replace(rest(), head=head) for head in faces)
    opposite = [replace(f, head=mirrored(f.head).astype(np.float32)) for f in (driving, own)]
    here = Shape(face_model(), driving)(own, own.head, look)
    there = Shape(face_model(), opposite[0])(opposite[1], opposite[1].head, other)
    np.testing.assert_allclose(mirrored(there), here, atol=1e-4)


def test_the_shape_beyond_the_weights_is_put_on_as_it_was_measured() -> None:
    face = rest()
    skin = [landmarks.CHIN, landmarks.FOREHEAD, 205, 425, 4]  # no lid, iris or lip, set elsewhere
    detail = np.zeros((478, 3), np.float32)
    detail[skin] = (0.01, -0.02, 0.005)
    look = seen(jawOpen=0.3)
    assert look.measured is not None
    with_it = replace(look, measured=replace(look.measured, detail=detail))
    shape = Shape(face_model(), face)
    added = shape(face, face.head, with_it) - shape(face, face.head, look)
    np.testing.assert_allclose(added, detail, atol=1e-5)


def test_an_upper_lid_comes_down_where_the_lower_one_hardly_rises() -> None:
    face = rest()
    shut = Shape(face_model(), face)(face, face.head, seen((0.0, 0.0)))
    up, low = LIDS["left"]
    fallen, risen = (abs(float((shut - face.head)[point, 1])) for point in (up, low))
    assert fallen > 3 * risen


def test_a_mouth_that_seems_far_too_wide_for_a_face_is_believed_by_a_quarter() -> None:
    usual, absurd = rest(), rest(3.0)
    smile = Expression(weights=blendshapes.weights({"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0}))

    def wider(driving: RestFace, own: RestFace) -> float:
        return mouth_width(Shape(face_model(), driving)(own, own.head, smile)) - mouth_width(
            own.head
        )

    assert 1.0 < wider(usual, absurd) / wider(usual, usual) < 1.3
    assert 0.7 < wider(absurd, usual) / wider(usual, usual) < 1.0


def test_a_shorter_face_drops_its_jaw_less_far() -> None:
    face = rest()
    short = replace(face, head=face.head * np.array([1, 0.85, 1], np.float32))
    shape = Shape(face_model(), face)
    far, near = (
        float((shape(who, who.head, seen(gap=0.2, jawOpen=1.0)) - who.head)[landmarks.CHIN, 1])
        for who in (face, short)
    )
    assert near == pytest.approx(0.85 * far, rel=0.02)
    up, low = INNER[len(INNER) // 2]
    open_ = shape(short, short.head, seen(gap=0.2, jawOpen=1.0))
    assert np.linalg.norm(open_[low] - open_[up]) == pytest.approx(0.85 * 0.2, rel=0.02)


@pytest.mark.parametrize("gap", [1.1 * CONTACT, 0.03, 0.1])
def test_a_mouth_torn_open_in_the_photo_closes_to_the_gap_that_is_seen(gap: float) -> None:
    face = rest()
    shouting = face.head + face_model().displacement(blendshapes.weights({"jawOpen": 1.0}))
    mesh = Shape(face_model(), face)(face, shouting, seen(gap=gap))
    assert np.linalg.norm(mesh[14] - mesh[13]) == pytest.approx(gap, rel=0.01)


def test_lips_measured_in_contact_touch_along_the_whole_line() -> None:
    face = rest()
    mesh = Shape(face_model(), face)(face, face.head, seen(gap=CONTACT / 2, jawOpen=0.3))
    gaps = [np.linalg.norm(mesh[low] - mesh[up]) for up, low in INNER]
    assert max(gaps) < 1e-5


def test_an_open_mouth_opens_as_far_as_measured() -> None:
    face = rest()
    mesh = Shape(face_model(), face)(face, face.head, seen(gap=0.2, jawOpen=0.5))
    up, low = INNER[len(INNER) // 2]
    assert np.linalg.norm(mesh[low] - mesh[up]) == pytest.approx(0.2, rel=0.05)


def test_what_is_said_moves_a_mouth_just_as_the_shapes_it_is_made_of() -> None:
    said = blendshapes.weights({"mouthSmileLeft": 0.8, "mouthFunnel": 0.3, "jawOpen": 0.5})
    wide = rest(1.3)
    moved = Shape(face_model(), None)(wide, wide.head, Expression(weights=said)) - wide.head
    lips = [*landmarks.LIPS_OUTER_UPPER, *landmarks.LIPS_OUTER_LOWER, landmarks.CHIN]
    np.testing.assert_allclose(moved[lips], face_model().displacement(said)[lips], atol=1e-5)


def test_a_wide_mouth_smiles_wider_and_its_jaw_opens_no_farther() -> None:
    narrow, wide = rest(), rest(1.2)
    shape = Shape(face_model(), narrow)
    smile = Expression(weights=blendshapes.weights({"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0}))
    gain = [
        mouth_width(shape(face, face.head, smile)) - mouth_width(face.head)
        for face in (narrow, wide)
    ]
    assert gain[1] > 1.05 * gain[0] > 0
    jaw = Expression(weights=blendshapes.weights({"jawOpen": 1.0}))
    drop = [
        shape(face, face.head, jaw)[landmarks.CHIN, 1] - face.head[landmarks.CHIN, 1]
        for face in (narrow, wide)
    ]
    assert drop[1] == pytest.approx(drop[0], rel=1e-3)
