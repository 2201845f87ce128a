"""The interior of a mouth open in the photo, kept for drawing it with another opening.

Upper teeth belong to the skull and lower teeth to the jaw, so the picture is split where the upper
teeth end, or along its darkest row if it shows none; when the two parts move apart, that row is
stretched between them and, as it is never quite dark, fades.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retarget.flow.arrays import Bools, Bytes, Doubles, Floats
from retarget.generate.warp.mouth.teeth import Layer
from retarget.generate.warp.paint import blurred, box_of, fill, ramp, to_bytes
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.rims import Rims

PARTING = (0.25, 0.9)
"""Range in which the split is searched, from the upper lip (0) to the lower one (1)."""
DARK = 0.65
"""Brightness relative to the brightest place, which is teeth, below which a row can be the
parting."""
GUM = 0.16
"""Height of the gum above the upper teeth, in eye distances."""
BESIDE = (0.2, 0.42)
"""Distance from the middle in widths of the photo's opening between which drawn teeth replace its
own, which end towards the corners: wider lips would bare a dark gap beside them."""
LONGEST = 1.2
"""The largest stretch of teeth that fill the photo's opening where it opens farther: the lip hid
their edges, and below them the mouth would be a dark band."""
FILLED = 0.8
"""Share of the opening above which upper teeth count as filling it."""
FADING = 3
"""How fast the part below the upper teeth fades as the jaw drops: left half transparent, it
looks like a second row of teeth across the tongue."""
SOFT = 0.08
"""Half the width of the parting's edge, in the same measure."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnInside:
    """The interior of the photo's mouth as layers."""

    gum: Layer
    """Gum above the upper teeth, for lips that draw back."""
    whole: Layer
    upper: Layer
    lower: Layer
    top: Floats
    """(2,) middle of the upper lip's rim in the crop."""
    down: Floats
    """(2,) across the opening, towards the chin."""
    end: Floats
    """(n, 2) lower edge of the upper teeth, from left to right in the picture."""
    gap: float
    """Pixels between the lips."""
    teeth: float
    """Confidence that it shows teeth, 0..1."""
    parting: float | None
    """Where the parts meet, from the upper (0) to the lower lip (1); None if not split."""

    @property
    def row(self) -> float:
        """Visible height of the upper teeth in pixels."""
        return self.gap * (1.0 if self._filled or self.parting is None else self.parting)

    @property
    def _filled(self) -> bool:
        """Whether upper teeth fill the opening."""
        return self.parting is None or self.parting > FILLED

    def edge(self, skull: Doubles, slid: float, gap: float) -> Floats:
        """(n, 2) the lower edge of the upper teeth as placed by `placed`."""
        place = self._upper_place(skull, slid, gap)
        return np.asarray(self.end @ place[:, :2].T + place[:, 2], np.float32)

    def placed(
        self, skull: Doubles, lip: Floats, hidden: float, slid: float, gap: float
    ) -> list[tuple[Layer, Doubles, float, float]]:
        """The layers, lowest first, each with its place, opacity and cover (0..1).

        The cover is that by lips that reach in, which are not in front of teeth.

        Args:
            skull: (2, 3) the head's movement.
            lip: (2,) displacement of the lower lip in the photo's pose.
            hidden: 0..1 how far what is left of the upper teeth has slid up behind their lip.
            slid: pixels by which they have.
            gap: pixels between the lips now.
        """
        dropped = max(float(lip @ self.down), 0.0)
        soft = SOFT * self.gap if dropped > 0 else 0.5 * self.gap
        faint = 1 / (1 + (dropped / (2 * soft)) ** FADING)
        kept, covered = max(faint, self.teeth), 1 - self.teeth
        place = self._upper_place(skull, slid, gap)
        skull = self._behind_lip(skull, slid)
        if self.parting is None:
            return [(self.gum, skull, self.teeth, covered), (self.whole, place, kept, covered)]
        with_lip = skull.copy()
        with_lip[:, 2] += skull[:, :2] @ lip
        along = np.outer(lip, self.down) / (2 * soft)  # none at the band's begin, all at its end
        begin = self.top + (self.parting * self.gap - soft) * self.down
        linear = skull[:, :2] @ (np.eye(2) + along)
        start = skull[:, 2] - skull[:, :2] @ along @ begin
        stretched = np.concatenate([linear, start[:, None]], axis=1)
        return [
            (self.gum, skull, self.teeth, covered),
            (self.whole, stretched, faint * (1 - hidden), 1.0),
            (self.lower, with_lip, faint * (1 - hidden), 1.0),
            (self.upper, place, kept, covered),
        ]

    def _behind_lip(self, skull: Doubles, slid: float) -> Doubles:
        """(2, 3) the head's movement for teeth that have slid up behind their lip."""
        out = skull.copy()
        out[:, 2] -= skull[:, :2] @ (np.float32(slid) * self.down)
        return out

    def _upper_place(self, skull: Doubles, slid: float, gap: float) -> Doubles:
        """(2, 3) the place of the upper teeth, stretched from their lip on if `_filled`."""
        out = self._behind_lip(skull, slid)
        if self._filled:
            much = np.float32(min(max(gap / self.gap, 1.0), LONGEST) - 1)
            down = much * np.outer(self.down, self.down)
            linear = out[:, :2].copy()
            out[:, :2] += linear @ down
            out[:, 2] -= linear @ down @ self.top
        return out


