"""What is drawn into a mouth lies in the light and the grain of the photo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm, smiling
from drawn import Picture, draw, seen, whole

from retarget.flow.values import Identity
from retarget.generate.warp.mouth.mouth_light import fall_across, grain_of, shaded_aside, with_grain
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.rims import MOUTH, rims_of
from retarget.generate.warp.shape.displace import Displacer
from retarget.generate.warp.warp import WarpGenerator


def showing(who: Identity, rgb: npt.NDArray[np.floating]) -> Identity:
    return replace(who, frame=replace(who.frame, rgb=np.clip(rgb, 0, 255).astype(np.uint8)))


def lit_from_the_left(who: Identity) -> Identity:
    """The same photo, whose right half lies in ever deeper shade."""
    x, unit = np.arange(who.frame.size[0]), who.face.eye_distance
    shade = np.exp(-1.2 * (x - who.face.points[13, 0]) / unit)
    return showing(who, who.frame.rgb * np.clip(shade, 0.1, 1.6)[None, :, None])


def teeth(warp: WarpGenerator, who: Identity, driver: Identity) -> tuple[float, float]:
    """How bright the mouth is left and right of its middle."""
    request = ask(who, {"jawOpen": 0.6}, driving=seen(driver))
    picture = whole(draw(warp, request)) @ LUMA
    now = rims_of(Displacer(who, who.face.points)(request).points, MOUTH)
    (x, y), reach = now.middle[5], 0.25 * now.width
    row = picture[round(float(y)) - 2 : round(float(y)) + 3]
    left, right = (row[:, round(float(x + s * reach)) - 5 :][:, :11].mean() for s in (-1, 1))
    return float(left), float(right)


def test_teeth_are_shaded_as_the_cheeks_beside_them(warp: WarpGenerator) -> None:
    plain, lit = (
        np.divide(*teeth(warp, w, smiling())) for w in (calm(), lit_from_the_left(calm()))
    )
    assert lit > 1.15 * plain


def test_a_driver_in_the_same_light_brings_its_shade_along(warp: WarpGenerator) -> None:
    plain = np.divide(*teeth(warp, calm(), smiling()))
    both = np.divide(*teeth(warp, lit_from_the_left(calm()), lit_from_the_left(smiling())))
    once = np.divide(*teeth(warp, calm(), lit_from_the_left(smiling())))
    assert abs(np.log(once / plain)) < 0.15  # an even light is given to them, of the driver's 0.5
    assert 1.15 * plain < both < 2 * plain


def test_light_that_hardly_falls_aside_changes_nothing() -> None:
    inside = np.full((4, 6, 3), 100, np.float32)
    place = np.tile(np.linspace(-0.5, 0.5, 6, dtype=np.float32), (4, 1))
    np.testing.assert_array_equal(shaded_aside(inside, place, 0.06, 0.0), inside)
    assert (np.diff(shaded_aside(inside, place, -0.5, 0.0)[0, :, 0]) < 0).all()
    points, rgb = smiling().face.points, smiling().frame.rgb
    flat = np.full_like(rgb, 120)
    assert fall_across(flat, points, rims_of(points, MOUTH)) == 0


def grainy(who: Identity, much: float) -> Identity:
    noise = np.random.default_rng(3).normal(0, much, who.frame.rgb.shape)
    return showing(who, 0.5 * who.frame.rgb + noise)


@pytest.mark.parametrize("much", [0.0, 9.0])
def test_teeth_are_as_grainy_as_the_photo(warp: WarpGenerator, much: float) -> None:
    def roughness(picture: Picture) -> float:
        now = rims_of(Displacer(who, who.face.points)(request).points, MOUTH)
        x, y = np.rint(now.middle[5]).astype(int).tolist()
        patch = picture[y - 3 : y + 4, x - 12 : x + 13].astype(float)
        return float(np.abs(np.diff(patch, 2, axis=1)).mean())

    who = grainy(calm(), much)
    request = ask(who, {"jawOpen": 0.6}, driving=seen(smiling()))
    rough = roughness(whole(draw(warp, request)))
    assert rough > 1.5 * much if much else rough < 4


def test_grain_goes_on_over_the_edges_of_its_pattern_and_stays_where_it_is() -> None:
    found = grain_of(grainy(calm(), 9.0).frame.rgb, calm().face.points, calm().face.eye_distance)
    assert found is not None
    assert abs(float(found.mean())) < 0.5
    wide = with_grain(np.full((9, 900, 3), 200, np.float32), found, (40, 7), 200.0)
    part = with_grain(np.full((9, 300, 3), 200, np.float32), found, (140, 7), 200.0)
    np.testing.assert_array_equal(wide[:, 100:400], part)
    assert grain_of(np.full_like(calm().frame.rgb, 90), calm().face.points, 150.0) is None


def test_the_grain_of_a_tilted_head_is_no_stripes() -> None:
    """Two points of a cheek then lie one below the other."""
    unit, points = calm().face.eye_distance, calm().face.points.copy()
    points[[205, 425], 0] = points[[50, 280], 0]
    found = grain_of(grainy(calm(), 9.0).frame.rgb, points, unit)
    assert found is not None
    assert min(found.shape[:2]) > 0.15 * unit
