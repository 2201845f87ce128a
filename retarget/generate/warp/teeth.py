"""Teeth and tongue for a photo that shows none.

Two arches of teeth of common human size stand behind the lips, drawn once for the photo in its own
pose and light. The upper arch belongs to the skull and the lower one to the jaw, so an opening
mouth uncovers them as a real one does. Sizes are in head units (about 90 mm).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from retarget.flow import landmarks
from retarget.flow.values import Identity
from retarget.generate.warp.mesh import Bytes, Floats
from retarget.generate.warp.rims import MOUTH, rims_of

UPPER_WIDTHS = (0.093, 0.072, 0.080, 0.075, 0.070, 0.090)
LOWER_WIDTHS = (0.058, 0.064, 0.074, 0.075, 0.072, 0.090)
"""Along the arch, from the middle outwards."""
UPPER_LENGTHS = (1.0, 0.90, 0.98, 0.84, 0.78, 0.72)
LOWER_LENGTHS = (0.95, 0.97, 1.0, 0.86, 0.80, 0.74)
TOOTH = 0.112
"""Length of the longest tooth."""
UPPER_EDGE, LOWER_EDGE = 0.034, 0.008
"""Where the edges of the middle teeth lie below the line between resting lips, jaw closed."""
ARCH = 2.1
"""How quickly an arch curves away: depth = ARCH · (distance from the middle)²."""
BEHIND_LIPS = 0.05
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in brightness."""
FINE = 3
"""Pixels drawn for each pixel shown, in each direction."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours inside one photo's mouth, (3,) each, 0..255."""

    tooth: Floats
    gum: Floats
    tongue: Floats
    cavity: Floats

    @classmethod
    def of(cls, skin: Floats, lip: Floats, white: Floats) -> Palette:
        """Colours that fit a photo's light, whatever it is painted with.

        Chroma is taken from the photo's own skin and lips, so a grey photo gets grey teeth.

        Args:
            skin: (3,) around the mouth.
            lip: (3,) of the lips.
            white: (3,) of the white of the eyes.
        """
        bright = luma(skin)
        chroma = skin / max(bright, 1.0)
        shine = float(np.clip(luma(white), 0.85 * bright, 1.3 * bright))
        tooth = min(1.06 * shine, 235.0) * chroma**0.4
        red = 0.75 * lip + 0.25 * skin
        return cls(
            tooth.astype(np.float32),
            (0.80 * red).astype(np.float32),
            (0.85 * lip * (lip / max(luma(lip), 1.0)) ** 0.4).astype(np.float32),
            (0.15 * bright * (lip / max(luma(lip), 1.0)) ** 1.5).astype(np.float32),
        )


def luma(rgb: Floats) -> float:
    """Brightness of a colour (3,)."""
    return float(rgb @ LUMA)


@dataclass(frozen=True, slots=True)
class Layer:
    """A picture with coverage that lies at (left, top) of the crop."""

    left: int
    top: int
    rgba: Bytes
    """(h, w, 4) premultiplied."""


