"""Two pictures of one person are told from pictures of two."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from outside import tracker

from retarget.face.likeness import ANOTHER, edges, unlikeness
from retarget.face.still import find_face
from retarget.flow.arrays import Picture
from retarget.flow.report import Report
from retarget.flow.values import Instant, VideoFrame
from retarget.source.open import open_source
from tests.faces import astronaut

SAMPLES = Path(__file__).parents[2] / "samples"


def seen(rgb: Picture) -> np.ndarray:
    frame = VideoFrame(rgb=np.ascontiguousarray(rgb), index=0, at=Instant(0, Fraction(1)))
    return edges(frame.rgb, find_face(frame, tracker(), Report()))


@cache
def driver(count: int = 4) -> list[np.ndarray]:
    with open_source(str(SAMPLES / "drive.mp4")) as clip:
        return [seen(frame.rgb) for frame in clip.sample(count)]


def in_other_light(rgb: Picture) -> Picture:
    side = np.linspace(0.7, 1.2, rgb.shape[1])[None, :, None]
    lit = 255 * (rgb / 255.0) ** 1.4 * side * np.array([1.1, 1.0, 0.85])
    return np.clip(lit, 0, 255).astype(np.uint8)


def tilted(rgb: Picture) -> Picture:
    height, width = rgb.shape[:2]
    matrix = cv2.getRotationMatrix2D((width * 0.45, height * 0.25), 12, 0.8)
    return np.asarray(cv2.warpAffine(rgb, matrix, (width, height)), np.uint8)


@pytest.mark.parametrize("change", [in_other_light, tilted])
def test_the_same_person_in_another_light_or_place_is_no_stranger(
    change: Callable[[Picture], Picture],
) -> None:
    assert unlikeness(seen(astronaut()), seen(change(astronaut()))) < ANOTHER


def test_a_person_who_speaks_is_no_stranger() -> None:
    first, *others = driver()
    assert max(unlikeness(first, other) for other in others) < ANOTHER


def test_two_persons_are_strangers() -> None:
    one = seen(astronaut())
    assert min(unlikeness(one, other) for other in driver()) > ANOTHER


def test_a_face_is_like_itself_and_as_unlike_another_as_that_is_unlike_it() -> None:
    one, two = seen(astronaut()), driver()[0]
    assert unlikeness(one, one) == pytest.approx(0.0, abs=1e-5)
    assert unlikeness(one, two) == pytest.approx(unlikeness(two, one), abs=1e-6)
