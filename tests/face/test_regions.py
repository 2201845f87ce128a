"""Regions: cutting out and putting back are inverse, at every size and turn."""

from __future__ import annotations

import numpy as np
import pytest
from faces import astronaut, wall
from hypothesis import given
from hypothesis.strategies import floats

from retarget.face.region import Region, overlap


def spot(width: int, height: int, x: float, y: float, radius: float) -> np.ndarray:
    """A bright soft spot on black, centred on (x, y) in pixel centres."""
    rows, columns = np.mgrid[:height, :width]
    near = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2))
    return np.repeat((255 * near)[..., None], 3, axis=2).astype(np.uint8)


def middle_of(picture: np.ndarray) -> np.ndarray:
    weight = picture[..., 0].astype(float)
    rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]]
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


@pytest.mark.parametrize(
    ("side", "turn"), [(150, 0.0), (150, 0.6), (420, 0.0), (900, -1.2), (1300, 3.0)]
)
def test_a_spot_comes_back_to_where_it_was_in_the_frame(side: float, turn: float) -> None:
    frame = spot(1000, 800, 530.0, 390.0, radius=side / 40)
    region = Region(x=500.0, y=400.0, side=side, turn=turn)
    matrix = region.to_frame(192)
    back = matrix[:, :2] @ middle_of(region.cut(frame, 192, black=True)) + matrix[:, 2]
    np.testing.assert_allclose(back, (530, 390), atol=0.02 * side / 192 * 10)


def test_a_large_region_is_averaged_not_only_sampled() -> None:
    noise = np.random.default_rng(0).normal(127, 40, (1024, 1024, 1)).clip(0, 255)
    frame = np.repeat(noise, 3, axis=2).astype(np.uint8)
    one_sample = frame.std() * 2 / 3  # what linear interpolation between four pixels leaves
    assert Region(x=512, y=512, side=1000).cut(frame, 100).std() < 0.6 * one_sample


@pytest.mark.parametrize("side", [700, 1500, 3000])
def test_of_a_large_region_every_pixel_counts(side: int) -> None:
    """Of grain as fine as a pixel is left what a mean over all pixels of a place leaves."""
    noise = np.random.default_rng(0).normal(127, 40, (2048, 2048, 1)).clip(0, 255)
    frame = np.repeat(noise, 3, axis=2).astype(np.uint8)
    crop = Region(x=1024, y=1024, side=side, turn=0.3).cut(frame, 96)[20:76, 20:76]
    assert crop.std() < 1.5 * frame.std() * 96 / side


@pytest.mark.parametrize(("width", "height"), [(1, 1500), (2, 2), (1501, 3)])
def test_a_region_of_a_narrow_frame_is_still_a_picture(width: int, height: int) -> None:
    frame = np.full((height, width, 3), 90, np.uint8)
    assert Region(x=0.5, y=1, side=1500).cut(frame, 96).max() == 90


def test_beyond_the_border_is_its_colour_or_black() -> None:
    region = Region(x=0, y=256, side=400)
    assert region.cut(wall(), 64)[32, 0, 0] == wall()[256, 0, 0]
    assert region.cut(wall(), 64, black=True)[32, 0, 0] == 0


def test_a_region_wholly_outside_is_still_a_picture() -> None:
    assert Region(x=-900, y=-900, side=500).cut(astronaut(), 100, black=True).max() == 0


@given(x=floats(0, 100), y=floats(0, 100), side=floats(1, 100))
def test_overlap_is_one_with_itself_symmetric_and_at_most_one(
    x: float, y: float, side: float
) -> None:
    one, two = Region(x=x, y=y, side=side), Region(x=50, y=50, side=50)
    assert overlap(one, one) == pytest.approx(1)
    assert overlap(one, two) == pytest.approx(overlap(two, one))
    assert 0 <= overlap(one, two) <= 1
