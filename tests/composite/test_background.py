"""Another background: who stands before it takes on some of its light, and no more."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from retarget.composite.background import covering, in_light_of, laid_over, without_person
from retarget.composite.matte import Cutout


def lab(rgb: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))


def person() -> Cutout:
    """Somebody in warm colours, lit from one side."""
    shade = np.linspace(60, 210, 60)[None, :, None] * np.array([1.0, 0.8, 0.7])
    rgb = np.broadcast_to(shade, (80, 60, 3)).astype(np.uint8)
    return Cutout(rgb=rgb, share=np.ones((80, 60), np.float32))


@pytest.mark.parametrize("wall", [(10, 15, 60), (250, 250, 255)])
def test_a_person_goes_towards_the_light_of_a_wall_but_keeps_colours_and_contrast(
    wall: tuple[int, int, int],
) -> None:
    before, there = lab(person().rgb), np.full((40, 40, 3), wall, np.uint8)
    wanted = lab(there).mean((0, 1)) - before.mean((0, 1))
    went = lab(in_light_of(person(), there, 1.0)).mean((0, 1)) - before.mean((0, 1))
    assert (np.sign(went) == np.sign(wanted)).all()
    assert (np.abs(went) < np.abs(wanted)).all()
    assert 8 < abs(went[0]) < 28
    assert np.abs(went[1:]).max() < 14
    spread = lab(in_light_of(person(), there, 1.0))[..., 0].std()
    assert spread == pytest.approx(before[..., 0].std(), rel=0.3)


def test_no_light_is_taken_on_where_none_is_asked_for() -> None:
    there = np.full((40, 40, 3), (10, 15, 60), np.uint8)
    np.testing.assert_array_equal(in_light_of(person(), there, 0.0), person().rgb)


def test_a_person_covers_a_background_as_far_as_they_are_there() -> None:
    wall, share = np.full((80, 60, 3), 40, np.uint8), np.linspace(0, 1, 60)[None].repeat(80, 0)
    out = laid_over(wall, np.full_like(wall, 240), share.astype(np.float32))
    np.testing.assert_allclose(out[5, :, 1], np.linspace(40, 240, 60), atol=0.51)


def test_where_a_person_stood_the_wall_goes_on() -> None:
    wall = np.broadcast_to(np.linspace(80, 200, 120)[:, None, None], (120, 160, 3))
    share = np.zeros((120, 160), np.float32)
    share[30:120, 60:100] = 1.0
    rgb = np.where(share[..., None] > 0, 255, wall).astype(np.uint8)
    off = np.abs(without_person(rgb, share, 2.0).astype(float) - wall)
    assert off.max() < 40
    assert off.mean() < 6


@pytest.mark.parametrize("size", [(60, 60), (200, 40), (37, 91)])
def test_a_picture_that_covers_a_place_keeps_its_form_and_its_middle(size: tuple[int, int]) -> None:
    rgb = np.zeros((80, 120, 3), np.uint8)
    cv2.circle(rgb, (60, 40), 8, (255, 255, 255), -1)
    out = covering(rgb, size)
    assert out.shape == (size[1], size[0], 3)
    rows, columns = np.nonzero(out[..., 0] > 127)
    assert (columns.mean(), rows.mean()) == pytest.approx(np.array(size) / 2, abs=1.5)
    assert np.ptp(columns) == pytest.approx(np.ptp(rows), abs=2)
