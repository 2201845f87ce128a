"""Jitter and flicker from one frame to the next."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from retarget.flow.arrays import Bytes, Doubles, Floats, Picture
from retarget.flow.rigid import similarity

_WIDTH = 256
"""Pixels a picture is scaled to before its background is compared."""
_PATCH = 160
"""Pixels of the face patch on which optical flow is computed."""
_SURROUNDINGS = 0.6
"""Margin around the landmarks' box, in its sizes, for hair, neck and blending."""
_LOOP = 1.0
"""Pixels of error of flow forward and back above which a pixel counts as occluded."""


class Shake:
    """Landmark jitter: the size of the points' second difference in time.

    Mean over the points of |p(t) - 2 p(t-1) + p(t-2)|, in % of the eye distance. A steady or
    evenly moving face gives 0. It includes the estimator's noise and quick movements, so it is
    compared with the driving clip's.
    """

    def __init__(self) -> None:
        self._past: deque[Doubles] = deque(maxlen=2)

    def __call__(self, points: Doubles | None, eye_distance: float) -> float:
        """The jitter that ends in this frame; NaN where one of the last three lacks a face."""
        if points is None:
            self._past.clear()
            return float("nan")
        value = float("nan")
        if len(self._past) == 2:
            bend = points - 2 * self._past[1] + self._past[0]
            value = float(np.linalg.norm(bend, axis=1).mean()) / max(eye_distance, 1e-6) * 100
        self._past.append(points)
        return value


class Tremble:
    """Jitter of the face itself: every frame is first aligned with the first one by a similarity.

    Unlike with `Shake`, a result does not score better because its head is held still.
    """

    def __init__(self) -> None:
        self._shake = Shake()
        self._over: Doubles | None = None
        self._eyes = 1.0

    def __call__(self, points: Doubles | None, eye_distance: float) -> float:
        """As `Shake`."""
        if points is None:
            return self._shake(None, 1.0)
        if self._over is None:
            self._over, self._eyes = points, eye_distance
        laid = similarity(points, self._over)
        return self._shake(points @ laid[:, :2].T + laid[:, 2], self._eyes)


class Flicker:
    """Change outside the face, and change on the face that no motion explains."""

    def __init__(self) -> None:
        self._small: Floats | None = None
        self._grey: Bytes | None = None
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def __call__(self, rgb: Picture, points: Doubles | None) -> tuple[float, float]:
        """(background, warping) in grey levels of 0..255 since the frame before; NaN: not known.

        background: mean absolute change outside the face and its surroundings.
        warping: see `warping_error`, on the face and its surroundings.
        """
        grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        height = max(round(_WIDTH * grey.shape[0] / grey.shape[1]), 1)
        shrunk = cv2.resize(grey, (_WIDTH, height), interpolation=cv2.INTER_AREA)
        small = np.asarray(shrunk, np.float32)
        before, before_grey = self._small, self._grey
        self._small, self._grey = small, grey
        if before is None or before_grey is None or points is None:
            return float("nan"), float("nan")
        if before_grey.shape != grey.shape:
            return float("nan"), float("nan")
        box = surroundings(points)
        return (
            _outside(before, small, box * _WIDTH / grey.shape[1]),
            warping_error(_patch(before_grey, box), _patch(grey, box), self._flow),
        )


def surroundings(points: Doubles) -> Doubles:
    """(4,) left, top, right, bottom in pixels of the part that a redrawn face may change."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = _SURROUNDINGS * (high - low)
    return np.concatenate([low - margin, high + margin])


def _outside(before: Floats, now: Floats, box: Doubles) -> float:
    left, top, right, bottom = np.rint(box).astype(int)
    outside = np.ones(now.shape, bool)
    outside[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = False
    if outside.mean() < 0.02:
        return float("nan")
    return float(np.abs(now - before)[outside].mean())


def _patch(grey: Bytes, box: Doubles) -> Bytes:
    left, top, right, bottom = box
    scale = _PATCH / max(right - left, bottom - top, 1.0)
    matrix = np.array([[scale, 0, -scale * left], [0, scale, -scale * top]])
    out = cv2.warpAffine(
        grey, matrix, (_PATCH, _PATCH), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(out, np.uint8)


def warping_error(before: Bytes, now: Bytes, flow: cv2.DISOpticalFlow) -> float:
    """Mean absolute difference, in grey levels, of `now` and `before` carried along by the flow.

    After the temporal warping error of Lai et al., "Learning Blind Video Temporal Consistency",
    ECCV 2018: pixels that a forward-backward check finds hidden are left out. Brightness pumping
    and texture that crawls stay; motion that the flow follows does not count.
    """
    back = np.asarray(flow.calc(now, before, None))  # type: ignore[call-overload]
    forth = np.asarray(flow.calc(before, now, None))  # type: ignore[call-overload]
    y, x = np.mgrid[0 : now.shape[0], 0 : now.shape[1]].astype(np.float32)
    from_x, from_y = x + back[..., 0], y + back[..., 1]
    carried = cv2.remap(before, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    returned = cv2.remap(forth, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    seen = np.linalg.norm(back + returned, axis=2) < _LOOP
    if not seen.any():
        return float("nan")
    return float(np.abs(carried.astype(float) - now.astype(float))[seen].mean())
