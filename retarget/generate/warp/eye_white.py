"""Measure the colour of the sclera: what white looks like in the light of a picture.

Skin colour depends on the person as well as on the light. The sclera is much the same colour in
everybody, and the teeth are in the same light.
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
"""Smallest gap of the lids, in eye widths, at which enough sclera is visible."""
BESIDE_IRIS = 1.2
"""Distance from the iris centre, in iris radii, beyond which pixels count as sclera."""
BRIGHT = 0.6
"""Share of the sclera's pixels left out, the darkest, as shaded by lids and lashes."""
LEAST = 6
"""Fewest sclera pixels for a measurement."""
EVERY = 4
"""Frames between two measurements: light changes slowly."""
CALM = 0.28
"""Weight of a new measurement in the running average over the shot."""


def eye_white(rgb: Bytes, points: Floats) -> Floats | None:
    """(3,) RGB of the sclera, 0..255; None where lids or irises hide it.

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
    """Running average of the driving sclera colour over the shot, so that a blink does not lose it.

    Requests must come in the order of their frames.
    """

    def __init__(self) -> None:
        self._white: Floats | None = None
        self._frame = 0

    def __call__(self, request: FaceRequest) -> Floats | None:
        """(3,) RGB of the sclera, 0..255; None until the shot has shown it."""
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
