"""Finished RGB becomes what encoders take."""

from __future__ import annotations

import numpy as np
import pytest

from retarget.sink.codecs import CODECS
from retarget.sink.picture import FromRgb

BARS = {
    (255, 255, 255): (235, 128, 128), (255, 255, 0): (219, 16, 138), (0, 255, 255): (188, 154, 16),
    (0, 255, 0): (173, 42, 26), (255, 0, 255): (78, 214, 230), (255, 0, 0): (63, 102, 240),
    (0, 0, 255): (32, 240, 118), (0, 0, 0): (16, 128, 128),
}  # fmt: skip
"""Colour bars of full strength, as BT.709 writes them in 8 bits."""


@pytest.mark.parametrize(("colour", "wanted"), BARS.items())
def test_colour_bars_are_written_as_the_standard_has_them_to_the_last_pixel(
    colour: tuple[int, int, int], wanted: tuple[int, int, int]
) -> None:
    picture = np.full((37, 51, 3), colour, np.uint8)
    frame = FromRgb(CODECS["h264"], (51, 37))(picture)
    assert (frame.format.name, frame.width, frame.height) == ("yuv420p", 52, 38)
    for plane, value in zip(frame.planes, wanted, strict=True):
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        assert (rows[:, : plane.width] == value).all()


def test_a_grey_picture_gets_no_colour() -> None:
    greys = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    frame = FromRgb(CODECS["h264"], (16, 16))(greys)
    assert all(set(bytes(plane)[: plane.width]) == {128} for plane in frame.planes[1:])
