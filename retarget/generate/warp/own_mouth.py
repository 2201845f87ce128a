"""The inside of a mouth that is open in the photo, kept for when it opens otherwise.

Upper teeth belong to the skull and lower teeth to the jaw, so the picture is parted along its
darkest row; when the two parts move away from each other, that row is stretched between them and,
as it is never quite dark, grows faint. A picture without a dark row is upper teeth all over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retarget.flow.arrays import Bools, Bytes, Doubles, Floats
from retarget.generate.warp.paint import blurred, box_of, fill, to_bytes
from retarget.generate.warp.palette import LUMA
from retarget.generate.warp.rims import Rims
from retarget.generate.warp.teeth import Layer

PARTING = (0.25, 0.9)
"""Where between the lips the parting is looked for, from the upper (0) to the lower one (1)."""
DARK = 0.65
"""A parting must be darker than this share of the brightest, which is teeth."""
GUM = 0.16
"""Height of the gum above the upper teeth, in eye distances."""
LONGEST = 1.2
"""How much longer teeth that fill the photo's opening are drawn at most where it opens farther: the
lip hid their edges, and below them the mouth would be a dark band."""
SOFT = 0.08
"""Half the width of the parting's edge, in the same measure."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnInside:
    """The photo's own inside in three layers."""

    gum: Layer
    """Above the upper teeth, for lips that draw back from them."""
    whole: Layer
    upper: Layer | None
    lower: Layer | None
    """None where all of it is upper teeth."""
    top: Floats
    """(2,) middle of the upper lip's rim in the crop."""
    down: Floats
    """(2,) across the opening, towards the chin."""
    gap: float
    """Pixels between the lips."""
    teeth: float
    """0..1 how surely it holds teeth."""
    parting: float = 0.5
    """Where the parts meet, from the upper (0) to the lower lip (1)."""

    @property
    def row(self) -> float:
        """Pixels of the upper teeth's height that are seen."""
        return self.gap if self.upper is None else self.parting * self.gap

    def placed(
        self, skull: Doubles, lip: Floats, hidden: float = 0.0, gap: float = 0.0
    ) -> list[tuple[Layer, Doubles, float]]:
        """The layers, undermost first, where each goes, and how opaque it is, 0..1.

        Args:
            skull: (2, 3) the head's movement.
            lip: (2,) displacement of the lower lip in the photo's pose.
            hidden: 0..1 how far the upper teeth have slid up behind their lip.
            gap: pixels between the lips now.
        """
        skull = skull.copy()
        skull[:, 2] -= skull[:, :2] @ (np.float32(hidden * self.row) * self.down)
        dropped = max(float(lip @ self.down), 0.0)
        soft = SOFT * self.gap if dropped > 0 else 0.5 * self.gap
        faint = 1 / (1 + dropped / (2 * soft))
        kept = max(faint, self.teeth)
        if self.upper is None or self.lower is None:
            longer = min(max(gap / self.gap, 1.0), LONGEST) - 1
            return [(self.gum, skull, self.teeth), (self.whole, self._longer(skull, longer), kept)]
        with_lip = skull.copy()
        with_lip[:, 2] += skull[:, :2] @ lip
        along = np.outer(lip, self.down) / (2 * soft)  # none at the band's begin, all at its end
        begin = self.top + (self.parting * self.gap - soft) * self.down
        linear = skull[:, :2] @ (np.eye(2) + along)
        start = skull[:, 2] - skull[:, :2] @ along @ begin
        stretched = np.concatenate([linear, start[:, None]], axis=1)
        return [
            (self.gum, skull, self.teeth),
            (self.whole, stretched, faint * (1 - hidden)),
            (self.lower, with_lip, faint * (1 - hidden)),
            (self.upper, skull, kept),
        ]

    def _longer(self, skull: Doubles, much: float) -> Doubles:
        """(2, 3) the head's movement for teeth that are drawn longer, from their lip on."""
        down = np.float32(much) * np.outer(self.down, self.down)
        out = skull.copy()
        out[:, :2] += skull[:, :2] @ down
        out[:, 2] -= skull[:, :2] @ down @ self.top
        return out


def own_inside(
    photo: Bytes, rims: Rims, unit: float, teeth: float, gum: Floats
) -> OwnInside | None:
    """Cut the inside out of a photo, feathered at the lips.

    Args:
        photo: (height, width, 3) the crop.
        rims: its lips.
        unit: eye distance in pixels.
        teeth: 0..1 how surely it holds teeth.
        gum: (3,) its colour, 0..255.
    """
    box = box_of(rims.outline, 0.04 * unit + 2, photo.shape)
    if box is None or rims.gap < 1:
        return None
    corner = (box[1].start, box[0].start)
    patch = photo[box]
    mask = np.zeros(patch.shape[:2], np.uint8)
    fill(mask, rims.smooth.outline - np.array(corner, np.float32))
    alpha = blurred(mask, 0.004 * unit + 0.4).astype(np.float32) / 255
    above = _gum(rims, unit, gum, photo.shape)
    middle = len(rims.upper) // 2
    top = rims.upper[middle]
    y, x = np.mgrid[: patch.shape[0], : patch.shape[1]].astype(np.float32)
    x, y = x + np.float32(corner[0]) - top[0], y + np.float32(corner[1]) - top[1]
    depth = (x * rims.down[0] + y * rims.down[1]) / np.float32(rims.gap)
    aside = np.abs(x * rims.down[1] - y * rims.down[0])
    parting = _parting(patch @ LUMA, depth, (mask > 127) & (aside < 0.25 * rims.width))
    if parting is None:
        whole = Layer(corner, to_bytes(np.dstack([patch * alpha[..., None], 255 * alpha])))
        return OwnInside(above, whole, None, None, top, rims.down, rims.gap, teeth)
    below = np.clip((depth - parting) / (2 * SOFT) + 0.5, 0, 1)
    whole, upper, lower = (
        Layer(corner, to_bytes(np.dstack([patch * a[..., None], 255 * a])))
        for a in (alpha, alpha * (1 - below), alpha * below)
    )
    return OwnInside(above, whole, upper, lower, top, rims.down, rims.gap, teeth, parting)


def _gum(rims: Rims, unit: float, colour: Floats, shape: tuple[int, ...]) -> Layer:
    """Gum above the photo's upper lip, where nothing of it is seen yet."""
    up = np.float32(GUM * unit) * rims.down
    band = np.concatenate([rims.upper, (rims.upper - up)[::-1]])
    rows, columns = box_of(band, 2, shape) or (slice(0, 1), slice(0, 1))
    mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    fill(mask, band - np.array([columns.start, rows.start], np.float32))
    alpha = blurred(mask, 0.004 * unit + 0.4).astype(np.float32)[..., None] / 255
    rgba = np.concatenate([alpha * colour, 255 * alpha], axis=2)
    return Layer((columns.start, rows.start), to_bytes(rgba))


def _parting(bright: Floats, depth: Floats, seen: Bools) -> float | None:
    """Where between the lips it is darkest, 0..1; None where it is hardly dark anywhere."""
    found = None
    darkest = DARK * float(np.percentile(bright[seen], 95)) if seen.any() else 0.0
    for row in np.linspace(*PARTING, 14):
        band = seen & (np.abs(depth - row) < SOFT)
        if band.any() and float(bright[band].mean()) < darkest:
            found, darkest = float(row), float(bright[band].mean())
    return found
