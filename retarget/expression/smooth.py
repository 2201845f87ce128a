"""Take the tremble out of weights, pose and detail, and leave quick movements whole.

Landmarks shiver even on a still face. Around each moment a parabola is fitted to the frames in
reach, by their true times (Savitzky & Golay, Analytical Chemistry 36(8), 1964). Where the frames
stray from it no more than tremble does, the parabola is taken; where they stray more, something
really moves and the measured value is kept (the local-statistics filter of Lee, IEEE TPAMI 2(2),
1980). For files the reach lies on both sides, so nothing comes late; live it lies in the past.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from retarget.expression.settings import SmoothSettings
from retarget.flow import blendshapes, landmarks
from retarget.flow.values import ExpressedFrame, Expression, HeadPose, Measurement

Floats = npt.NDArray[np.float64]

_EYES = np.array([n.startswith("eye") for n in blendshapes.NAMES])
_TREMBLE_WEIGHT, _TREMBLE_EYE = 0.02, 0.012
_TREMBLE_GAZE, _TREMBLE_GAP = 1.0, 0.002
_TREMBLE_TURN, _TREMBLE_PLACE, _TREMBLE_DETAIL = 0.004, 0.0015, 0.0012
"""What a still face's values stray by: weights, degrees, head units, radians."""


@dataclass(frozen=True, kw_only=True)
class _Block:
    """One group of numbers and how much of it is tremble."""

    values: Floats
    tremble: npt.NDArray[np.float64] | float
    together: int = 1
    """Neighboring numbers that move as one (3 for the coordinates of a point)."""


class Smooth:
    """Calms expression and pose over time; a cut or a loss begins anew."""

    name = "smooth"

    def __init__(self, settings: SmoothSettings) -> None:
        self.settings = settings

    def __call__(self, frames: Iterator[ExpressedFrame]) -> Iterator[ExpressedFrame]:
        """Every frame once, in order; those without an expression pass unchanged."""
        if self.settings.reach == 0.0 or self.settings.strength == 0.0:
            yield from frames
            return
        window: deque[ExpressedFrame] = deque()
        waiting: deque[ExpressedFrame] = deque()
        for frame in frames:
            if frame.expression is None or frame.cut:
                yield from self._drain(window, waiting)
            if frame.expression is None:
                yield frame
                continue
            window.append(frame)
            waiting.append(frame)
            yield from self._ready(window, waiting)
        yield from self._drain(window, waiting)

    def _ready(
        self, window: deque[ExpressedFrame], waiting: deque[ExpressedFrame]
    ) -> Iterator[ExpressedFrame]:
        """Frames that have seen all they need."""
        ahead = 0.0 if self.settings.live else self.settings.reach
        newest = window[-1].at.seconds
        while waiting and newest - waiting[0].at.seconds >= ahead - 1e-6:
            yield self._next(window, waiting)

    def _drain(
        self, window: deque[ExpressedFrame], waiting: deque[ExpressedFrame]
    ) -> Iterator[ExpressedFrame]:
        while waiting:
            yield self._next(window, waiting)
        window.clear()

    def _next(
        self, window: deque[ExpressedFrame], waiting: deque[ExpressedFrame]
    ) -> ExpressedFrame:
        now = waiting.popleft()
        while now.at.seconds - window[0].at.seconds > self.settings.reach + 1e-6:
            window.popleft()
        near = [
            f for f in window if abs(f.at.seconds - now.at.seconds) <= self.settings.reach + 1e-6
        ]
        if self.settings.live:
            near = [f for f in near if f.at.seconds <= now.at.seconds]
        return self._calmed(now, near) if len(near) > 2 else now

    def _calmed(self, now: ExpressedFrame, near: Sequence[ExpressedFrame]) -> ExpressedFrame:
        times = np.array([f.at.seconds - now.at.seconds for f in near])
        if times[-1] - times[0] <= 0.0:
            return now
        place = next(i for i, f in enumerate(near) if f is now)
        tall = 1 if self.settings.live or len(near) < 5 else 2
        powers = (times / self.settings.reach)[:, None] ** np.arange(tall + 1)
        fit = powers @ np.linalg.pinv(powers)  # (n, n) projects values onto the parabola

        def calm(values: Floats, tremble: Floats | float, together: int = 1) -> Floats:
            smooth = fit @ values
            strays = (values - smooth) ** 2
            if together > 1:
                strays = strays.reshape(len(values), -1, together).mean(axis=2)
                strays = strays.repeat(together, axis=1)
            # One frame that strays alone is a movement too, so the largest counts, not the mean.
            stray = strays.max(axis=0)
            noise = (3.0 * self.settings.strength * np.asarray(tremble)) ** 2
            keep = np.clip(stray / noise - 1.0, 0.0, 1.0)
            out: Floats = smooth[place] + keep * (values[place] - smooth[place])
            return out

        return replace(
            now,
            expression=_expression(now, near, calm),
            pose=_pose(now, near, calm),
        )


def _expression(now, near, calm):  # type: ignore[no-untyped-def]
    tremble = np.where(_EYES, _TREMBLE_EYE, _TREMBLE_WEIGHT)
    weights = calm(np.array([f.expression.weights for f in near], float), tremble)
    measured = now.expression.measured
    if measured is not None and all(f.expression.measured is not None for f in near):
        seen = [f.expression.measured for f in near]
        gaze = calm(np.array([m.gaze.ravel() for m in seen], float), _TREMBLE_GAZE)
        aperture = calm(np.array([m.aperture for m in seen], float), _TREMBLE_EYE)
        gap = calm(np.array([[m.lip_gap] for m in seen]), _TREMBLE_GAP)
        detail = measured.detail
        if detail is not None and all(m.detail is not None for m in seen):
            moved = calm(np.array([m.detail.ravel() for m in seen], float), _TREMBLE_DETAIL, 3)
            detail = moved.reshape(landmarks.COUNT, 3).astype(np.float32)
        measured = Measurement(
            gaze=gaze.reshape(2, 2).astype(np.float32),
            aperture=np.maximum(aperture, 0.0).astype(np.float32),
            lip_gap=float(max(gap[0], 0.0)),
            detail=detail,
        )
    return Expression(weights=np.clip(weights, 0.0, 1.0).astype(np.float32), measured=measured)


def _pose(now, near, calm):  # type: ignore[no-untyped-def]
    from scipy.spatial.transform import Rotation

    if any(f.pose is None for f in near):
        return now.pose
    poses = [f.pose for f in near]
    turns = np.array(
        [Rotation.from_matrix(p.rotation @ now.pose.rotation.T).as_rotvec() for p in poses]
    )
    turn = calm(turns, _TREMBLE_TURN, 3)
    scale = now.pose.scale
    places = np.array([p.translation / scale for p in poses])
    place = calm(places, _TREMBLE_PLACE, 3)
    logs = np.array([[np.log(p.scale / scale)] for p in poses])
    return HeadPose(
        rotation=Rotation.from_rotvec(turn).as_matrix() @ now.pose.rotation,
        translation=place * scale,
        scale=float(scale * np.exp(calm(logs, _TREMBLE_PLACE)[0])),
    )
