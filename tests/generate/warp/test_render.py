"""The photo's pixels are read alike whether it stays or is shown once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from asked import ask, calm
from faces import astronaut

from retarget.generate.warp.flow import Grid
from retarget.generate.warp.render import Canvas, pixel_field
from retarget.generate.warp.rims import Rims
from retarget.generate.warp.warp import WarpGenerator


def test_a_picture_shown_once_is_as_sharp_as_one_that_stays() -> None:
    photo = np.ascontiguousarray(astronaut()[60:260, 130:330])
    once, often = Canvas(photo, passing=True), Canvas(photo, passing=False)
    grid = Grid(left=40, top=40, columns=13, rows=13, step=10)
    field = np.full((120, 120, 2), (3.5, -2.25), np.float32)
    field[:60] = 0.0
    one, other = once.moved(grid, field), often.moved(grid, field)
    assert np.abs(one.astype(int) - other).mean() < 0.25
    assert np.abs(one.astype(int) - photo).max() > 40  # it did move
    for drawn in (one, other):
        np.testing.assert_array_equal(drawn[:100], photo[:100])


def test_a_clips_picture_follows_as_a_photo_does(warp: WarpGenerator) -> None:
    smile = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}
    passing = replace(calm(), passing=True)
    rest, other, one = warp(iter([ask(calm()), ask(calm(), smile), ask(passing, smile)]))
    moved = np.abs(rest.rgb.astype(int) - other.rgb).mean()
    assert 0 < np.abs(one.rgb.astype(int) - other.rgb).mean() < 0.15 * moved


def test_around_an_opening_nothing_tears() -> None:
    grid = Grid(left=0, top=0, columns=60, rows=60, step=4)
    cells = np.arange(60, dtype=np.float32) * grid.step + (grid.step - 1) / 2
    stretch = np.float32(0.3)  # of skin that is drawn out, as under a raised brow
    field = np.zeros((60, 60, 2), np.float32)
    field[..., 1] = -stretch * cells[:, None]
    x = np.linspace(90, 150, 9, dtype=np.float32)
    bow = np.float32(8) * np.sin(np.linspace(0, np.pi, 9, dtype=np.float32))
    upper, lower = np.stack([x, 120 - bow], 1), np.stack([x, 120 + bow], 1)
    now = Rims(upper, lower)
    start = Rims(upper * (1, 1 - stretch), lower * (1, 1 - stretch))
    down = pixel_field(grid, field, [(now, start)])[0][..., 1]
    steps = np.diff(down, axis=0)
    steps[100:140, 78:162] = -stretch  # the eye itself, where lids part
    np.testing.assert_allclose(steps[8:-8], -stretch, atol=0.02)


def test_the_line_where_lids_meet_is_no_staircase() -> None:
    photo = np.zeros((96, 160, 3), np.uint8)
    photo[:30] = 255  # what is above the line comes from there, what is below from the black
    grid = Grid(left=0, top=0, columns=40, rows=24, step=4)
    x = np.linspace(40, 120, 9, dtype=np.float32)
    line = np.stack([x, 52 + 0.12 * x], 1)
    now, start = Rims(line, line), Rims(line - (0, 45), line)
    field = np.zeros((24, 40, 2), np.float32)
    across, down = np.meshgrid(4 * np.arange(40) + 1.5, 4 * np.arange(24) + 1.5)
    field[down < 52 + 0.12 * across, 1] = -45
    drawn = Canvas(photo, passing=False).moved(grid, *pixel_field(grid, field, [(now, start)]))
    white = drawn[45:80, 60:100, 0].astype(float).sum(axis=0) / 255
    np.testing.assert_allclose(np.diff(white), 0.12, atol=0.25)  # a stair is 1 high
