"""The white of the eyes: what white looks like in the light of a picture.

Skin tells the light only together with whose skin it is. The white of the eyes is much the same in
everybody, and teeth are seen in the same light.
"""

from __future__ import annotations

import numpy as np

from retarget.flow import landmarks
from retarget.flow.arrays import Bytes, Floats
from retarget.flow.values import FaceRequest
from retarget.generate.warp.paint import colours
from retarget.generate.warp.rims import LEFT_EYE, RIGHT_EYE, rims_of

EYES = ((RIGHT_EYE, landmarks.RIGHT_IRIS), (LEFT_EYE, landmarks.LEFT_IRIS))
OPEN = 0.14
"""Gap of the lids, in eye widths, from which an eye shows enough of its white."""
BESIDE_IRIS = 1.2
"""Iris radii from its centre at which the white begins."""
BRIGHT = 0.6
"""Share of the pixels beside the iris that is left out as shaded by lids and lashes."""
LEAST = 6
"""Pixels of white below which nothing is said."""
EVERY = 4
"""Frames from one look at the white to the next: light changes slowly."""
CALM = 0.28
"""How much of what a look shows goes into what the shot has shown."""


def eye_white(rgb: Bytes, points: Floats) -> Floats | None:
    """(3,) the colour of the white of the eyes, 0..255; None where lids or irises hide it.

    Args:
        rgb: (height, width, 3) a picture.
        points: (478, 2 or 3) the mesh of its face, in pixels.
    """
    seen = []
    for eye, iris in EYES:
        rims = rims_of(points, eye).smooth
        if rims.gap < OPEN * rims.width:
            continue
        ring = points[list(iris), :2]
        radius = float(np.linalg.norm(ring[1:] - ring[0], axis=1).mean())
        down = np.linspace(0.25, 0.75, 7, dtype=np.float32)[:, None, None]
        inside = (rims.upper + down * (rims.lower - rims.upper))[:, 2:-2].reshape(-1, 2)
        beside = np.linalg.norm(inside - ring[0], axis=1) > BESIDE_IRIS * radius
        if beside.sum() >= LEAST:
            seen.append(_bright(colours(rgb, inside[beside])))
    return np.mean(seen, axis=0).astype(np.float32) if seen else None


def _bright(found: Floats) -> Floats:
    bright = found[np.argsort(found.sum(axis=1))[int(BRIGHT * len(found)) :]]
    return np.asarray(np.median(bright, axis=0), np.float32)


class LastingWhite:
    """The white of the driving eyes as its shot has shown it so far, so that a blink hides nothing.

    Requests must come in the order of their frames.
    """

    def __init__(self) -> None:
        self._white: Floats | None = None
        self._frame = 0

    def __call__(self, request: FaceRequest) -> Floats | None:
        """(3,) the white as far as it was seen; None while the shot has shown none."""
        if request.cut:
            self._white = None
        self._frame += 1
        if self._white is not None and self._frame % EVERY:
            return self._white
        tracked = request.driving.tracked if request.driving is not None else None
        if tracked is None or tracked.face is None:
            return self._white
        now = eye_white(tracked.frame.rgb, tracked.face.points)
        if self._white is None or now is None:
            self._white = now if self._white is None else self._white
        else:
            self._white = self._white + np.float32(CALM) * (now - self._white)
        return self._white
