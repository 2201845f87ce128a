"""Who it is, where the crops lie, and what the expression encoder reads."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from retarget.errors import MissingModel, NoFaceFound
from retarget.flow import flame, landmarks
from retarget.flow.crop import Crop
from retarget.flow.flame import FlameExpression
from retarget.flow.lay import lay
from retarget.generate.diffusion import align, identity
from retarget.generate.diffusion.smirk import (
    SmirkEncoder,
    SmirkPoseEncoder,
    _Encoder,
    _PoseEncoder,
    _Same,
)

from . import scene, tiny
from .onnx_file import node, write_onnx

FIVE = np.array([[40.0, 50.0], [72.0, 52.0], [57.0, 70.0], [44.0, 90.0], [70.0, 91.0]])


def turned(
    points: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]
) -> np.ndarray:
    angle = np.radians(degrees)
    spin = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ spin.T + shift


@pytest.mark.parametrize("turn", [-150.0, 0.0, 35.0])
@pytest.mark.parametrize(("scale", "x"), [(0.3, 0.0), (1.0, 90.0), (12.0, -400.0)])
def test_a_face_that_moves_takes_its_crops_along(turn: float, scale: float, x: float) -> None:
    """The same points of the face lie at the same places of the crop, however it is held."""
    mesh = scene.points(scene.pose(), scene.doing())[:, :2].astype(np.float64)
    moved = turned(mesh, turn, scale, (x, -x))
    before, after = (align.ffhq(m, 512).points_to_crop(m) for m in (mesh, moved))
    np.testing.assert_allclose(before, after, atol=1e-6)
    one, two = (
        align.arcface(m).points_to_crop(m) for m in (FIVE, turned(FIVE, turn, scale, (x, x)))
    )
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_the_aligned_crop_is_a_square_as_the_data_set_defines_it() -> None:
    """Half its side is twice the eyes' distance or 1.8 times that to the mouth; here the latter."""
    mesh = np.zeros((478, 2))
    mesh[list(align._RIGHT_EYE)], mesh[list(align._LEFT_EYE)] = (100, 100), (160, 100)
    mesh[list(landmarks.MOUTH_CORNERS)] = (130, 170)
    crop = align.ffhq(mesh, 512)
    half = max(2.0 * 60, 1.8 * 70)
    corners = crop.points_to_frame(np.array([[-0.5, -0.5], [511.5, -0.5], [511.5, 511.5]]))
    middle = np.array([130, 107])
    wanted = middle + half * np.array([[-1, -1], [1, -1], [1, 1]])
    np.testing.assert_allclose(corners, wanted, atol=1e-9)


def test_the_recogniser_s_crop_lays_its_own_five_points_where_it_was_trained() -> None:
    moved = turned(align._ARCFACE, 30, 4, (200, 50))
    np.testing.assert_allclose(
        align.arcface(moved).points_to_crop(moved), align._ARCFACE, atol=1e-9
    )
    with pytest.raises(ValueError, match="keypoints"):
        align.arcface(np.zeros((5, 2)))


def test_no_similarity_lays_five_points_nearer_than_the_crop_does() -> None:
    best = np.square(align.arcface(FIVE).points_to_crop(FIVE) - align._ARCFACE).sum()
    for change in ([0.01, 0, 0, 0], [0, 0.01, 0, 0], [0, 0, 0.3, 0], [0, 0, 0, 0.3]):
        for sign in (1, -1):
            a, b, x, y = sign * np.array(change)
            to_crop = align.arcface(FIVE).to_crop
            to_crop = to_crop + np.array([[a, -b, x], [b, a, y]])
            laid = FIVE @ to_crop[:, :2].T + to_crop[:, 2]
            assert np.square(laid - align._ARCFACE).sum() > best


def test_the_expression_crop_is_the_box_of_the_mesh_enlarged() -> None:
    mesh = np.array([[100.0, 200.0], [180.0, 320.0]])
    crop = align.smirk(mesh)
    corners = crop.points_to_frame(np.array([[0.0, 0.0], [223.0, 223.0]]))
    np.testing.assert_allclose(corners, [[70, 190], [210, 330]])  # 140 = 1.4 times (80 + 120) / 2


def test_cutting_and_laying_back_returns_the_picture() -> None:
    rows, columns = np.mgrid[:96, :128]
    smooth = np.stack([rows * 2, columns, rows + columns], axis=-1).astype(np.uint8)
    crop = Crop(to_frame=np.array([[0.4, 0.1, 30.0], [-0.1, 0.4, 30.0]]), size=(96, 96))
    back = smooth.copy()
    lay(back, align.cut(smooth, crop), crop, None)
    assert np.abs(back[4:-4, 4:-4].astype(int) - smooth[4:-4, 4:-4]).max() <= 2
    lay(back := smooth.copy(), align.cut(smooth, crop), crop, np.zeros((96, 96), np.uint8))
    assert np.array_equal(back, smooth)


