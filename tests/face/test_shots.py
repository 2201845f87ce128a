"""Cuts are told from flashes, fades, pans and shakes."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from faces import astronaut, moved, stranger

from retarget.face.shots import Change, Shots
from retarget.flow.arrays import Picture


def changes(pictures: list[Picture]) -> list[int]:
    """Indices of the frames that are not surely of the same shot."""
    shots = Shots()
    return [i for i, picture in enumerate(pictures) if shots.change(picture) is not Change.NONE]


def lit(picture: Picture, gain: float, lift: float = 0.0) -> Picture:
    return np.clip(picture.astype(float) * gain + lift, 0, 255).astype(np.uint8)


def coffee() -> Picture:
    return np.ascontiguousarray(skimage.data.coffee())


def test_a_cut_is_seen_on_the_first_frame_of_the_new_shot() -> None:
    assert changes([astronaut()] * 5 + [coffee()] * 5) == [5]


def test_a_cut_through_black_is_seen_when_the_new_shot_begins() -> None:
    black = np.zeros_like(astronaut())
    assert changes([astronaut()] * 3 + [black] * 9 + [coffee()] * 3) == [12]


@pytest.mark.parametrize(
    "flash",
    [lit(astronaut(), 1.0, 110), lit(astronaut(), 2.0), np.full((512, 512, 3), 255, np.uint8)],
)
def test_a_flash_is_no_cut(flash: Picture) -> None:
    assert changes([astronaut()] * 3 + [flash] + [astronaut()] * 3) == []


def test_a_fade_is_no_cut() -> None:
    assert changes([lit(astronaut(), gain) for gain in np.linspace(1, 0, 25)]) == []


def test_a_quick_pan_is_no_cut() -> None:
    assert changes([moved(astronaut(), 45 * i, 0) for i in range(6)]) == []


def test_a_shaken_camera_is_no_cut() -> None:
    rng = np.random.default_rng(1)
    assert changes([moved(astronaut(), *rng.uniform(-35, 35, 2)) for _ in range(20)]) == []


def test_noise_is_no_cut() -> None:
    rng = np.random.default_rng(1)
    pictures = [lit(astronaut(), 1.0) for _ in range(8)]
    noisy = [np.clip(p + rng.normal(0, 20, p.shape), 0, 255).astype(np.uint8) for p in pictures]
    assert changes(noisy) == []


def test_cutting_back_and_forth_is_seen_every_time_once_a_shot_has_lasted() -> None:
    one, two = [astronaut()] * 6, [stranger()] * 6
    assert changes([*one, *two, *one]) == [6, 12]


def test_the_size_of_the_picture_does_not_matter() -> None:
    one, two = (np.kron(p, np.ones((3, 3, 1), np.uint8)) for p in (astronaut(), coffee()))
    assert changes([one] * 2 + [two] * 2) == [2]
