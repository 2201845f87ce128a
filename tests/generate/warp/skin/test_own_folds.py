"""The photo's own folds: they go with its smile, and only they."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from asked import ask, calm, known, smiling
from drawn import Picture, draw, whole

from retarget.flow import landmarks
from retarget.flow.values import Identity
from retarget.generate.warp.shape.displace import Displacer
from retarget.generate.warp.warp import WarpGenerator

FOLDS = ((203, 206, 216), (423, 426, 436))


def folds_of(identity: Identity, out: float = 0.06) -> npt.NDArray[np.float32]:
    """(height, width) 0..1 a fold on each side, so far outside of where the mesh has one."""
    points = identity.face.points
    across = points[263, :2] - points[33, :2]
    mask = np.zeros(identity.frame.rgb.shape[:2], np.float32)
    for line, way in zip(FOLDS, (-out, out), strict=True):
        at = np.rint(points[list(line), :2] + way * across).astype(np.int32)
        cv2.polylines(mask, [at], False, (1.0,), 2)
    return np.clip(cv2.GaussianBlur(mask, (0, 0), 1.0), 0, 1).astype(np.float32)


def folded(identity: Identity, out: float = 0.06) -> Identity:
    """The same face with dark folds."""
    shade = 1 - 0.4 * folds_of(identity, out)
    return known((identity.frame.rgb * shade[..., None]).astype(np.uint8))


def darker(one: Picture, other: Picture, identity: Identity, places: float = 97) -> float:
    """How much darker one picture is than another beside the mouth, at the darkest places.

    That is, of those that are darker by less than all but so many in a hundred.
    """
    low = identity.face.points[[36, 205, 266, 425], :2].min(axis=0).astype(int)
    high = identity.face.points[[216, 57, 436, 287], :2].max(axis=0).astype(int)
    part = slice(low[1], high[1]), slice(low[0] - 15, high[0] + 15)
    less = (other[part].astype(float) - one[part]).mean(axis=2)
    return float(np.percentile(less, places))


@pytest.mark.parametrize("out", [0.06, -0.11], ids=["outside of the mesh's", "inside"])
@pytest.mark.parametrize(("smile", "kept"), [(1.0, (0.8, 1.1)), (0.0, (0.0, 0.65))])
def test_the_folds_of_a_smile_go_as_it_goes(
    warp: WarpGenerator, smile: float, kept: tuple[float, float], out: float
) -> None:
    weights = {"mouthSmileLeft": smile, "mouthSmileRight": smile, "browInnerUp": 0.1}
    plain, creased = smiling(), folded(smiling(), out)
    shown = [whole(draw(warp, ask(who, weights))) for who in (creased, plain)]
    deep = darker(*shown, plain) / darker(creased.frame.rgb, plain.frame.rgb, plain)
    assert kept[0] < deep < kept[1]


def test_the_deepest_line_of_a_fold_goes_with_it(warp: WarpGenerator) -> None:
    """On a large photo it is as fine as the pores that stay."""
    rgb = cv2.resize(smiling().frame.rgb, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    plain = known(np.asarray(rgb, np.uint8))
    line = folds_of(plain)
    shade = (1 - 0.5 * line) * (1 - 0.5 * np.clip(3 * cv2.GaussianBlur(line, (0, 0), 5), 0, 1))
    creased = known((rgb * shade[..., None]).astype(np.uint8))
    weights = {"mouthSmileLeft": 0.0, "mouthSmileRight": 0.0, "browInnerUp": 0.1}
    shown = [whole(draw(warp, ask(who, weights))) for who in (creased, plain)]
    left = darker(*shown, plain, 99.5) / darker(creased.frame.rgb, plain.frame.rgb, plain, 99.5)
    assert left < 0.35


def test_a_face_that_does_not_smile_keeps_its_lines(warp: WarpGenerator) -> None:
    plain, creased = calm(), folded(calm())
    shown = [whole(draw(warp, ask(who, {"browInnerUp": 0.3}))) for who in (creased, plain)]
    assert darker(*shown, plain) > 0.8 * darker(creased.frame.rgb, plain.frame.rgb, plain)


def test_lips_that_close_leave_no_dark_beside_their_corners(warp: WarpGenerator) -> None:
    plain = smiling()
    points, unit = plain.face.points, plain.face.eye_distance
    shade = np.ones(plain.frame.rgb.shape[:2], np.float32)
    for corner, way in zip(landmarks.MOUTH_CORNERS, (-1, 1), strict=True):
        line = points[corner, :2] + unit * np.array([(0, 0), (0.1 * way, 0.05)])
        cv2.polylines(shade, [np.rint(line).astype(np.int32)], False, (0.3,), round(0.05 * unit))
    rgb = plain.frame.rgb * cv2.GaussianBlur(shade, (0, 0), 1.0)[..., None]
    dark = known(rgb.astype(np.uint8))
    weights = {"mouthSmileLeft": 0.0, "mouthSmileRight": 0.0, "mouthClose": 1.0}
    asked = [ask(who, weights, aperture=1.0, lip_gap=0.0) for who in (dark, plain)]
    shown, clean = (whole(draw(warp, request)).mean(axis=2) for request in asked)
    moved = Displacer(plain, points)(asked[1]).points
    for x, y in np.rint(moved[list(landmarks.MOUTH_CORNERS), :2]).astype(int).tolist():
        near = slice(y - 12, y + 13), slice(x - 12, x + 13)
        assert (shown[near] / clean[near]).min() > 0.65


def test_a_fold_that_goes_leaves_no_stain(warp: WarpGenerator) -> None:
    """Skin's shadows lack blue most of all."""
    plain, mask = smiling(), folds_of(smiling())
    shade = np.exp(-np.float32([0.5, 0.8, 1.3]) * mask[..., None])
    creased = known((plain.frame.rgb * shade).astype(np.uint8))
    weights = {"mouthSmileLeft": 0.0, "mouthSmileRight": 0.0, "browInnerUp": 0.1}
    shown, clean = (whole(draw(warp, ask(w, weights))).astype(float) for w in (creased, plain))
    left = np.log((shown + 8) / (clean + 8))
    red, _, blue = left[left.sum(axis=2) < np.percentile(left.sum(axis=2), 0.1)].mean(axis=0)
    assert blue > red - 0.2


@pytest.mark.parametrize("pucker", [0.0, 1.0], ids=["at rest", "puckered"])
def test_a_moustache_stays_as_the_smile_goes(warp: WarpGenerator, pucker: float) -> None:
    plain = smiling()
    points = plain.face.points
    outline = np.rint(points[[186, 206, 98, 2, 327, 426, 410, 391, 0, 165], :2]).astype(np.int32)
    shade = np.ones(plain.frame.rgb.shape[:2], np.float32)
    cv2.fillPoly(shade, [outline], (0.6,))
    rgb = plain.frame.rgb * cv2.GaussianBlur(shade, (0, 0), 2.0)[..., None]
    hairy = known(rgb.astype(np.uint8))
    weights = {"mouthSmileLeft": 0.0, "mouthSmileRight": 0.0, "mouthPucker": pucker}
    asked = [ask(who, weights) for who in (hairy, plain)]
    shown, clean = (whole(draw(warp, request)).mean(axis=2) for request in asked)
    moved = Displacer(plain, points)(asked[1]).points
    x, y = np.rint(moved[[165, 92, 391, 322], :2]).astype(int).T
    assert (shown[y, x] / clean[y, x]).max() < 0.6**0.5  # more than half of the darkness