def test_a_fine_picture_is_averaged_not_picked_from() -> None:
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = Crop(to_frame=np.array([[8.0, 0, 3.5], [0, 8.0, 3.5]]), size=(48, 48))
    assert np.ptp(align.cut(stripes, crop)[2:-2, 2:-2].astype(int)) < 10
    picked = align.cut(
        stripes,
        Crop(to_frame=crop.to_frame - [[0, 0, 0.5], [0, 0, 0]], size=(48, 48)),
        smooth=False,
    )
    assert picked[:, 2:-2].mean() in (0, 255)


def test_a_crop_in_a_crop_leads_to_the_same_place_of_the_frame() -> None:
    inner = Crop(to_frame=np.array([[0.5, 0.1, 9.0], [-0.1, 0.5, 4.0]]), size=(10, 10))
    outer = Crop(to_frame=np.array([[2.0, 0.3, 1.0], [-0.3, 2.0, 7.0]]), size=(20, 20))
    points = np.array([[0.0, 0.0], [3.0, 8.0]])
    through = outer.points_to_frame(align.within(inner, outer).points_to_frame(points))
    np.testing.assert_allclose(through, inner.points_to_frame(points))


def unit(seed: int) -> np.ndarray:
    return identity.unit(np.random.default_rng(seed).standard_normal(512))


def test_several_photos_are_averaged_on_the_sphere() -> None:
    vectors = [unit(i) for i in range(3)]
    mean = identity.mean_identity(vectors)
    assert np.linalg.norm(mean) == pytest.approx(1, abs=1e-6)
    assert np.allclose(identity.mean_identity(vectors[:1]), vectors[0])
    nearness = [float(mean @ v) for v in vectors]
    assert min(nearness) > max(float(a @ b) for a in vectors for b in vectors if a is not b)


def test_photos_that_point_away_from_each_other_are_not_one_person() -> None:
    with pytest.raises(NoFaceFound, match="nothing in common"):
        identity.mean_identity([unit(0), -unit(0)])


def test_the_recogniser_does_not_mind_where_the_face_lies(models: Path) -> None:
    recogniser = identity.Recogniser(models / "antelopev2" / "arcface.onnx")
    small = cv2.resize(scene.picture().rgb, (200, 160), interpolation=cv2.INTER_LINEAR)
    large = cv2.resize(small, (400, 320), interpolation=cv2.INTER_LINEAR)
    one, two = recogniser(small, FIVE), recogniser(large, FIVE * 2 + 0.5)
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-6)
    assert float(one @ two) > 0.99
    assert float(one @ recogniser(small, FIVE + 30)) < 0.99


def test_a_network_that_is_no_recogniser_is_refused(tmp_path: Path, models: Path) -> None:
    path = tmp_path / "other.onnx"
    write_onnx(path, [node("Identity", ["x"], "y")], {}, ("x", (1, 3, 8, 8)), {"y": (1, 3, 8, 8)})
    with pytest.raises(MissingModel, match="not an ArcFace"):
        identity.Recogniser(path)
    with pytest.raises(MissingModel, match="not a face detector"):
        identity.Detector(path)
    path.write_bytes((models / "antelopev2" / "arcface.onnx").read_bytes()[:1000])
    with pytest.raises(MissingModel, match="damaged"):
        identity.Recogniser(path)
    with pytest.raises(MissingModel, match="missing"):
        identity.Recogniser(tmp_path / "absent.onnx")


def test_a_detector_s_cells_are_read_in_pixels() -> None:
    boxes, scores, points = identity.decode(tiny.face_at((1, 10, 20, 3.0, 0.9)))
    (found,) = np.flatnonzero(scores)
    np.testing.assert_allclose(boxes[found], [320 - 48, 160 - 48, 320 + 48, 160 + 48])
    np.testing.assert_allclose(points[found][[0, 2, 4]], [[304, 144], [320, 160], [336, 176]])


def test_the_largest_certain_face_is_taken_in_pixels_of_the_picture(tmp_path: Path) -> None:
    faces = [(0, 10, 10, 4.0, 0.9), (2, 10, 10, 3.0, 0.8), (1, 30, 30, 9.0, 0.3)]
    detector = identity.Detector(tiny.write_detector(tmp_path / "d.onnx", tiny.face_at(*faces)))
    light = np.full((320, 160, 3), 200, np.uint8)
    found = detector(light)
    assert found is not None
    np.testing.assert_allclose(found[2], [160, 160])  # the nose of the second, at half the scale
    nobody = identity.Detector(tiny.write_detector(tmp_path / "n.onnx", tiny.face_at()))
    assert nobody(light) is None
    assert detector(np.zeros_like(light)) is None


