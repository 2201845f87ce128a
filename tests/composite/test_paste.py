"""Generated pixels join the photo; what lies outside them stays bit for bit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from retarget.composite.paste import Paste, match_color
from retarget.composite.settings import PasteSettings
from retarget.composite.side_by_side import SideBySide
from retarget.flow import blendshapes, landmarks
from retarget.flow.crop import Crop
from retarget.flow.values import (
    Expression,
    Face,
    FaceRequest,
    GeneratedFace,
    HeadPose,
    Identity,
    Instant,
    RestFace,
    VideoFrame,
)


def photo(width: int = 160, height: int = 120) -> npt.NDArray[np.uint8]:
    """A picture with a gradient and some grain."""
    y, x = np.mgrid[:height, :width]
    base = np.stack([x + 20, y + 40, (x + y) // 2 + 30], -1)
    grain = np.random.default_rng(3).integers(-6, 7, base.shape)
    return np.clip(base + grain, 0, 255).astype(np.uint8)


def request(rgb: npt.NDArray[np.uint8]) -> FaceRequest:
    points = np.zeros((landmarks.COUNT, 3), np.float32)
    pose = HeadPose(rotation=np.eye(3), translation=np.zeros(3), scale=50.0)
    still = Expression(weights=np.zeros(blendshapes.COUNT, np.float32))
    rest = RestFace(
        head=points,
        aperture=np.full(2, 0.3, np.float32),
        gaze=np.zeros((2, 2), np.float32),
        lip_gap=0.0,
    )
    frame = VideoFrame(rgb=rgb, index=0, at=Instant(0, Fraction(1, 25)))
    identity = Identity(
        frame=frame, face=Face(points=points), pose=pose, expression=still, rest=rest
    )
    return FaceRequest(
        index=7,
        at=Instant(7, Fraction(1, 25)),
        duration=Fraction(1, 25),
        identity=identity,
        expression=still,
        pose=pose,
        points=points,
    )


def pasted(face: GeneratedFace, **settings: bool) -> npt.NDArray[np.uint8]:
    (finished,) = Paste(PasteSettings(**settings))(iter([face]))
    assert finished.frame.index == 7
    return finished.frame.rgb


def test_a_crop_of_the_frames_own_pixels_is_copied_and_nothing_else_moves() -> None:
    rgb = photo()
    new = np.full((30, 40, 3), 200, np.uint8)
    out = pasted(GeneratedFace(request=request(rgb), rgb=new, crop=Crop.box(50, 20, 40, 30)))
    np.testing.assert_array_equal(out[20:50, 50:90], new)
    out[20:50, 50:90] = rgb[20:50, 50:90]
    np.testing.assert_array_equal(out, rgb)


@pytest.mark.parametrize(("left", "top"), [(-10, -5), (150, 100), (-30, 20)])
def test_a_crop_that_reaches_beyond_the_picture_is_copied_as_far_as_it_lies_in_it(
    left: int, top: int
) -> None:
    rgb = photo()
    around = np.pad(rgb, ((40, 40), (40, 40), (0, 0)))
    around[40 + top : 70 + top, 40 + left : 80 + left] = 200
    new = np.full((30, 40, 3), 200, np.uint8)
    out = pasted(GeneratedFace(request=request(rgb), rgb=new, crop=Crop.box(left, top, 40, 30)))
    np.testing.assert_array_equal(out, around[40:-40, 40:-40])


def test_pixels_that_are_not_their_crops_cannot_be_a_face() -> None:
    asked, crop, new = request(photo()), Crop.box(0, 0, 40, 30), np.zeros((30, 40, 3), np.uint8)
    with pytest.raises(ValueError, match="float64"):  # 0..1 would come out black
        GeneratedFace(request=asked, rgb=np.asarray(new / 255), crop=crop)
    with pytest.raises(ValueError, match=r"rgb must be \(30, 40, 3\)"):
        GeneratedFace(request=asked, rgb=new[:20], crop=crop)
    with pytest.raises(ValueError, match=r"mask must be \(30, 40\)"):
        GeneratedFace(request=asked, rgb=new, crop=crop, mask=new[:20, :, 0])


def test_the_identitys_own_picture_is_never_written_to() -> None:
    rgb = photo()
    before = rgb.copy()
    new = np.full((30, 40, 3), 200, np.uint8)
    pasted(GeneratedFace(request=request(rgb), rgb=new, crop=Crop.box(0, 0, 40, 30)))
    np.testing.assert_array_equal(rgb, before)


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
def test_a_scaled_crop_of_the_photo_itself_leaves_the_photo_as_it_was(scale: float) -> None:
    import cv2

    rgb = cv2.GaussianBlur(photo(), (0, 0), 3)  # so that resampling itself loses nothing
    crop = Crop(to_frame=np.array([[scale, 0, 30.0], [0, scale, 20.0]]), size=(64, 48))
    inverse = crop.to_crop
    cut = cv2.warpAffine(rgb, inverse, crop.size, flags=cv2.INTER_CUBIC, borderMode=1)
    mask = np.zeros((48, 64), np.uint8)
    mask[6:-6, 6:-6] = 255
    out = pasted(
        GeneratedFace(request=request(rgb), rgb=np.asarray(cut, np.uint8), crop=crop, mask=mask),
        match_color=False,
    )
    assert np.abs(out.astype(int) - rgb).max() <= 4


@pytest.mark.parametrize("scale", [0.3, 0.7, 1.6])
def test_a_point_of_the_crop_lands_where_its_place_says_to_a_part_of_a_pixel(scale: float) -> None:
    turn = scale * np.array([[0.8, -0.6], [0.6, 0.8]])
    crop = Crop(to_frame=np.hstack([turn, [[70.2], [25.7]]]), size=(101, 83))
    point = np.array([[40.0, 50.0]])
    rows, columns = np.mgrid[:83, :101]
    away = np.square(columns - point[0, 0]) + np.square(rows - point[0, 1])
    blot = 200 * np.exp(-away / (2 * (5 / scale) ** 2))  # of one size in the frame
    face = np.repeat(np.rint(blot).astype(np.uint8)[..., None], 3, axis=2)
    black = np.zeros((200, 300, 3), np.uint8)
    out = pasted(GeneratedFace(request=request(black), rgb=face, crop=crop), match_color=False)
    light = out[..., 0].astype(float)
    light[light < 60] = 0
    rows, columns = np.indices(light.shape)
    found = [(columns * light).sum() / light.sum(), (rows * light).sum() / light.sum()]
    assert found == pytest.approx(crop.points_to_frame(point)[0], abs=0.1)


@pytest.mark.parametrize("corner", [(-30.0, -20.0), (130.0, -20.0), (-30.0, 90.0), (130.0, 90.0)])
def test_a_crop_fills_what_of_it_lies_in_the_frame_and_no_more(
    corner: tuple[float, float],
) -> None:
    crop = Crop(to_frame=np.array([[1.5, 0, corner[0]], [0, 1.5, corner[1]]]), size=(40, 30))
    white = np.full((30, 40, 3), 255, np.uint8)
    black = np.zeros((120, 160, 3), np.uint8)
    out = pasted(GeneratedFace(request=request(black), rgb=white, crop=crop), match_color=False)
    rows, columns = np.mgrid[:120, :160]
    x, y = (columns - corner[0]) / 1.5, (rows - corner[1]) / 1.5  # in the crop's own pixels
    well_inside = (x >= 0) & (x <= 39) & (y >= 0) & (y <= 29)
    outside = (x < -1) | (x > 40) | (y < -1) | (y > 30)
    assert well_inside.any()
    assert out[well_inside].min() == 255
    assert out[outside].max() == 0


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.5])
def test_all_four_edges_of_a_crop_fade_alike(scale: float) -> None:
    crop = Crop(to_frame=np.array([[scale, 0, 50.0], [0, scale, 30.0]]), size=(21, 21))
    white, black = np.full((21, 21, 3), 255, np.uint8), np.zeros((120, 160, 3), np.uint8)
    out = pasted(GeneratedFace(request=request(black), rgb=white, crop=crop), match_color=False)
    size = round(20 * scale)  # from the middle of its first pixel to that of its last
    around = out[30 - 5 : 30 + size + 6, 50 - 5 : 50 + size + 6].astype(int)
    assert around.max() == 255
    assert np.abs(around - np.rot90(around)).max() <= 1


def test_a_crop_that_reaches_over_the_border_is_cut() -> None:
    rgb = photo()
    crop = Crop(to_frame=np.array([[1.5, 0, 120.0], [0, 1.5, 90.0]]), size=(64, 48))
    face = GeneratedFace(
        request=request(rgb),
        rgb=np.zeros((48, 64, 3), np.uint8),
        crop=crop,
        mask=np.full((48, 64), 255, np.uint8),
    )
    out = pasted(face, match_color=False)
    assert out.shape == rgb.shape
    assert out[100:, 140:].max() == 0
    np.testing.assert_array_equal(out[:80], rgb[:80])


def test_a_crop_beside_the_frame_changes_nothing() -> None:
    rgb = photo()
    crop = Crop(to_frame=np.array([[1.5, 0, 500.0], [0, 1.5, 90.0]]), size=(64, 48))
    black = np.zeros((48, 64, 3), np.uint8)
    np.testing.assert_array_equal(
        pasted(GeneratedFace(request=request(rgb), rgb=black, crop=crop)), rgb
    )


def test_a_face_with_a_color_cast_is_brought_to_the_photos_color() -> None:
    rgb = photo()
    cast = np.clip(rgb.astype(int) + (40, 0, -30), 0, 255).astype(np.uint8)
    weight = np.ones(rgb.shape[:2], np.float32)
    off_before = np.abs(cast.mean((0, 1)) - rgb.mean((0, 1))).max()
    off_after = np.abs(match_color(cast, rgb, weight).mean((0, 1)) - rgb.mean((0, 1))).max()
    assert off_after < off_before / 5


def test_a_face_of_which_hardly_a_pixel_is_shown_keeps_its_colour() -> None:
    rgb = photo()
    np.testing.assert_array_equal(
        match_color(rgb // 2, rgb, np.zeros((120, 160), np.float32)), rgb // 2
    )


def test_the_faint_grain_of_a_flat_face_is_not_blown_up_to_the_photos_contrast() -> None:
    checks = np.indices((40, 40)).sum(axis=0)[..., None] % 2
    flat, rich = (np.tile(128 + d * (2 * checks - 1), 3).astype(np.uint8) for d in (6, 60))
    out = match_color(flat, rich, np.ones((40, 40), np.float32))
    assert np.ptp(flat) < np.ptp(out) < 2 * np.ptp(flat)


def test_a_preview_without_driving_pixels_shows_identity_and_result() -> None:
    rgb = photo()
    face = GeneratedFace(
        request=request(rgb), rgb=np.full((30, 40, 3), 9, np.uint8), crop=Crop.box(50, 20, 40, 30)
    )
    wide = SideBySide((160, 120), None)(next(Paste(PasteSettings())(iter([face]))))
    assert wide.frame.size == (320, 120)
    np.testing.assert_array_equal(wide.frame.rgb[:, :160], rgb)
    assert wide.frame.rgb[35, 160 + 70].max() == 9