class Dentist:
    """Draws the arches of one photo.

    Args:
        identity: the photo.
        points: (478, 3) its mesh in pixels of the crop.
        palette: the colours.
    """

    def __init__(self, identity: Identity, points: Floats, palette: Palette) -> None:
        self._palette, self._pose = palette, identity.pose
        shift = (identity.face.points - points)[0]
        self._shift = shift.astype(np.float64)
        rest = identity.rest.head.astype(np.float64)
        rims = rims_of(rest[: landmarks.MESH_COUNT].astype(np.float32), MOUTH)
        line = rims.middle[len(rims.middle) // 2]
        depth = rest[[13, 14], 2].mean() + BEHIND_LIPS
        self._middle = np.array([line[0], line[1], depth])
        self._wide = rims.width

    def upper(self) -> Layer:
        """The upper teeth with their gum."""
        return self._arch(UPPER_WIDTHS, UPPER_LENGTHS, UPPER_EDGE, -1.0)

    def lower(self) -> Layer:
        """The lower teeth with their gum, jaw closed."""
        return self._arch(LOWER_WIDTHS, LOWER_LENGTHS, LOWER_EDGE, 1.0)

    def tongue(self) -> Layer:
        """The tongue at rest behind the lower teeth, jaw closed."""
        angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        oval = np.stack([0.17 * np.cos(angle), 0.05 + 0.10 * np.sin(angle), 0 * angle + 0.1], 1)
        outline = self._project(oval)
        layer, mask = self._blank(outline)
        cv2.fillPoly(mask, [self._fixed(outline, layer)], 255, lineType=cv2.LINE_AA)
        soft = cv2.GaussianBlur(mask, (0, 0), 0.035 * self._pose.scale * FINE)
        height = np.linspace(1.0, 0.72, mask.shape[0], dtype=np.float32)[:, None]
        bright = (0.45 + 0.55 * (soft / 255.0) ** 1.5) * height
        groove = self._project(np.array([[0, -0.04, 0.1], [0, 0.14, 0.1]]))
        line = np.zeros_like(mask)
        cv2.polylines(
            line,
            [self._fixed(groove, layer)],
            False,
            255,
            max(1, int(0.012 * self._pose.scale * FINE)),
        )
        line = cv2.GaussianBlur(line, (0, 0), 0.012 * self._pose.scale * FINE)
        bright = bright * (1 - 0.18 * line / 255.0)
        colour = self._palette.tongue * bright[..., None]
        return self._finish(layer, colour, cv2.GaussianBlur(mask, (0, 0), 2.0 * FINE / 2))

    def _arch(
        self, widths: tuple[float, ...], lengths: tuple[float, ...], edge: float, root: float
    ) -> Layer:
        ends = np.concatenate([[0.0], np.cumsum(widths)])
        reach = ends[-1]
        gum = self._strip(-reach, reach, edge + 0.55 * root * TOOTH, edge + 1.7 * root * TOOTH)
        everything = np.concatenate([gum, self._strip(-reach, reach, edge, edge)])
        layer, mask = self._blank(everything)
        colour = np.zeros((*mask.shape, 3), np.float32)
        cv2.fillPoly(mask, [self._fixed(gum, layer)], 255, lineType=cv2.LINE_AA)
        colour[:] = self._palette.gum * 0.8
        for n in range(len(widths) - 1, -1, -1):
            for side in (-1.0, 1.0):
                self._tooth(
                    layer, mask, colour, side, (ends[n], ends[n + 1]), (edge, root * lengths[n])
                )
        return self._finish(layer, colour, mask)

    def _tooth(
        self, layer: Layer, mask: Bytes, colour: Floats, side: float,
        span: tuple[float, float], height: tuple[float, float],
    ) -> None:  # fmt: skip
        edge, root = height
        start, end = span
        shape = _tooth_outline()
        along = side * (start + (0.5 + 0.5 * shape[:, 0]) * (end - start))
        curve = 0.010 * (abs(along) / 0.2) ** 2  # the biting edge rises towards the sides
        down = edge + root * TOOTH * shape[:, 1] + (curve if root < 0 else -curve) * np.sign(-root)
        outline = self._project(self._bent(along, down))
        at = self._fixed(outline, layer)
        soft = 0.012 * self._pose.scale * FINE
        low = np.maximum(at.min(axis=0) - int(3 * soft) - 2, 0)
        high = np.minimum(at.max(axis=0) + int(3 * soft) + 3, mask.shape[::-1])
        box = slice(low[1], high[1]), slice(low[0], high[0])
        one = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        cv2.fillPoly(one, [at - low.astype(np.int32)], 255, lineType=cv2.LINE_AA)
        cover = one.astype(np.float32)[..., None] / 255
        middle = 0.5 * (start + end)
        facing = float(np.clip(1.05 - 5.5 * middle**2, 0.38, 1.0))
        round_ = cv2.GaussianBlur(one, (0, 0), soft)[..., None] / 255.0
        shade = facing * (0.84 + 0.16 * np.clip(1.6 * round_ - 0.6, 0, 1))
        colour[box] += cover * (self._palette.tooth * shade - colour[box])
        mask[box] = np.maximum(mask[box], one)

    def _bent(self, along: Floats, down: Floats) -> Floats:
        """Positions along the arch and below the lip line as (n, 3) around the middle."""
        across = np.sign(along) * np.tanh(np.abs(along) / 0.42) * 0.42
        return np.stack([across, down, ARCH * across**2], axis=1)

    def _strip(self, start: float, end: float, top: float, bottom: float) -> Floats:
        along = np.linspace(start, end, 24)
        there = self._bent(along, np.full_like(along, top))
        back = self._bent(along[::-1], np.full_like(along, bottom))
        return self._project(np.concatenate([there, back]))

    def _project(self, around: Floats) -> Floats:
        """(n, 3) head units around the middle of the lips as (n, 2) pixels of the crop."""
        picture = self._pose.to_picture(self._middle + around) - self._shift
        return picture[:, :2].astype(np.float32)

    def _blank(self, outline: Floats) -> tuple[Layer, Bytes]:
        low = np.floor(outline.min(axis=0)).astype(int) - 3
        high = np.ceil(outline.max(axis=0)).astype(int) + 4
        width, height = high - low
        mask = np.zeros((height * FINE, width * FINE), np.uint8)
        return Layer(int(low[0]), int(low[1]), np.zeros((height, width, 4), np.uint8)), mask

    def _fixed(self, outline: Floats, layer: Layer) -> Bytes:
        at = (outline - np.array([layer.left, layer.top]) + 0.5) * FINE - 0.5
        return np.rint(at).astype(np.int32)  # type: ignore[return-value]

    def _finish(self, layer: Layer, colour: Floats, mask: Bytes) -> Layer:
        height, width = layer.rgba.shape[:2]
        alpha = mask.astype(np.float32)[..., None] / 255
        both = np.dstack([colour * alpha, 255 * alpha])
        small = cv2.resize(both, (width, height), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), max(0.4, 0.0035 * self._pose.scale))
        layer.rgba[...] = np.clip(np.rint(small), 0, 255)
        return layer


def _tooth_outline() -> Floats:
    """(n, 2) one tooth: x -1..1 across, y 0 at the biting edge to 1 at the root."""
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    x = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** 0.5
    y = 0.5 - 0.5 * np.sign(np.sin(t)) * np.abs(np.sin(t)) ** 0.42
    return np.stack([x * (1 - 0.08 * y), y], axis=1)