def own_inside(
    photo: Bytes, rims: Rims, unit: float, *, row: Floats, teeth: float, gum: Floats
) -> OwnInside | None:
    """Cut the interior out of a photo, feathered at the lips.

    Args:
        photo: (height, width, 3) the crop.
        rims: its lips.
        unit: eye distance in pixels.
        row: (n,) share of the opening that the upper teeth fill; 0 where not visible.
        teeth: confidence that it shows teeth, 0..1.
        gum: (3,) colour of the gum, 0..255.
    """
    box = box_of(rims.outline, 0.04 * unit + 2, photo.shape)
    if box is None or rims.gap < 1:
        return None
    corner = (box[1].start, box[0].start)
    patch = photo[box]
    edge = 0.004 * unit + 0.4
    alpha = _coverage(rims.smooth, corner, patch.shape, edge)
    end, middle = rims.without_upper(row).upper, len(row) // 2
    parting: float | None = float(row[middle])
    if parting:
        beyond = rims.lower + np.float32(0.1 * unit) * rims.down
        below = _coverage(Rims(end, beyond), corner, patch.shape, edge)
    else:
        below, parting = _dark_parting(patch, rims, corner, alpha > 0.5)
    whole, upper, lower = (
        Layer(corner, to_bytes(np.dstack([patch * a[..., None], 255 * a])))
        for a in (alpha, alpha * (1 - below), alpha * below)
    )
    return OwnInside(
        gum=_gum(rims, unit, gum, photo.shape),
        whole=whole,
        upper=upper,
        lower=lower,
        top=rims.upper[middle],
        down=rims.down,
        end=end,
        gap=rims.gap,
        teeth=teeth,
        parting=parting,
    )


def _coverage(rims: Rims, corner: tuple[int, int], shape: tuple[int, ...], edge: float) -> Floats:
    """(h, w) coverage of each pixel of a box by the opening, 0..1, with a blurred edge."""
    mask = np.zeros(shape[:2], np.uint8)
    fill(mask, rims.outline - np.array(corner, np.float32))
    return blurred(mask, edge).astype(np.float32) / 255


def _gum(rims: Rims, unit: float, colour: Floats, shape: tuple[int, ...]) -> Layer:
    """Gum above the rim of the photo's upper lip, which hides it there."""
    up = np.float32(GUM * unit) * rims.down
    band = np.concatenate([rims.upper, (rims.upper - up)[::-1]])
    rows, columns = box_of(band, 2, shape) or (slice(0, 1), slice(0, 1))
    mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    fill(mask, band - np.array([columns.start, rows.start], np.float32))
    alpha = blurred(mask, 0.004 * unit + 0.4).astype(np.float32)[..., None] / 255
    aside = np.abs(rims.place_along((rows, columns)))
    alpha *= 1 - ramp(BESIDE, aside)[..., None]  # drawn teeth there have their own gum
    rgba = np.concatenate([alpha * colour, 255 * alpha], axis=2)
    return Layer((columns.start, rows.start), to_bytes(rgba))


def _dark_parting(
    patch: Bytes, rims: Rims, corner: tuple[int, int], inside: Bools
) -> tuple[Floats, float | None]:
    """The part below the darkest row of an opening that shows no upper teeth.

    Args:
        patch: (h, w, 3) of the photo.
        rims: its lips.
        corner: (left, top) of the patch.
        inside: (h, w) the opening.

    Returns:
        (h, w) 0..1 mask of the part, and the row from the upper (0) to the lower lip (1); empty
        and None where no row is dark.
    """
    top = rims.upper[len(rims.upper) // 2]
    y, x = np.mgrid[: patch.shape[0], : patch.shape[1]].astype(np.float32)
    x, y = x + np.float32(corner[0]) - top[0], y + np.float32(corner[1]) - top[1]
    depth = (x * rims.down[0] + y * rims.down[1]) / np.float32(rims.gap)
    aside = np.abs(x * rims.down[1] - y * rims.down[0])
    parting = _darkest(patch @ LUMA, depth, inside & (aside < 0.25 * rims.width))
    if parting is None:
        return np.zeros_like(depth), None
    return np.clip((depth - parting) / (2 * SOFT) + 0.5, 0, 1), parting


def _darkest(bright: Floats, depth: Floats, seen: Bools) -> float | None:
    """The darkest place between the lips, 0..1; None where none is dark."""
    found = None
    darkest = DARK * float(np.percentile(bright[seen], 95)) if seen.any() else 0.0
    for row in np.linspace(*PARTING, 14):
        band = seen & (np.abs(depth - row) < SOFT)
        if band.any() and float(bright[band].mean()) < darkest:
            found, darkest = float(row), float(bright[band].mean())
    return found
