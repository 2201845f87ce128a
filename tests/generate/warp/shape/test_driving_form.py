"""A rounded mouth has the form of the driving one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from asked import ask, calm, smiling
from drawn import seen

from retarget.flow.values import ExpressedFrame
from retarget.generate.warp.rims import MOUTH, Rims, rims_of
from retarget.generate.warp.shape.displace import Displacer

ROUND = {"jawOpen": 0.8, "mouthPucker": 1.0, "mouthFunnel": 0.5}
GAPING = {"jawOpen": 0.8}


def driving(weights: dict[str, float]) -> ExpressedFrame:
    """The drawn person, whose mouth is at rest in between, doing this."""
    return seen(replace(calm(), face=replace(calm().face, points=ask(calm(), weights).points)))


def corners(rims: Rims) -> float:
    """How far down the opening its corners lie, 0 at the upper lip, 1 at the lower one."""
    out = (rims.middle_of_corners - rims.upper[4:7].mean(axis=0)) @ rims.down
    return float(out) / rims.gap


def test_a_smile_that_is_rounded_has_its_corners_where_the_driving_mouth_has_them() -> None:
    round_ = driving(ROUND)
    request = ask(smiling(), {**ROUND, "mouthSmileLeft": -0.4, "mouthSmileRight": -0.4})
    displace = Displacer(smiling(), smiling().face.points)
    assert round_.tracked is not None
    assert round_.tracked.face is not None
    alone, driven = (
        rims_of(displace(r).points, MOUTH) for r in (request, replace(request, driving=round_))
    )
    theirs = corners(rims_of(round_.tracked.face.points, MOUTH))
    assert abs(corners(driven) - theirs) < 0.5 * abs(corners(alone) - theirs)
    assert driven.gap == pytest.approx(alone.gap, rel=0.1)
    assert float(driven.lower[5] @ driven.down) == pytest.approx(
        float(alone.lower[5] @ alone.down), abs=0.1 * alone.gap
    )


def test_lips_that_are_drawn_together_have_the_form_of_the_driving_ones() -> None:
    """The form at rest, crowded, would be a wedge."""
    who, hanging = calm(), {**ROUND, "mouthFrownLeft": -0.8, "mouthFrownRight": -0.8}
    request = ask(who, hanging)
    alone, driven = (
        rims_of(Displacer(who, who.face.points)(r).points, MOUTH)
        for r in (request, replace(request, driving=driving(ROUND)))
    )
    assert driven.width < 0.7 * rims_of(who.face.points, MOUTH).width
    theirs = corners(rims_of(ask(who, ROUND).points, MOUTH))
    assert abs(corners(driven) - theirs) < 0.5 * abs(corners(alone) - theirs)


@pytest.mark.parametrize(
    "weights", [{"jawOpen": 0.1}, GAPING], ids=["wide", "at rest in the photo"]
)
def test_a_mouth_that_is_wide_or_known_at_rest_keeps_its_own_form(
    weights: dict[str, float],
) -> None:
    who = calm() if weights is GAPING else smiling()
    request = ask(who, weights, driving=driving(weights))
    displace = Displacer(who, who.face.points)
    alone = displace(replace(request, driving=None))
    np.testing.assert_array_equal(displace(request).points, alone.points)
