"""The red of lips that close over an open mouth."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from asked import ask, smiling
from drawn import draw, whole

from retarget.flow.values import Identity
from retarget.generate.settings import WarpSettings
from retarget.generate.warp.mouth.lip_tint import LipTint
from retarget.generate.warp.rims import LIP_ROWS, Rims
from retarget.generate.warp.shape.displace import Displacer
from retarget.generate.warp.warp import WarpGenerator


def thin_lipped(*, grey: bool = False) -> Identity:
    """A toothy smile whose lips are red in the outer half of what the mesh takes for lip."""
    who = smiling()
    rgb = np.full_like(who.frame.rgb, (200, 160, 140))
    outer, inner = (Rims(*(who.face.points[rows[row], :2] for rows in LIP_ROWS)) for row in (0, -1))
    halfway = Rims(
        *((o + i) / 2 for o, i in ((outer.upper, inner.upper), (outer.lower, inner.lower)))
    )
    for outline, colour in ((outer, (190, 90, 90)), (halfway, (235, 230, 220))):
        cv2.fillPoly(rgb, [np.rint(outline.outline).astype(np.int32)], colour)
    if grey:
        rgb = np.dstack([cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)] * 3)
    return replace(who, frame=replace(who.frame, rgb=rgb))


def shut_lips(identity: Identity) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(n, 3) the pixels of its lips, brought together."""
    request = ask(identity, {"mouthClose": 1.0}, aperture=1.0, lip_gap=0.0)
    picture = whole(draw(WarpGenerator(WarpSettings()), request))
    now = Displacer(identity, identity.face.points)(request).points
    mask = np.zeros(picture.shape[:2], np.uint8)
    outline = Rims(*(now[rows[1], :2] for rows in LIP_ROWS)).outline
    cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], (1,))
    return picture[mask > 0].astype(float)


def test_lips_that_close_over_teeth_are_as_red_as_they_are() -> None:
    lips = shut_lips(thin_lipped())
    assert (lips[:, 0] / lips[:, 1]).mean() > 0.85 * 190 / 90


def test_red_that_lies_in_the_shade_does_not_glow_when_lips_close() -> None:
    lit, shaded = (214, 110, 90), (130, 12, 8)
    points = smiling().face.points
    photo = np.full_like(smiling().frame.rgb, (200, 160, 140))
    lips = photo.copy()
    for rows in LIP_ROWS:
        lip = np.rint(Rims(points[rows[0], :2], points[rows[-1], :2]).outline).astype(np.int32)
        cv2.fillPoly(lips, [lip], lit)
        cv2.fillPoly(photo, [lip], lit)
        shade = Rims(points[rows[0, 2:7], :2], points[rows[-1, 2:7], :2]).outline
        cv2.fillPoly(photo, [np.rint(shade).astype(np.int32)], shaded)
    LipTint(photo, points).draw(lips, points[:468], 1.0)
    now = lips[tuple(np.rint(points[LIP_ROWS[:, 1, 5], :2]).astype(int).T[::-1])].astype(float)
    assert (now[:, 0] / now[:, 1]).max() < 1.35 * lit[0] / lit[1]


def test_grey_lips_stay_grey() -> None:
    lips = shut_lips(thin_lipped(grey=True))
    assert np.ptp(lips, axis=1).max() <= 1


def test_a_lip_that_lies_in_the_shade_between_lit_skin_closes_as_red_as_the_other() -> None:
    lit, shaded, skin = (214, 96, 66), (130, 50, 30), (222, 151, 112)
    points = smiling().face.points
    photo = np.full_like(smiling().frame.rgb, skin)
    for rows, colour in zip(LIP_ROWS, (shaded, lit), strict=True):
        lip = Rims(points[rows[1], :2], points[rows[-1], :2]).outline
        cv2.fillPoly(photo, [np.rint(lip).astype(np.int32)], colour)
    out = np.full_like(photo, skin)
    LipTint(photo, points).draw(out, points[:468], 1.0)
    upper, lower = out[tuple(np.rint(points[LIP_ROWS[:, 1, 5], :2]).astype(int).T[::-1])].astype(
        float
    )
    assert upper[0] / upper[1] > 0.95 * lower[0] / lower[1]


def test_lips_that_close_are_even_towards_their_corners_and_keep_their_grain_between() -> None:
    points = smiling().face.points
    photo = np.full_like(smiling().frame.rgb, (200, 120, 110))
    photo[:, ::2] -= 40
    out = photo.copy()
    LipTint(photo, points).draw(out, points[:468], 1.0)
    lip = points[LIP_ROWS[1, 1:3], :2].mean(axis=0)  # along the middle of the lower one
    at = np.rint(lip).astype(int)

    def stripes(column: int) -> int:
        x, y = at[column]
        return int(np.ptp(out[y, x - 1 : x + 2, 0]))

    assert max(stripes(1), stripes(9)) < 0.5 * 40
    assert stripes(5) > 0.9 * 40


def test_lips_that_close_are_no_paler_towards_their_corners() -> None:
    """What a mesh has for lip there is skin in the photo, or lit."""
    points, red, pale = smiling().face.points, (190, 90, 90), (235, 215, 205)
    photo = np.full_like(smiling().frame.rgb, pale)
    for rows in LIP_ROWS:
        lip = Rims(points[rows[0, 3:8], :2], points[rows[-1, 3:8], :2]).outline
        cv2.fillPoly(photo, [np.rint(lip).astype(np.int32)], red)
    out = photo.copy()
    LipTint(photo, points).draw(out, points[:468], 1.0)
    at = np.rint(points[LIP_ROWS[:, 1:3, 1:-1], :2].mean(axis=1)).astype(
        int
    )  # (2, 9, 2) along each
    green = out[at[..., 1], at[..., 0], 1].astype(float)
    paler = green[:, [0, 1, -2, -1]] - green[:, [4]]
    assert paler.max() < 0.75 * (pale[1] - red[1])
