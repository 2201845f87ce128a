"""An expression becomes the identity's mesh: measured lids and lips are met exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats

from retarget.flow import blendshapes, landmarks
from retarget.flow.face_model import face_model
from retarget.flow.values import Expression, Measurement, RestFace
from retarget.transfer.settings import Gains, TransferSettings
from retarget.transfer.shape import CONTACT, Shape, mouth_width
from retarget.transfer.strength import Strength, region_shares
from tests.expression.acting import mirrored, mirrored_weights, person

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


def seen(
    aperture: tuple[float, float] = (1.0, 1.0), gap: float = 0.0, **named: float
) -> Expression:
    return Expression(
        weights=blendshapes.weights(named),
        measured=Measurement(
            gaze=np.zeros((2, 2), np.float32),
            aperture=np.array(aperture, np.float32),
            lip_gap=gap,
        ),
    )


def opening(mesh: np.ndarray, side: str) -> float:
    up, low = LIDS[side]
    return float(np.linalg.norm(mesh[low] - mesh[up]))


@given(left=floats(0, 1.4), right=floats(0, 1.4), blink=floats(0, 1))
def test_lids_open_as_far_as_measured_whatever_the_weights_say(
    left: float, right: float, blink: float
) -> None:
    face = rest()
    shape = Shape(face_model(), face)
    mesh = shape(face, face.head, seen((left, right), eyeBlinkLeft=blink))
    assert opening(mesh, "left") == pytest.approx(left * opening(face.head, "left"), abs=1e-4)
    assert opening(mesh, "right") == pytest.approx(right * opening(face.head, "right"), abs=1e-4)


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
    wide = Shape(face_model(), driving)(own, own.head, seen((1.5, 1.5)))
    parted = 0.5 * opening(driving.head, "left") * min(1.0, larger)
    assert opening(wide, "left") - opening(own.head, "left") == pytest.approx(parted, rel=0.05)
    back = Shape(face_model(), own)(driving, driving.head, seen((1.5, 1.5)))
    parted = 0.5 * opening(driving.head, "left") * min(1.0, larger)
    assert opening(back, "left") - opening(driving.head, "left") == pytest.approx(parted, rel=0.05)
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
def test_what_a_mesh_tells_too_little_of_goes_farther_seen_than_said(name: str, point: int) -> None:
    face = rest()
    shape = Shape(face_model(), face)
    named = {n: 0.6 for n in blendshapes.NAMES if n.startswith(name)}
    said = shape(face, face.head, Expression(weights=blendshapes.weights(named))) - face.head
    followed = shape(face, face.head, seen(**named)) - face.head
    assert np.linalg.norm(said[point]) > 0.005
    assert 1.1 < np.linalg.norm(followed[point]) / np.linalg.norm(said[point]) < 1.7


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


def test_shares_of_the_regions_sum_to_one_and_lie_where_the_region_is() -> None:
    shares = region_shares(face_model())
    np.testing.assert_allclose(sum(shares.values()), 1.0, atol=1e-5)
    assert shares["brows"][landmarks.LEFT_BROW[2]] > 0.5
    assert shares["jaw"][landmarks.CHIN] > 0.4
    assert shares["gaze"][landmarks.LEFT_IRIS[0]] > 0.5


def test_a_gain_of_nothing_keeps_the_region_at_rest_and_leaves_the_others() -> None:
    settings = TransferSettings(strength=1.0, gain=Gains(eyes=0.0, gaze=0.0))
    look = seen((0.0, 0.2), gap=0.1, jawOpen=0.5, eyeBlinkLeft=1.0, eyeLookUpLeft=0.5)
    calm = Strength(settings, face_model())(look)
    assert calm.measured is not None
    np.testing.assert_allclose(calm.measured.aperture, 1.0)
    assert calm.measured.lip_gap == pytest.approx(0.1)
    assert blendshapes.named(calm.weights, 0.01) == pytest.approx({"jawOpen": 0.5})


def gap_of(look: Expression, **gain: float) -> float:
    """The lip gap asked for with these gains, as a share of the gap that was seen."""
    settings = TransferSettings(strength=1.0, gain=Gains(**gain))
    scaled = Strength(settings, face_model())(look)
    assert look.measured is not None
    assert scaled.measured is not None
    return scaled.measured.lip_gap / look.measured.lip_gap


def test_lips_part_as_far_as_the_gains_of_what_parts_them_tell() -> None:
    jaw, lips = seen(gap=0.15, jawOpen=0.5), {"mouthLowerDownLeft": 0.4, "mouthLowerDownRight": 0.4}
    assert gap_of(jaw, jaw=2.0) > 1.7
    assert gap_of(jaw, jaw=0.0) < 0.05
    assert gap_of(jaw, mouth=2.0) < 1.1
    assert gap_of(jaw, mouth=0.0) > 0.8
    assert gap_of(seen(gap=0.1, **lips), mouth=2.0) > 1.7
    assert gap_of(seen(gap=0.1, **lips), mouth=0.0) < 0.05
    both = seen(gap=0.25, jawOpen=0.5, **lips)
    assert 1.2 < gap_of(both, mouth=2.0) < gap_of(both, jaw=2.0) < 1.8


@given(gain=floats(0, 2), jaw=floats(0, 0.5), lower=floats(0, 0.5))
def test_one_gain_for_jaw_and_mouth_is_the_gain_of_the_lips(
    gain: float, jaw: float, lower: float
) -> None:
    look = seen(gap=0.2, jawOpen=jaw, mouthLowerDownLeft=lower)
    assert gap_of(look, jaw=gain, mouth=gain) == pytest.approx(gain, rel=1e-4)


@given(jaw=floats(0, 1), close=floats(0, 1), lower=floats(0, 1))
def test_lips_part_as_seen_without_a_gain(jaw: float, close: float, lower: float) -> None:
    look = seen(gap=0.2, jawOpen=jaw, mouthClose=close, mouthLowerDownLeft=lower)
    assert gap_of(look) == 1.0


def test_a_jaw_that_drops_as_far_as_it_can_opens_the_mouth_no_farther() -> None:
    assert gap_of(seen(gap=0.4, jawOpen=1.0), jaw=3.0) == pytest.approx(1.0, abs=0.01)


@given(jaw=floats(0, 4), mouth=floats(0, 4), close=floats(0, 1))
def test_lips_that_touch_keep_touching_whatever_the_gains(
    jaw: float, mouth: float, close: float
) -> None:
    settings = TransferSettings(gain=Gains(jaw=jaw, mouth=mouth))
    scaled = Strength(settings, face_model())(seen(gap=0.0, jawOpen=close, mouthClose=close))
    assert scaled.measured is not None
    assert scaled.measured.lip_gap == 0.0


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.2])
def test_strength_multiplies_all_that_is_away_from_rest(strength: float) -> None:
    random = np.random.default_rng(4)
    look = seen((1.1, 1.2), gap=0.1, jawOpen=0.4, browInnerUp=0.3, eyeBlinkLeft=0.5)
    assert look.measured is not None
    gaze, detail = random.normal(size=(2, 2)), random.normal(scale=0.01, size=(478, 3))
    look = replace(
        look,
        measured=replace(
            look.measured, gaze=gaze.astype(np.float32), detail=detail.astype(np.float32)
        ),
    )
    scaled = Strength(TransferSettings(strength=strength), face_model())(look)
    assert scaled.measured is not None and look.measured is not None
    np.testing.assert_allclose(scaled.weights, strength * look.weights, atol=1e-6)
    np.testing.assert_allclose(scaled.measured.gaze, strength * gaze, atol=1e-5)
    np.testing.assert_allclose(
        scaled.measured.aperture - 1, strength * (look.measured.aperture - 1), atol=1e-6
    )
    assert scaled.measured.lip_gap == pytest.approx(strength * 0.1)
    np.testing.assert_allclose(scaled.measured.detail, strength * detail, atol=1e-5)


def test_of_the_shape_beyond_the_weights_as_much_is_passed_on_as_asked() -> None:
    look = seen()
    assert look.measured is not None
    detail = np.full((478, 3), 0.01, np.float32)
    look = replace(look, measured=replace(look.measured, detail=detail))
    for share in (0.0, 0.3, 1.0):
        settings = TransferSettings(strength=1.0, detail=share)
        measured = Strength(settings, face_model())(look).measured
        assert measured is not None
        np.testing.assert_allclose(measured.detail, share * detail, atol=1e-6)


@pytest.mark.parametrize("region", ["eyes", "gaze"])
def test_a_gain_and_the_strength_are_multiplied(region: str) -> None:
    look = seen((1.2, 1.1))
    assert look.measured is not None
    look = replace(look, measured=replace(look.measured, gaze=np.full((2, 2), 5, np.float32)))
    both, one = (
        Strength(TransferSettings(strength=s, gain=Gains(**{region: g})), face_model())(look)
        for s, g in ((1.5, 1.4), (1.5, 1.0))
    )
    assert both.measured is not None and one.measured is not None
    ratio = {
        "eyes": (both.measured.aperture - 1) / (one.measured.aperture - 1),
        "gaze": both.measured.gaze / one.measured.gaze,
    }
    for name, shown in ratio.items():
        np.testing.assert_allclose(shown, 1.4 if name == region else 1.0, rtol=1e-4)


def test_more_strength_narrows_eyes_as_told_but_shuts_none_that_is_open_by_a_slit() -> None:
    a_little, slit = 0.98, 0.1
    settings = TransferSettings(strength=1.3)
    measured = Strength(settings, face_model())(seen((a_little, slit))).measured
    assert measured is not None
    assert 1 - measured.aperture[0] == pytest.approx(1.3 * (1 - a_little), rel=0.03)
    assert 0.6 * slit < measured.aperture[1] < slit


def test_less_strength_leaves_a_blink_half_done() -> None:
    settings = TransferSettings(strength=0.5)
    measured = Strength(settings, face_model())(seen((0.0, 0.4))).measured
    assert measured is not None
    np.testing.assert_allclose(measured.aperture, [0.5, 0.7], atol=1e-6)


def test_eyes_under_a_large_gain_shut_but_neither_open_inside_out_nor_stare() -> None:
    settings = TransferSettings(gain=Gains(eyes=4.0))
    measured = Strength(settings, face_model())(seen((0.5, 1.5))).measured
    assert measured is not None
    assert measured.aperture[0] == 0
    assert 1.3 < measured.aperture[1] < 2


@given(gain=floats(0, 3))
def test_scaled_weights_stay_weights(gain: float) -> None:
    strength = Strength(TransferSettings(strength=gain), face_model())
    weights = strength(seen(gap=0.1, jawOpen=0.9, browInnerUp=0.4)).weights
    assert 0 <= weights.min() <= weights.max() <= 1
