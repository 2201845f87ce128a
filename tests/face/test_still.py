"""A face is found in a picture of a person and in nothing else."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
import skimage.data
from faces import astronaut, frame, head, on, stranger, wall
from outside import tracker

from retarget.errors import NoFaceFound, UnreadableInput
from retarget.face.settings import CHOICES
from retarget.face.still import find_face
from retarget.face.track import Track
from retarget.flow.report import Report
from retarget.flow.values import VideoFrame


@pytest.mark.parametrize(
    "name",
    ["chelsea", "coffee", "rocket", "coins", "brick", "grass", "gravel", "page", "clock", "text",
     "colorwheel", "moon", "horse", "hubble_deep_field", "retina", "immunohistochemistry"],
)  # fmt: skip
def test_what_is_no_human_face_is_refused(name: str) -> None:
    try:
        picture = getattr(skimage.data, name)()
    except (OSError, ModuleNotFoundError):  # not in scikit-image's wheel, and nothing is fetched
        pytest.skip(f"scikit-image does not carry {name}")
    if picture.dtype == bool:
        picture = picture * np.uint8(255)
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    with pytest.raises(NoFaceFound, match="No human face"):
        find_face(frame(picture[..., :3].astype(np.uint8)), tracker(), Report())


def test_noise_is_no_face() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (512, 512, 3)).astype(np.uint8)
    with pytest.raises(NoFaceFound):
        find_face(frame(noise), tracker(), Report())


def test_a_single_picture_that_drives_is_not_called_a_video() -> None:
    picture = replace(frame(np.full((256, 256, 3), 128, np.uint8)), duration=Fraction(0))
    with pytest.raises(NoFaceFound, match="No human face found in the picture"):
        list(Track(tracker(), Report())(iter([picture])))


def test_a_man_seen_from_the_side_is_found() -> None:
    grey = np.repeat(skimage.data.camera()[..., None], 3, axis=2)
    report = Report()
    assert find_face(frame(grey), tracker(), report).eye_distance > 25
    assert "soft" in report.warnings[0]  # about 75 pixels wide


def test_a_picture_of_40_pixels_is_refused_in_a_sentence() -> None:
    tiny = cv2.resize(head(astronaut()), (40, 40), interpolation=cv2.INTER_AREA)
    with pytest.raises(UnreadableInput, match="40x40"):
        find_face(frame(tiny), tracker(), Report())


def test_a_face_of_few_pixels_in_a_large_picture_is_refused_in_a_sentence() -> None:
    small = cv2.resize(head(astronaut()), (70, 70), interpolation=cv2.INTER_AREA)
    with pytest.raises(UnreadableInput, match="pixels wide"):
        find_face(frame(on(wall(), small, 250, 250)), tracker(), Report())


def pair(scale: float) -> VideoFrame:
    """A stranger, in this part of her size, beside the astronaut."""
    other = cv2.resize(head(stranger()), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return frame(on(on(wall(600, 300), head(astronaut()), 450, 150), other, 120, 150))


def test_a_picture_of_faces_of_like_size_is_refused_until_one_is_named() -> None:
    with pytest.raises(UnreadableInput, match=r"two\.png shows 2 faces") as refused:
        find_face(pair(1.0), tracker(), Report(), called="two.png")
    for which in ("group.jpg#left", *CHOICES):
        assert which in refused.value.do
    for which, x in (("0", 120), ("right", 450)):
        report = Report()
        face = find_face(pair(1.0), tracker(which=which), report)
        assert face.points[1, 0] == pytest.approx(x, abs=40)
        assert report.warnings == []


def test_a_smaller_face_beside_the_largest_is_only_mentioned() -> None:
    report = Report()
    face = find_face(pair(0.8), tracker(), report, called="two.png")
    assert face.points[1, 0] == pytest.approx(450, abs=40)
    assert ["two.png shows several faces" in line for line in report.warnings] == [True]


def test_a_number_that_no_face_has_is_answered_with_choices_that_any_picture_has() -> None:
    alone = on(wall(), head(astronaut()), 250, 250)
    with pytest.raises(NoFaceFound, match="1 face, so there is no face number 2") as refused:
        find_face(frame(alone), tracker(which="2"), Report())
    assert "right, left or the nearest pixel (320,240)" in refused.value.do
    for which in ("right", "left", "320,240"):
        find_face(frame(alone), tracker(which=which), Report())


def test_a_turned_head_keeps_its_tilt() -> None:
    matrix = cv2.getRotationMatrix2D((223, 125), 25, 1.0)  # counterclockwise in the picture
    tilted = cv2.warpAffine(astronaut(), matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    right, left = find_face(frame(tilted), tracker(), Report()).points[[33, 263], :2]
    angle = np.degrees(np.arctan2(left[1] - right[1], left[0] - right[0]))
    assert angle == pytest.approx(-25 + 3, abs=4)  # her eyes slope by 3 degrees to begin with