def test_a_photo_that_is_none_or_shows_nobody_is_named(models: Path, tmp_path: Path) -> None:
    recogniser = identity.Recogniser(models / "antelopev2" / "arcface.onnx")
    nobody = identity.Detector(tiny.write_detector(tmp_path / "n.onnx", tiny.face_at()))
    text, blank = tmp_path / "text.jpg", tmp_path / "blank.png"
    text.write_text("not a picture")
    cv2.imwrite(str(blank), np.zeros((64, 64, 3), np.uint8))
    absent = tmp_path / "x.jpg"
    for path, message in ((text, "not a picture"), (blank, "No face"), (absent, "not there")):
        with pytest.raises(NoFaceFound, match=message):
            identity.read_photo(path, recogniser, nobody)


@pytest.mark.parametrize(("size", "network"), [("large", _Encoder), ("small", _PoseEncoder)])
def test_the_encoder_of_the_library_computes_the_same(
    size: str, network: type[_Encoder | _PoseEncoder]
) -> None:
    timm = pytest.importorskip("timm", reason="compares with timm, which is not needed otherwise")
    name = f"tf_mobilenetv3_{size}_minimal_100"
    theirs = timm.create_model(name, features_only=True, pretrained=False).eval()
    ours = network().eval()
    ours.encoder.load_state_dict(theirs.state_dict())
    pixels = torch.rand(1, 3, 224, 224)
    torch.testing.assert_close(ours.encoder(pixels), theirs(pixels)[-1])


def test_padding_left_over_goes_right_and_below() -> None:
    window = _Same(1, 1, 3, stride=2, bias=False)
    window.weight.fill_(1.0)
    ones = torch.ones(1, 1, 4, 4)
    assert window(ones)[0, 0].tolist() == [[9.0, 6.0], [6.0, 4.0]]
    assert window(torch.ones(1, 1, 5, 5))[0, 0, 0].tolist() == [4.0, 6.0, 4.0]


def test_the_expression_file_is_read_and_its_limits_hold(models: Path) -> None:
    path = models / "smirk" / "SMIRK_em1.pt"
    crops = [align.cut(scene.picture(i).rgb, align.smirk(FIVE)) for i in range(3)]
    encoder = SmirkEncoder(path)
    seen = encoder.read(crops)
    assert len(seen) == 3
    for one, crop in zip(seen, crops, strict=True):
        alone = encoder.read([crop])[0].parameters
        np.testing.assert_allclose(one.parameters, alone, atol=1e-4, rtol=1e-4)
        assert (one.parameters[flame.EYELIDS] >= 0).all() and (
            one.parameters[flame.EYELIDS] <= 1
        ).all()
        assert one.parameters[52] >= 0 and (np.abs(one.parameters[53:]) <= np.float32(0.2)).all()


def test_the_pose_of_the_same_file_is_read_crop_by_crop(models: Path) -> None:
    encoder = SmirkPoseEncoder(models / "smirk" / "SMIRK_em1.pt")
    crops = [align.cut(scene.picture(i).rgb, align.smirk(FIVE)) for i in range(2)]
    crops.append(np.ascontiguousarray(crops[0][:, ::-1]))
    turned_to = encoder.read(crops)
    assert turned_to.shape == (3, 3)
    for row, crop in zip(turned_to, crops, strict=True):
        np.testing.assert_allclose(row, encoder.read([crop])[0], atol=1e-4, rtol=1e-4)
    assert np.abs(turned_to[0] - turned_to[2]).max() > 1e-3


def test_the_order_of_colors_is_the_one_asked_for(models: Path) -> None:
    path = models / "smirk" / "SMIRK_em1.pt"
    crop = align.cut(scene.picture().rgb, align.smirk(FIVE))
    rgb, bgr = SmirkEncoder(path), SmirkEncoder(path, order="bgr")
    turned_round = np.ascontiguousarray(crop[..., ::-1])
    assert np.array_equal(rgb.read([crop])[0].parameters, bgr.read([turned_round])[0].parameters)
    assert not np.array_equal(rgb.read([crop])[0].parameters, bgr.read([crop])[0].parameters)


def test_another_file_in_the_expression_encoder_s_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "SMIRK_em1.pt"
    torch.save({"smirk_encoder.shape_encoder.bias": torch.zeros(3)}, path)
    with pytest.raises(MissingModel, match="does not hold SMIRK's expression encoder"):
        SmirkEncoder(path)
    with pytest.raises(MissingModel, match="does not hold SMIRK's pose encoder"):
        SmirkPoseEncoder(path)
    tiny.write_smirk(path)
    state = torch.load(path, weights_only=True)
    del state["smirk_encoder.expression_encoder.encoder.conv_stem.weight"]
    torch.save(state, path)
    with pytest.raises(MissingModel, match="conv_stem"):
        SmirkEncoder(path)


def test_numbers_beyond_the_limits_are_brought_back() -> None:
    raw = np.full(flame.COUNT, -3.0)
    raw[51], raw[53] = 2.0, 0.1
    held = FlameExpression.limited(raw).parameters
    assert held[:50].tolist() == [-3.0] * 50
    assert held[50:].tolist() == pytest.approx([0.0, 1.0, 0.0, 0.1, -0.2])
